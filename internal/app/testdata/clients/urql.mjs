// urql with Graphcache, persisted queries, uploads and server-sent events, set up as in its documentation.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Client, fetchExchange, gql } from '@urql/core'
import { cacheExchange } from '@urql/exchange-graphcache'
import { relayPagination } from '@urql/exchange-graphcache/extras'
import { persistedExchange } from '@urql/exchange-persisted'
import { arrived, busy, endpoint, introspection, listed, mp3, recorded, token } from './support.mjs'

const schema = await introspection()

// docs: urql
// Graphcache stores objects of types without an id inside of their parent.
const embedded = ['ChapterSection', 'Discovery', 'OEmbed', 'PageInfo', 'Picture', 'RateLimit', 'Search', 'TrackSection']

const newClient = ({ url, fetch, token }) =>
  new Client({
    url,
    fetch,
    fetchOptions: token ? { headers: { authorization: `Bearer ${token}` } } : undefined,
    fetchSubscriptions: true, // over server-sent events
    exchanges: [
      cacheExchange({
        schema, // the result of introspection, for interfaces
        keys: Object.fromEntries(embedded.map((type) => [type, () => null])),
        resolvers: { User: { followers: relayPagination() } },
      }),
      persistedExchange({ preferGetForPersistedQueries: true }),
      fetchExchange,
    ],
  })
// docs: end

const client = (more) => newClient({ url: endpoint, ...more })
const demoUser = { username: 'demo' }
const data = ({ data, error }) => {
  if (error) throw error
  return data
}

// A warning of Graphcache is a fault of the set-up or of the schema.
const warnings = []
console.warn = (text) => warnings.push(text)

await test('Graphcache stores objects by id, and embeds objects without one', async () => {
  const withoutId = schema.__schema.types.filter(({ kind, name, fields }) => kind === 'OBJECT' && !name.startsWith('__') && !fields.some(({ name }) => name === 'id')).map(({ name }) => name)
  // Graphcache knows connections and edges; the other excluded types are not in queries.
  assert.deepEqual(withoutId.filter((name) => !/^(Query|Mutation|Subscription|UserError|UploadProgress)$|(Connection|Edge|Payload)$/.test(name)).sort(), embedded)
  const urql = client({ token })
  const query = gql`
    query Everything($key: String!, $url: String!) {
      rateLimit { budget }
      search(query: "jazz") { cloudcasts(first: 2) { totalCount nodes { id name } } }
      discover(tags: ["jazz"]) { key popular(first: 2) { edges { cursor node { id name } } } }
      oembed(url: $url) { title html }
      cloudcast(key: $key) {
        id
        viewerHasFavorited
        pictures { size url }
        sections { __typename position ... on TrackSection { track { id name } } ... on ChapterSection { chapter } }
      }
    }
  `
  const key = '/spartacus/party-time/'
  const variables = { key, url: `https://www.mixcloud.com${key}` }
  const first = data(await urql.query(query, variables).toPromise())
  assert.equal(first.cloudcast.viewerHasFavorited, false)
  assert.ok(first.cloudcast.pictures.length > 1 && first.search.cloudcasts.nodes.length === 2)
  const favorite = gql`
    mutation Favorite($key: String!) {
      favoriteCloudcast(input: { key: $key }) { cloudcast { id viewerHasFavorited } userErrors { field code message } }
    }
  `
  assert.deepEqual(data(await urql.mutation(favorite, { key }).toPromise()).favoriteCloudcast.userErrors, [])
  const refused = data(await urql.mutation(favorite, { key: '/spartacus/there-is-none/' }).toPromise())
  assert.equal(refused.favoriteCloudcast.userErrors[0].code, 'NOT_FOUND')
  const second = data(await urql.query(query, variables, { requestPolicy: 'cache-only' }).toPromise())
  assert.deepEqual(second, { ...first, cloudcast: { ...first.cloudcast, viewerHasFavorited: true } })
})

await test('pages accumulate', async () => {
  const all = await listed('demo', 'followers')
  const urql = client()
  const query = gql`
    query Followers($username: String!, $first: Int!, $after: String) {
      user(username: $username) {
        id
        followers(first: $first, after: $after) {
          edges { cursor node { id name } }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  `
  let pages = 0
  let shown
  for (let after = null, more = true; more; pages++) {
    assert.ok(pages <= all.length, 'the list does not end')
    shown = data(await urql.query(query, { ...demoUser, first: 20, after }).toPromise()).user.followers
    after = shown.pageInfo.endCursor
    more = shown.pageInfo.hasNextPage
  }
  assert.deepEqual(shown.edges.map(({ node }) => node.name), all)
  assert.equal(pages, Math.ceil(all.length / 20))
})

