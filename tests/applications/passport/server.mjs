import { randomBytes } from 'node:crypto';
import express from 'express';
import session from 'express-session';
import { page } from './page.mjs';

// THE LINES OF THE PRESET

passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));

const app = express();
app.use(session({ secret: randomBytes(32).toString('hex'), resave: false, saveUninitialized: false }));
app.use(passport.session());

app.get('/', (request, response) => response.send(page({ user: request.user?.claims ?? null })));
app.get('/login', passport.authenticate('ostiary'));
app.get('/callback', passport.authenticate('ostiary', { successRedirect: '/' }));

app.get('/refresh', async (request, response) => {
  const tokens = await client.refreshTokenGrant(ostiary, request.user.refreshToken);
  const { sub } = request.user.claims;
  const userinfo = await client.fetchUserInfo(ostiary, tokens.access_token, sub);
  response.send(page({ isNew: tokens.refresh_token !== request.user.refreshToken, isHers: userinfo.sub === sub }));
});

app.get('/logout', (request, response, next) => {
  const url = client.buildEndSessionUrl(ostiary, {
    id_token_hint: request.user.idToken,
    post_logout_redirect_uri: `http://localhost:${process.env.PORT}/`,
  });
  request.logout((error) => (error ? next(error) : response.redirect(url.href)));
});

app.listen(Number(process.env.PORT), 'localhost');
