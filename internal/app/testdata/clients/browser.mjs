// A page of another origin, in Chromium.
import assert from 'node:assert/strict'
import test from 'node:test'
import { chromium } from 'playwright-core'
import { arrived, busy, demo, endpoint, mp3, token } from './support.mjs'

const { CHROMIUM, ORIGIN, OTHER_ORIGIN, SHARED } = process.env
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--host-resolver-rules=MAP *.test 127.0.0.1'] })

async function open(origin) {
  const page = await browser.newPage()
  await page.goto(`${origin}/`)
  await page.addScriptTag({ path: new URL('page.js', import.meta.url).pathname })
  return page
}

const page = await open(ORIGIN)
const bearer = { Authorization: `Bearer ${token}` }

await test('a page of another origin', async (t) => {
  await t.test('queries without a token', async () => {
    const { status, data, headers } = await page.evaluate(([url]) => execute(url, { query: '{ user(username: "spartacus") { name city } }' }), [endpoint])
    assert.deepEqual([status, data], [200, { user: { name: 'Spartacus', city: 'London' } }])
    assert.match(headers['x-request-id'], /./)
    assert.equal(headers['x-content-type-options'], undefined, 'a header that is not exposed can be read')
  })

  await t.test('writes once for an Idempotency-Key, with a bearer token', async () => {
    const responses = await page.evaluate(
      async ([url, headers]) => {
        const operation = { query: 'mutation { followUser(input: { username: "spartacus" }) { changed user { viewerIsFollowing } userErrors { message } } }' }
        return [await execute(url, operation, headers), await execute(url, operation, headers)]
      },
      [endpoint, { ...bearer, 'Idempotency-Key': 'from-the-browser' }],
    )
    for (const { status, data } of responses) {
      assert.deepEqual([status, data.followUser], [200, { changed: true, user: { viewerIsFollowing: true }, userErrors: [] }])
    }
    assert.deepEqual(responses.map(({ headers }) => headers['idempotent-replayed']), [undefined, 'true'])
  })

  await t.test('uploads a file and receives its progress as server-sent events', async () => {
    const bytes = mp3(3_000_000)
    const { uploaded, seen } = await page.evaluate(
      async ([url, token, base64]) => {
        const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
        const seen = []
        const watched = (async () => {
          const subscription = { query: 'subscription { uploadProgress(uploadId: "by-browser") { phase bytesSent bytesTotal } }' }
          for await (const event of events(url, subscription, { Authorization: `Bearer ${token}` })) seen.push(event)
        })()
        const uploaded = await upload(
          url,
          token,
          'mutation ($input: UploadCloudcastInput!) { uploadCloudcast(input: $input) { cloudcast { key } userErrors { message } } }',
          { input: { mp3: null, name: 'Night Bus by browser', tags: ['dub', 'night'], uploadId: 'by-browser' } },
          'variables.input.mp3',
          new File([bytes], 'night-bus.mp3', { type: 'audio/mpeg' }),
        )
        await watched
        return { uploaded, seen }
      },
      [endpoint, token, bytes.toString('base64')],
    )
    assert.deepEqual(uploaded.data?.uploadCloudcast.userErrors, [], JSON.stringify(uploaded))
    const object = await arrived(uploaded.data.uploadCloudcast.cloudcast.key, bytes)
    assert.deepEqual(object.tags.map((tag) => tag.name.toLowerCase()), ['dub', 'night'])
    assert.deepEqual(seen.at(-1), { event: 'complete' })
    assert.deepEqual(seen.at(-2), { event: 'next', data: { data: { uploadProgress: { phase: 'DONE', bytesSent: bytes.length, bytesTotal: bytes.length } } } })
  })

  await t.test('receives a query through an EventSource', async () => {
    const seen = await page.evaluate(
      ([url]) =>
        new Promise((resolve, reject) => {
          const seen = []
          const source = new EventSource(`${url}?query=${encodeURIComponent('{ user(username: "spartacus") { name } }')}`)
          source.addEventListener('next', ({ data }) => seen.push(JSON.parse(data)))
          source.addEventListener('complete', () => {
            source.close()
            resolve(seen)
          })
          source.onerror = () => reject(new Error('the connection failed'))
        }),
      [endpoint],
    )
    assert.deepEqual(seen, [{ data: { user: { name: 'Spartacus' } } }])
  })

  await t.test('reads refusals', async () => {
    const wrong = await page.evaluate(([url]) => execute(url, { query: '{ unknownField }' }), [endpoint])
    assert.deepEqual([wrong.status, wrong.errors[0].extensions.code], [400, 'GRAPHQL_VALIDATION_FAILED'])
    const large = await page.evaluate(([url]) => execute(url, { query: 'query ($x: String!) { user(username: $x) { name } }', variables: { x: 'x'.repeat(5_000_000) } }), [endpoint])
    assert.equal(large.status, 413)
    const full = await page.evaluate(([url]) => execute(url, { query: '{ user(username: "demo") { name } }' }), [`${busy}/graphql`])
    assert.deepEqual([full.status, full.errors[0].extensions.code, full.headers['retry-after']], [503, 'LIMIT_EXCEEDED', '1'])
  })
})

