import { bodyOf, mapOf, type Request } from './request'
import { jsTemplate, jsValue, shellJSON, shellQuote } from './text'

/** Returns a curl command for bash and zsh. */
export function curl(request: Request): string {
  const { endpoint, kind, files, token } = request
  const parts = [`curl ${kind === 'subscription' ? '-sN' : '-s'} ${shellQuote(endpoint)}`]
  if (token) parts.push('-H "Authorization: Bearer $TOKEN"')
  if (kind === 'subscription') parts.push("-H 'Accept: text/event-stream'")
  if (files.length > 0) {
    parts.push(`--form-string 'operations=${shellJSON(bodyOf(request))}'`, `--form-string 'map=${shellJSON(mapOf(request))}'`)
    // In an unquoted name, curl would parse ; and , as separators.
    files.forEach(({ name }, i) => parts.push(`-F ${shellQuote(`${i}=@"${name.replace(/["\\]/g, String.raw`\$&`)}"`)}`))
  } else parts.push("-H 'Content-Type: application/json'", `-d '${shellJSON(bodyOf(request))}'`)
  return parts.join(' \\\n  ') + '\n'
}

/** Returns the headers of a request as JavaScript. */
export function jsHeaders({ kind, files, token }: Request): string[] {
  return [
    ...(files.length > 0 ? [] : ["'Content-Type': 'application/json'"]),
    ...(kind === 'subscription' ? ["Accept: 'text/event-stream'"] : []),
    ...(token ? ["Authorization: 'Bearer $TOKEN'"] : []),
  ]
}

/** Returns the line of JavaScript that reads the files from an input element of a page. */
export function jsFiles({ files }: Request): string {
  if (files.length === 0) return ''
  const names = files.map((_, i) => `file${i}`).join(', ')
  return `const [${names}] = document.querySelector('input[type=file]').files // ${files.map(({ name }) => name).join(', ')}\n`
}

/** Returns JavaScript for browsers and Node.js that uses no library. */
export function fetchCode(request: Request): string {
  const { endpoint, kind, files, query } = request
  const { query: _query, ...rest } = bodyOf(request)
  const members = ['query', ...Object.entries(rest).map(([key, value]) => `${key}: ${jsValue(value, 1)}`)]
  const upload = files.length > 0
  const form = `const form = new FormData()
form.set('operations', JSON.stringify(operation))
form.set('map', ${jsValue(JSON.stringify(mapOf(request)))})
${files.map((_, i) => `form.set('${i}', file${i})\n`).join('')}`
  return `${jsFiles(request)}const query = ${jsTemplate(query)}
const operation = {
  ${members.join(',\n  ')},
}
${upload ? form : ''}
const response = await fetch(${jsValue(endpoint)}, {
  method: 'POST',
  headers: { ${jsHeaders(request).join(', ')} },
  body: ${upload ? 'form' : 'JSON.stringify(operation)'},
})
${kind === 'subscription' ? readEvents : readBody}`
}

const readBody = `const { data, errors } = await response.json()
console.log(data, errors)
`

const readEvents = `// Server-sent events: the package graphql-sse has a client that parses them.
for await (const text of response.body.pipeThrough(new TextDecoderStream())) console.log(text)
`
