// What the programs of this folder share.
import { createHash } from 'node:crypto'
import { getIntrospectionQuery } from 'graphql'

export const demo = process.env.DEMO // a server of the demo
export const busy = process.env.BUSY // one that refuses every operation with 503
export const endpoint = `${demo}/graphql`
export const token = 'demo-token'

// recorded is fetch, and a list of what was sent through it.
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

// post sends an operation without any client library.
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

// mp3 is a file that looks like an MP3.
export function mp3(size) {
  const bytes = Buffer.alloc(size, 'mixcloud')
  bytes.write('ID3\x03\x00', 'latin1')
  return bytes
}

// arrived checks that an upload reached the emulated Mixcloud whole, and returns the REST object of the cloudcast.
export async function arrived(key, bytes) {
  const uploads = await (await fetch(`${demo}/emulator/__emulator/uploads`)).json()
  const upload = uploads.find((upload) => upload.key === key)
  if (!upload) throw new Error(`${key} is not among ${JSON.stringify(uploads)}`)
  if (upload.bytes !== bytes.length || upload.sha256 !== sha256(bytes)) throw new Error(`${JSON.stringify(upload)} is not what was sent: ${bytes.length} ${sha256(bytes)}`)
  const object = await fetch(`${demo}/emulator${key}?access_token=${token}`)
  if (!object.ok) throw new Error(`${key}: status ${object.status} ${await object.text()}`)
  return object.json()
}

// listed is the names of all items of a user's list, read without any client library.
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

// introspection is the server's, as tools ask for it.
export const introspection = () => post(getIntrospectionQuery({ specifiedByUrl: true, inputValueDeprecation: true, oneOf: false }))
