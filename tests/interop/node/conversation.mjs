// How a relying party here talks with the test: lines of JSON. First its configuration, then an authorization
// URL for a browser, then the URL at which the browser came back, then what it learned, or why it refused.
import { createInterface } from 'node:readline/promises'

export async function converse(relyingParty) {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  const hear = async () => (await lines.next()).value
  const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)
  try {
    const { authorizationUrl, complete } = await relyingParty(JSON.parse(await hear()))
    say({ authorization_url: authorizationUrl })
    say(await complete(new URL(await hear())))
  } catch (error) {
    say({ error: [error.code, error.message, error.cause?.message].filter(Boolean).join(': ') })
  }
  process.exit()
}
