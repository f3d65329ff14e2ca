import { randomBytes } from 'node:crypto';
import { ExpressAuth, getSession } from '@auth/express';
import express from 'express';
import authConfig from './auth.config.js';
import { page } from './page.mjs';

const config = { ...authConfig, secret: randomBytes(32).toString('hex'), trustHost: true, basePath: '/auth' };
const app = express();
app.use('/auth', ExpressAuth(config));
app.get('/', async (request, response) => {
  const known = await getSession(request, config);
  response.send(page({ user: known?.user ?? null }));
});
app.listen(Number(process.env.PORT), 'localhost');
