// oauth4webapi, which does each step and each check by a function of its own.
import * as oauth from 'oauth4webapi'
import { converse } from './conversation.mjs'

await converse(async function* ({ issuer, client_id, client_secret, redirect_uri, scope }) {
  const url = new URL(issuer)
  const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url))
  const client = { client_id }
  const authentication = oauth.ClientSecretPost(client_secret)
  const verifier = oauth.generateRandomCodeVerifier()
  const nonce = oauth.generateRandomNonce()
  const state = oauth.generateRandomState()
  const authorization_url = new URL(as.authorization_endpoint)
  authorization_url.search = new URLSearchParams({
    client_id,
    redirect_uri,
    response_type: 'code',
    scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    nonce,
    state,
  })

  async function introspect(token) {
    return oauth.processIntrospectionResponse(
      as, client, await oauth.introspectionRequest(as, client, authentication, token))
  }

  const callback = new URL(yield { authorization_url })
  const parameters = oauth.validateAuthResponse(as, client, callback, state)
  const response = await oauth.authorizationCodeGrantRequest(
    as, client, authentication, parameters, redirect_uri, verifier)
  const tokens = await oauth.processAuthorizationCodeResponse(
    as, client, response, { expectedNonce: nonce, requireIdToken: true })
  await oauth.validateApplicationLevelSignature(as, response)
  const claims = oauth.getValidatedIdTokenClaims(tokens)
  const userinfo = await oauth.processUserInfoResponse(
    as, client, claims.sub, await oauth.userInfoRequest(as, client, tokens.access_token))
  const refreshed = await oauth.processRefreshTokenResponse(
    as, client, await oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token))
  const introspection = await introspect(refreshed.access_token)
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(as, client, authentication, refreshed.refresh_token))
  const revoked = await introspect(refreshed.access_token)
  const refreshed_sub = oauth.getValidatedIdTokenClaims(refreshed).sub
  return { claims, userinfo, refreshed_sub, introspection, revoked }
})
