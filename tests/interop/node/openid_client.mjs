// openid-client as its documentation has it, with its checks as they come.
import * as client from 'openid-client'
import { converse } from './conversation.mjs'

await converse(async function* ({ issuer, client_id, client_secret, redirect_uri, scope }) {
  const config = await client.discovery(new URL(issuer), client_id, client_secret, client.ClientSecretBasic(client_secret))
  client.enableNonRepudiationChecks(config)
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedNonce = client.randomNonce()
  const expectedState = client.randomState()
  const authorization_url = client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    nonce: expectedNonce,
    state: expectedState,
  })
  const callback = new URL(yield { authorization_url })

  const checks = { pkceCodeVerifier, expectedNonce, expectedState, idTokenExpected: true }
  const tokens = await client.authorizationCodeGrant(config, callback, checks)
  const claims = tokens.claims()
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
  const introspection = await client.tokenIntrospection(config, refreshed.access_token)
  await client.tokenRevocation(config, refreshed.refresh_token)
  const revoked = await client.tokenIntrospection(config, refreshed.access_token)
  return { claims, userinfo, refreshed_sub: refreshed.claims().sub, introspection, revoked }
})
