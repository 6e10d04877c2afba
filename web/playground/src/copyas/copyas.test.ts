import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSchema, parse } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formats } from './formats'
import { bodyOf, mapOf, requestOf, type Request, type Source } from './request'

const schema = buildSchema(`
  scalar Upload
  type Query { user(username: String): String, viewer: String }
  type Mutation { upload(mp3: Upload!, picture: Upload, name: String): String }
  type Subscription { progress(id: String): String }
`)

/** The latest request that the test server received. */
interface Received {
  headers: IncomingMessage['headers']
  body: Buffer
}
let received: Received | undefined
let server: Server
let endpoint = ''
const folder = mkdtempSync(join(tmpdir(), 'copyas-'))

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    received = { headers: request.headers, body: Buffer.concat(pieces) }
    response.setHeader('Content-Type', 'application/json')
    response.end('{"data":{"ok":true}}')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`
})

afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

// Characters that are special in a shell, JavaScript, Go or curl.
const nasty = String.raw`'"$TOKEN $(touch ran) ${'`touch ran`'} ${'${x}'} !! !a \ \\ \' %s *?[a] ~ & ; | < > # ;type=a/b @x <x {a,b}` + '\u2028\u007f é🎧'

const sources: Record<string, Partial<Source>> = {
  'a query': { query: '{ user }' },
  'text with special characters': {
    query: `# ${nasty}\nquery Q($username: String) {\n  user(username: $username) # '\n}\n`,
    variables: { username: nasty, '__proto__x-y': [1, { deep: [null, true, nasty] }], empty: {} },
  },
  'a block string': { query: 'query B {\n  user(username: """\n  a \\""" `b` ${c}\n\n    d\n  """)\n}' },
  'one of several operations': { query: 'query A { user }\nquery B { ...F }\nfragment F on Query { viewer }\n', operationName: 'B' },
  'a signed-in query': { query: 'query V { viewer }', signedIn: true },
  'a mutation': { query: 'mutation M { upload(mp3: null) }' },
  'an upload': {
    query: 'mutation U($mp3: Upload!, $picture: Upload, $name: String) { upload(mp3: $mp3, picture: $picture, name: $name) }',
    variables: { name: nasty },
    chosen: new Map([['variables.picture', `it's; a "cover",type=x $TOKEN.png`]]),
  },
  'a subscription': { query: 'subscription S($id: String) { progress(id: $id) }', variables: { id: 'x' } },
}

const made = (source: Partial<Source>): Request =>
  requestOf({ endpoint, schema, query: '', operationName: undefined, variables: {}, chosen: new Map(), signedIn: false, ...source })

const code = (name: string, request: Request) => formats.find((format) => format.name === name)!.code(request)

function available(program: string): boolean {
  try {
    execFileSync(program, [program === 'go' ? 'version' : '--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Runs a program in the folder. Does not block, because the test server runs in this process. */
function run(program: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: folder, env: { ...process.env, TOKEN: 'secret-1' } })
    let output = ''
    child.stdout.on('data', (text) => (output += text))
    child.stderr.on('data', (text) => (output += text))
    child.on('error', reject)
    child.on('close', (status) => (status === 0 ? resolve(output) : reject(new Error(`${program}: ${status}: ${output}`))))
  })
}

/** Checks that the recorded request equals the expected one. */
async function expectReceived(request: Request, token: string) {
  const { headers, body } = received!
  expect(headers.authorization).toBe(request.token ? `Bearer ${token}` : undefined)
  if (request.kind === 'subscription') expect(headers.accept).toBe('text/event-stream')
  if (request.files.length === 0) {
    expect(headers['content-type']).toBe('application/json')
    expect(JSON.parse(body.toString())).toEqual(bodyOf(request))
    return
  }
  // Go, like old versions of curl, writes a quotation mark in a file name as \"; the current standard requires %22.
  const today = body.toString('latin1').replace(/^Content-Disposition:.*$/gm, (line) => line.replaceAll('\\"', '%22'))
  const form = await new Response(new Uint8Array(Buffer.from(today, 'latin1')), { headers: { 'Content-Type': headers['content-type']! } }).formData()
  expect(JSON.parse(String(form.get('operations')))).toEqual(bodyOf(request))
  expect(JSON.parse(String(form.get('map')))).toEqual(mapOf(request))
  for (const [i, { name }] of request.files.entries()) expect(await (form.get(String(i)) as File).text()).toBe(name)
}

describe.each(Object.entries(sources))('%s', (_name, source) => {
  test.skipIf(!available('curl')).each(['bash', 'zsh'].filter(available))('is sent by curl in %s', async (shell) => {
    const request = made(source)
    for (const { name } of request.files) writeFileSync(join(folder, name), name)
    received = undefined
    expect(await run(shell, ['-c', code('curl', request)])).toContain('{"data":{"ok":true}}')
    await expectReceived(request, 'secret-1')
    expect(readdirSync(folder)).not.toContain('ran')
  })

  test('is sent by fetch', async () => {
    const request = made(source)
    received = undefined
    const files = `const document = { querySelector: () => ({ files: ${JSON.stringify(request.files.map(({ name }) => name))}.map((name) => new File([name], name)) }) }\n`
    writeFileSync(join(folder, 'fetch.mjs'), files + code('fetch', request))
    expect(await run(process.execPath, [join(folder, 'fetch.mjs')])).toContain('ok')
    await expectReceived(request, '$TOKEN')
  })

  test.each(['Relay', 'Apollo', 'urql'])('is valid JavaScript for %s with a valid document', async (format) => {
    const text = code(format, made(source))
    writeFileSync(join(folder, 'library.mjs'), text)
    await run(process.execPath, ['--check', join(folder, 'library.mjs')])
    const template = /(?:gql|graphql|query: )(`(?:[^`\\]|\\.)*`)/s.exec(text)?.[1]
    parse(new Function(`return ${template}`)() as string)
  })

  test.skipIf(!available('go'))('is sent by a Go program with the format of gofmt', async () => {
    const request = made(source)
    for (const { name } of request.files) writeFileSync(join(folder, name), name)
    writeFileSync(join(folder, 'main.go'), code('Go', request))
    expect(await run('gofmt', ['-d', 'main.go'])).toBe('')
    received = undefined
    expect(await run('go', ['run', 'main.go'])).toContain('{"data":{"ok":true}}')
    await expectReceived(request, 'secret-1')
  }, 60_000)
})

test('Relay code has an operation name that relay-compiler accepts', () => {
  const relay = (query: string) => code('Relay', made({ query }))
  expect(relay('query Popular { user }')).toContain('query PopularQuery {')
  expect(relay('query PopularQuery { user }')).toMatch(/^\/\/ Popular\.js:/)
  expect(relay('{ user }')).toContain('query AppQuery {')
})

test('an invalid document is copied unchanged', () => {
  const request = made({ query: '{ user' })
  for (const { code } of formats) expect(code(request)).toContain('{ user')
})

test('code contains the name of an environment variable, and no token', () => {
  for (const { name, code } of formats) expect(code(made({ query: '{ viewer }', signedIn: true })), name).toMatch(/\$TOKEN|os\.Getenv\("TOKEN"\)/)
  expect(readFileSync(new URL('request.ts', import.meta.url), 'utf8')).not.toMatch(/(session|account)'/)
})
