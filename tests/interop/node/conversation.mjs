// How a relying party here talks with the test: lines of JSON. First it is told its configuration. What it yields
// it says, such as an authorization URL for a browser, and it is given the next line: such as the URL at which the
// browser came back. What it returns is what it learned; what it throws, why it refused.
import { createInterface } from 'node:readline/promises'

export async function converse(relyingParty) {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  const hear = async () => (await lines.next()).value
  const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)
  try {
    const steps = relyingParty(JSON.parse(await hear()))
    let step = await steps.next()
    while (!step.done) {
      say(step.value)
      step = await steps.next(await hear())
    }
    say(step.value)
  } catch (error) {
    say({ error: [error.status, error.code, error.message, error.cause?.message].filter(Boolean).join(': ') })
  }
  process.exit()
}
