// Functions that the programs of this folder share.
import { createHash } from 'node:crypto'
import { getIntrospectionQuery } from 'graphql'

export const demo = process.env.DEMO // the URL of a demo server
export const busy = process.env.BUSY // the URL of a server that refuses every operation with 503
export const endpoint = `${demo}/graphql`
export const token = 'demo-token'

// recorded returns a fetch function, and the list of requests that it sent.
export function recorded() {
  const sent = []
  const record = async (input, init = {}) => {
    const request = { method: init.method ?? 'GET', url: new URL(String(input)), body: init.body, headers: new Headers(init.headers) }
    sent.push(request)
    const response = await fetch(input, init)
    request.status = response.status
    return response
  }
  return { fetch: record, sent }
}

// post sends an operation without a client library.
export async function post(query, variables, headers = {}) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  })
  const { data, errors } = await response.json()
  if (errors) throw new Error(errors.map((error) => error.message).join('; '))
  return data
}

export const sha256 = (data) => createHash('sha256').update(data).digest('hex')

// mp3 returns the content of a file that begins like an MP3.
export function mp3(size) {
  const bytes = Buffer.alloc(size, 'mixcloud')
  bytes.write('ID3\x03\x00', 'latin1')
  return bytes
}

// arrived checks that the emulated Mixcloud received a complete upload, and returns the REST object of the cloudcast.
export async function arrived(key, bytes) {
  const uploads = await (await fetch(`${demo}/emulator/__emulator/uploads`)).json()
  const upload = uploads.find((upload) => upload.key === key)
  if (!upload) throw new Error(`${key} is not among ${JSON.stringify(uploads)}`)
  if (upload.bytes !== bytes.length || upload.sha256 !== sha256(bytes)) throw new Error(`${JSON.stringify(upload)} differs from the sent file: ${bytes.length} ${sha256(bytes)}`)
  const object = await fetch(`${demo}/emulator${key}?access_token=${token}`)
  if (!object.ok) throw new Error(`${key}: status ${object.status} ${await object.text()}`)
  return object.json()
}

// listed returns the names of all items of a user's list, read without a client library.
export async function listed(username, connection, token) {
  const query = `query ($username: String!, $after: String) {
    user(username: $username) { ${connection}(first: 100, after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } }
  }`
  const all = []
  for (let after = null, more = true; more; ) {
    const page = (await post(query, { username, after }, token && { Authorization: `Bearer ${token}` })).user[connection]
    all.push(...page.nodes.map((node) => node.name))
    after = page.pageInfo.endCursor
    more = page.pageInfo.hasNextPage
  }
  return all
}

// introspection returns the result of the introspection query that tools send.
export const introspection = () => post(getIntrospectionQuery({ specifiedByUrl: true, inputValueDeprecation: true, oneOf: false }))
