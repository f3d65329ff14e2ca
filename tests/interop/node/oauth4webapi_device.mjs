// oauth4webapi as a device: it shows a code, waits for its user, and gets its tokens (RFC 8628).
import * as oauth from 'oauth4webapi'
import { converse } from './conversation.mjs'

await converse(async function* ({ issuer, client_id, scope }) {
  const url = new URL(issuer)
  const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url))
  const client = { client_id }
  const authentication = oauth.None()
  const shown = await oauth.processDeviceAuthorizationResponse(
    as, client, await oauth.deviceAuthorizationRequest(as, client, authentication, { scope }))

  async function poll() {
    const response = await oauth.deviceCodeGrantRequest(as, client, authentication, shown.device_code)
    return oauth.processDeviceCodeResponse(as, client, response)
  }

  const early = await poll().then(() => 'tokens', (error) => error.error)
  yield { verification_uri_complete: shown.verification_uri_complete, early }

  const tokens = await poll().catch((error) => ({ refusal: error.error }))
  if (tokens.refusal) return tokens
  const claims = oauth.getValidatedIdTokenClaims(tokens)
  const userinfo = await oauth.processUserInfoResponse(
    as, client, claims.sub, await oauth.userInfoRequest(as, client, tokens.access_token))
  const refreshed = await oauth.processRefreshTokenResponse(
    as, client, await oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token))
  return { claims, userinfo, refreshed_sub: oauth.getValidatedIdTokenClaims(refreshed).sub }
})
