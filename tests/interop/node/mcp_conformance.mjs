// The conformance tool of MCP. It imports `fs.globSync`, which Node has since 22 and which only commands other than
// `authorization` call: for an older Node this adds the name.
import fs from 'node:fs'
import { register } from 'node:module'

const source = "export * from 'node:fs'; export { default } from 'node:fs'; export const globSync = undefined"
const hooks = `
  export const resolve = (specifier, context, next) =>
    specifier === 'fs' ? { url: 'with:globSync', shortCircuit: true } : next(specifier, context)
  export const load = (url, context, next) =>
    url === 'with:globSync' ? { format: 'module', source: ${JSON.stringify(source)}, shortCircuit: true } : next(url, context)`
if (!fs.globSync) register(`data:text/javascript,${encodeURIComponent(hooks)}`)

await import(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js'))