await test('HTTP caching works for a page of another origin', async (t) => {
  const get = ([url, init]) =>
    fetch(`${url}?query=${encodeURIComponent('{ user(username: "spartacus") { city } }')}`, init).then(async (response) => ({
      status: response.status, id: response.headers.get('X-Request-Id'), tag: response.headers.get('ETag'), text: await response.text(),
    }))
  let cached
  await t.test('the browser caches an anonymous GET', async () => {
    cached = await page.evaluate(get, [endpoint, {}])
    assert.deepEqual([cached.status, cached.text], [200, '{"data":{"user":{"city":"London"}}}'])
    assert.deepEqual(await page.evaluate(get, [endpoint, {}]), cached)
  })
  await t.test('the response to a matching entity tag is 304', async () => {
    assert.match(cached.tag, /^"/)
    const { status, id, text } = await page.evaluate(get, [endpoint, { cache: 'no-store', headers: { 'If-None-Match': cached.tag } }])
    assert.deepEqual([status, text], [304, ''])
    assert.notEqual(id, cached.id)
  })
})

await test('cookies are accepted from origins of --allow-origin only', async (t) => {
  const name = (page, url) =>
    page.evaluate(
      async ([url]) => {
        const response = await fetch(`${url}?query=${encodeURIComponent('{ user(username: "spartacus") { name } }')}`, { credentials: 'include' }).catch((error) => error.name)
        return response.json ? (await response.json()).data.user.name : response
      },
      [url],
    )
  await t.test('without --allow-origin', async () => assert.equal(await name(page, endpoint), 'TypeError'))
  await t.test('with this origin', async () => assert.equal(await name(page, `${SHARED}/graphql`), 'Spartacus'))
  await t.test('with another origin', async () => {
    const other = await open(OTHER_ORIGIN)
    assert.equal(await name(other, `${SHARED}/graphql`), 'TypeError')
    assert.equal(await other.evaluate(([url]) => execute(url, { query: '{ __typename }' }).catch((error) => error.name), [`${SHARED}/graphql`]), 'TypeError')
  })
})

// The last test: it makes the server reject calls for some time.
await test('a page of another origin can read when to retry', async () => {
  await fetch(`${demo}/emulator/__emulator/faults`, { method: 'POST', body: JSON.stringify({ match: '/ines-bonnet/', fault: 'rate-limit', retryAfter: 90 }) })
  const { status, headers, errors } = await page.evaluate(([url]) => execute(url, { query: '{ user(username: "ines-bonnet") { name } }' }), [endpoint])
  assert.deepEqual([status, errors[0].extensions.code, headers['retry-after']], [200, 'RATE_LIMITED', '90'])
  assert.equal(headers.ratelimit, '"mixcloud";r=0;t=90')
})

await browser.close()
