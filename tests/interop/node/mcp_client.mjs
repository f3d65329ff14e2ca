// The official SDK of MCP as a client that calls a tool of a server as often as it is told, and signs its user in
// where it must. `expire` means: call it without a valid access token.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { converse } from './conversation.mjs'

class Provider {
  constructor(metadata, document) {
    Object.assign(this, { clientMetadata: metadata, clientMetadataUrl: document })
  }
  get redirectUrl() { return this.clientMetadata.redirect_uris[0] }
  state() { return this.sentState = crypto.randomUUID() }
  clientInformation() { return this.client }
  saveClientInformation(client) { this.client = client }
  tokens() { return this.kept }
  saveTokens(tokens) { this.kept = tokens }
  redirectToAuthorization(url) {
    // Asking for refresh tokens is left to the user of the SDK, too.
    if (this.clientMetadata.grant_types.includes('refresh_token'))
      url.searchParams.set('scope', `${url.searchParams.get('scope')} offline_access`)
    this.url = url.href
  }
  saveCodeVerifier(verifier) { this.verifier = verifier }
  codeVerifier() { return this.verifier }
}

async function* read(server, provider) {
  for (;;) {
    const transport = new StreamableHTTPClientTransport(new URL(server), { authProvider: provider })
    const client = new Client({ name: 'notes of Ada', version: '1' })
    try {
      await client.connect(transport)
      const answer = await client.callTool({ name: 'read_note', arguments: {} })
      return { text: answer.content[0].text, tokens: provider.kept }
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error
      const { searchParams } = new URL(yield { authorization_url: provider.url })
      // The SDK leaves this to its user.
      if (searchParams.get('state') !== provider.sentState) throw new Error('another state')
      if (searchParams.has('error')) throw new Error(searchParams.get('error'))
      await transport.finishAuth(searchParams.get('code'))
    } finally {
      await client.close()
    }
  }
}

await converse(async function* ({ server, metadata, document }) {
  const provider = new Provider(metadata, document)
  for (let said = {}; ;) {
    if ((yield said) === 'expire') provider.kept = { ...provider.kept, access_token: 'at_gone' }
    said = yield* read(server, provider)
  }
})
