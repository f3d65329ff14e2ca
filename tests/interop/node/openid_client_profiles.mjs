// openid-client in the profiles beside the plain code flow: request objects, pushed requests, signed answers, and
// answers of the front channel. `profile` names them, joined by +.
import * as client from 'openid-client'
import { converse } from './conversation.mjs'

const RESPONSE_TYPES = {
  'code id_token': client.useCodeIdTokenResponseType,
  'detached signature': client.useDetachedSignatureResponseType,
  id_token: client.useIdTokenResponseType,
}

await converse(async function* ({ issuer, client_id, client_secret, redirect_uri, scope, profile, signing_key }) {
  const profiles = profile.split('+')
  const config = await client.discovery(new URL(issuer), client_id, client_secret, client.ClientSecretBasic(client_secret))
  client.enableNonRepudiationChecks(config)
  for (const name of profiles) RESPONSE_TYPES[name]?.(config)
  if (profiles.includes('JARM')) client.useJwtResponseMode(config)

  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedNonce = client.randomNonce()
  const expectedState = client.randomState()
  const parameters = new URLSearchParams({ redirect_uri, scope, nonce: expectedNonce, state: expectedState })
  if (!profiles.includes('id_token')) {
    parameters.set('code_challenge', await client.calculatePKCECodeChallenge(pkceCodeVerifier))
    parameters.set('code_challenge_method', 'S256')
  }

  async function requested() {
    let asked = parameters
    if (profiles.includes('JAR')) {
      const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
      const key = await crypto.subtle.importKey('jwk', signing_key, algorithm, false, ['sign'])
      asked = (await client.buildAuthorizationUrlWithJAR(config, parameters, { key, kid: signing_key.kid })).searchParams
    }
    if (profiles.includes('PAR')) return client.buildAuthorizationUrlWithPAR(config, asked)
    return client.buildAuthorizationUrl(config, asked)
  }

  const callback = new URL(yield { authorization_url: await requested() })
  if (profiles.includes('id_token')) {
    return { claims: await client.implicitAuthentication(config, callback, expectedNonce, { expectedState }) }
  }
  const checks = { pkceCodeVerifier, expectedNonce, expectedState, idTokenExpected: true }
  const tokens = await client.authorizationCodeGrant(config, callback, checks)
  const claims = tokens.claims()
  return { claims, userinfo: await client.fetchUserInfo(config, tokens.access_token, claims.sub) }
})