await test('an interface is read from the cache by its concrete type', async () => {
  const { fetch, sent } = recorded()
  const urql = client({ fetch })
  const query = gql`
    query Resource($key: String!) {
      resource(key: $key) { __typename id name ... on Cloudcast { audioLength } }
    }
  `
  for (let round = 0; round < 2; round++) {
    const { resource } = data(await urql.query(query, { key: '/spartacus/party-time/' }).toPromise())
    assert.deepEqual([resource.__typename, resource.name, resource.audioLength], ['Cloudcast', 'Party Time', 3064])
  }
  assert.equal(new Set(sent.map(({ body, url }) => body ?? url.search)).size, sent.length, 'something was fetched twice')
})

await test('a persisted query is a GET with the hash, and the query is sent once', async () => {
  const query = gql`
    query PersistedByUrql($username: String!) {
      user(username: $username) { id name city }
    }
  `
  const { fetch, sent } = recorded()
  for (let round = 0; round < 2; round++) {
    const { user } = data(await client({ fetch }).query(query, { username: 'spartacus' }).toPromise())
    assert.equal(user.city, 'London')
  }
  assert.deepEqual(sent.map(({ method, url }) => [method, url.searchParams.has('query')]), [['GET', false], ['GET', true], ['GET', false]])
  for (const { url } of sent) {
    assert.match(JSON.parse(url.searchParams.get('extensions')).persistedQuery.sha256Hash, /^[0-9a-f]{64}$/)
  }
})

await test('an upload reaches Mixcloud with its tags, and its progress arrives as server-sent events', async () => {
  const urql = client({ token })
  const bytes = mp3(3_000_000)
  const events = []
  const watched = new Promise((resolve, reject) => {
    const { unsubscribe } = urql
      .subscription(gql`subscription Progress($id: String!) { uploadProgress(uploadId: $id) { phase bytesSent bytesTotal } }`, { id: 'by-urql' })
      .subscribe(({ data, error }) => {
        if (error) return reject(error)
        events.push(data.uploadProgress)
        if (data.uploadProgress.phase === 'DONE') {
          resolve()
          setTimeout(unsubscribe)
        }
      })
  })
  const { uploadCloudcast } = data(
    await urql
      .mutation(
        gql`
          mutation Upload($input: UploadCloudcastInput!) {
            uploadCloudcast(input: $input) {
              cloudcast { id key name }
              userErrors { field code message }
            }
          }
        `,
        { input: { mp3: new File([bytes], 'night-bus.mp3', { type: 'audio/mpeg' }), name: 'Night Bus by urql', tags: ['dub', 'night'], uploadId: 'by-urql' } },
      )
      .toPromise(),
  )
  assert.deepEqual(uploadCloudcast.userErrors, [])
  const object = await arrived(uploadCloudcast.cloudcast.key, bytes)
  assert.equal(object.name, 'Night Bus by urql')
  assert.deepEqual(object.tags.map((tag) => tag.name.toLowerCase()), ['dub', 'night'])
  await watched
  assert.deepEqual(events.at(-1), { ...events.at(-1), phase: 'DONE', bytesSent: bytes.length, bytesTotal: bytes.length })
})

await test('refusals are GraphQL errors', async (t) => {
  const refusal = async (url, query, variables) => {
    const { fetch, sent } = recorded()
    const { error } = await newClient({ url, fetch }).query(query, variables).toPromise()
    assert.ok(error, 'there is no error')
    assert.equal(error.networkError, undefined)
    return { status: sent.at(-1).status, ...error.graphQLErrors[0].extensions, message: error.message }
  }
  const named = gql`query Named($username: String!) { user(username: $username) { id name } }`
  await t.test('400 for an invalid variable', async () => {
    const { status, code } = await refusal(endpoint, named, { username: 5 })
    assert.deepEqual([status, code], [400, 'GRAPHQL_VALIDATION_FAILED'])
  })
  await t.test('413 for a large body', async () => {
    const { status, message } = await refusal(endpoint, named, { username: 'x'.repeat(1_100_000) })
    assert.equal(status, 413)
    assert.match(message, /large|bytes|MiB|MB/i)
  })
  await t.test('503 of an overloaded server', async () => {
    const { status, code, retryable } = await refusal(`${busy}/graphql`, named, demoUser)
    assert.deepEqual([status, code, retryable], [503, 'LIMIT_EXCEEDED', true])
  })
})

await test('Graphcache printed no warnings', () => assert.deepEqual(warnings, []))
