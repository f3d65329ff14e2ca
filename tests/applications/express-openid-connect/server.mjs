import express from 'express';
import openidConnect from 'express-openid-connect';
import { page } from './page.mjs';

const { auth, requiresAuth } = openidConnect;
const app = express();

// THE LINES OF THE PRESET

app.get('/', (request, response) => response.send(page({ user: request.oidc.user ?? null })));

app.get('/refresh', requiresAuth(), async (request, response) => {
  const before = request.oidc.accessToken.access_token;
  const { access_token: after } = await request.oidc.accessToken.refresh();
  const { sub } = await request.oidc.fetchUserInfo();
  response.send(page({ isNew: before !== after, isHers: sub === request.oidc.user.sub }));
});

app.listen(Number(process.env.PORT), 'localhost');
