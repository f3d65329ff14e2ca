// openid-client that registers itself, signs a user in and signs them out, with its checks as they come.
import * as client from 'openid-client'
import { converse } from './conversation.mjs'

await converse(async function* ({ issuer, initial_access_token, metadata, scope }) {
  const config = await client.dynamicClientRegistration(
    new URL(issuer), metadata, client.ClientSecretBasic(), { initialAccessToken: initial_access_token })
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedNonce = client.randomNonce()
  const expectedState = client.randomState()
  const authorization_url = client.buildAuthorizationUrl(config, {
    redirect_uri: metadata.redirect_uris[0],
    scope,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    nonce: expectedNonce,
    state: expectedState,
  })
  const callback = new URL(yield { authorization_url })

  const checks = { pkceCodeVerifier, expectedNonce, expectedState, idTokenExpected: true }
  const tokens = await client.authorizationCodeGrant(config, callback, checks)
  const before = await client.tokenIntrospection(config, tokens.access_token)
  const state = client.randomState()
  const end_session_url = client.buildEndSessionUrl(config, {
    post_logout_redirect_uri: metadata.post_logout_redirect_uris[0],
    id_token_hint: tokens.id_token,
    state,
  })
  const returned = new URL(yield { end_session_url })

  // openid-client leaves this to its user.
  if (returned.searchParams.get('state') !== state) throw new Error('another state')
  const after = await client.tokenIntrospection(config, tokens.access_token)
  return { registered: config.clientMetadata(), claims: tokens.claims(), before, after }
})
