// Apollo Client 4 and apollo-upload-client, set up as in their documentation.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client'
import { SetContextLink } from '@apollo/client/link/context'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { relayStylePagination } from '@apollo/client/utilities'
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs'
import { filter, firstValueFrom } from 'rxjs'
import { arrived, busy, endpoint, listed, mp3, recorded, token } from './support.mjs'

// docs: cache
const cache = () =>
  new InMemoryCache({
    typePolicies: {
      User: {
        fields: {
          // Pages with the same since and until are joined.
          cloudcasts: relayStylePagination(['since', 'until']),
          followers: relayStylePagination(['since', 'until']),
        },
      },
    },
  })
// docs: end

// docs: persisted
const persistedLink = (uri, fetch) =>
  ApolloLink.from([
    new PersistedQueryLink({
      sha256: (query) => createHash('sha256').update(query).digest('hex'),
      useGETForHashedQueries: true,
    }),
    new HttpLink({ uri, fetch }),
  ])
// docs: end

// docs: upload
const signedInLink = (uri, token) =>
  ApolloLink.from([
    new SetContextLink(({ headers }) => ({ headers: { ...headers, authorization: `Bearer ${token}` } })),
    new UploadHttpLink({ uri }), // sends operations without files as JSON
  ])
// docs: end

const anonymous = (uri = endpoint) => new ApolloClient({ cache: cache(), link: new HttpLink({ uri }) })
const signedIn = () => new ApolloClient({ cache: cache(), link: signedInLink(endpoint, token) })

// shown waits until the data of a watched query fulfills a condition.
const shown = async (query, wanted = () => true) => {
  const { data } = await firstValueFrom(query.pipe(filter(({ dataState, data }) => dataState === 'complete' && wanted(data))))
  return data
}

await test('pages accumulate', async () => {
  const all = await listed('demo', 'followers')
  assert.ok(all.length > 100, `demo has only ${all.length} followers`)
  const client = anonymous()
  const query = client.watchQuery({
    query: gql`
      query Followers($first: Int!, $after: String) {
        user(username: "demo") {
          id
          followers(first: $first, after: $after) {
            edges { cursor node { id name } }
            pageInfo { hasNextPage endCursor }
          }
        }
      }
    `,
    variables: { first: 20 },
  })
  const subscription = query.subscribe(() => {})
  let { followers } = (await shown(query)).user
  let pages = 1
  for (; followers.pageInfo.hasNextPage; pages++) {
    assert.ok(pages <= all.length, 'the list does not end')
    const shorter = followers.edges.length
    await query.fetchMore({ variables: { after: followers.pageInfo.endCursor } })
    followers = (await shown(query, ({ user }) => user.followers.edges.length > shorter)).user.followers
  }
  subscription.unsubscribe()
  assert.deepEqual(followers.edges.map(({ node }) => node.name), all)
  assert.equal(pages, Math.ceil(all.length / 20))
})

await test('a persisted query is a GET with the hash, and the query is sent once', async () => {
  const query = gql`
    query Persisted($username: String!) {
      user(username: $username) { id name city }
    }
  `
  const { fetch, sent } = recorded()
  for (let round = 0; round < 2; round++) {
    const client = new ApolloClient({ cache: cache(), link: persistedLink(endpoint, fetch) })
    const { data } = await client.query({ query, variables: { username: 'spartacus' } })
    assert.equal(data.user.city, 'London')
  }
  assert.deepEqual(sent.map(({ method }) => method), ['GET', 'POST', 'GET'])
  const [unknown, registered, known] = sent
  for (const { url } of [unknown, known]) {
    assert.equal(url.searchParams.get('query'), null)
    assert.match(JSON.parse(url.searchParams.get('extensions')).persistedQuery.sha256Hash, /^[0-9a-f]{64}$/)
  }
  assert.match(JSON.parse(registered.body).query, /query Persisted/)
  assert.equal(known.status, 200)
})

await test('a mutation updates a watched query', async () => {
  const client = signedIn()
  const query = gql`
    query Party {
      cloudcast(key: "/spartacus/party-time/") { id viewerHasFavorited favoriteCount }
    }
  `
  const screen = client.watchQuery({ query })
  const subscription = screen.subscribe(() => {})
  const before = await shown(screen)
  assert.equal(before.cloudcast.viewerHasFavorited, false)
  const { data } = await client.mutate({
    mutation: gql`
      mutation Favorite($key: String!) {
        favoriteCloudcast(input: { key: $key }) {
          changed
          cloudcast { id viewerHasFavorited favoriteCount }
          userErrors { field code message }
        }
      }
    `,
    variables: { key: '/spartacus/party-time/' },
  })
  assert.deepEqual(data.favoriteCloudcast.userErrors, [])
  assert.equal(data.favoriteCloudcast.changed, true)
  const { cloudcast: after } = await shown(screen, ({ cloudcast }) => cloudcast.viewerHasFavorited)
  subscription.unsubscribe()
  assert.equal(after.favoriteCount, before.cloudcast.favoriteCount + 1)
})

await test('an upload reaches Mixcloud with its tags', async () => {
  const bytes = mp3(3_000_000)
  const { data } = await signedIn().mutate({
    mutation: gql`
      mutation Upload($input: UploadCloudcastInput!) {
        uploadCloudcast(input: $input) {
          message
          cloudcast { id key name }
          userErrors { field code message }
        }
      }
    `,
    variables: {
      input: {
        mp3: new File([bytes], 'night-bus.mp3', { type: 'audio/mpeg' }),
        name: 'Night Bus by Apollo',
        tags: ['dub', 'night'],
        sections: [{ chapter: 'Hello', startTime: 0 }],
      },
    },
  })
  assert.deepEqual(data.uploadCloudcast.userErrors, [])
  const object = await arrived(data.uploadCloudcast.cloudcast.key, bytes)
  assert.equal(object.name, 'Night Bus by Apollo')
  assert.deepEqual(object.tags.map((tag) => tag.name.toLowerCase()), ['dub', 'night'])
})

await test('refusals are GraphQL errors', async (t) => {
  const named = gql`
    query Named($username: String!) {
      user(username: $username) { id name }
    }
  `
  const refusal = async ({ uri = endpoint, headers, query = named, username = 'demo' }) => {
    const { fetch, sent } = recorded()
    const client = new ApolloClient({ cache: cache(), link: new HttpLink({ uri, headers, fetch }) })
    const { error } = await client.query({ query, variables: { username }, errorPolicy: 'all' })
    assert.ok(CombinedGraphQLErrors.is(error), `${error?.name}: ${error?.message}`)
    return { status: sent[0].status, ...error.errors[0].extensions, message: error.errors[0].message }
  }
  await t.test('400 for an invalid query', async () => {
    const { status, code } = await refusal({ query: gql`query Wrong { nobodyHasThis }` })
    assert.deepEqual([status, code], [400, 'GRAPHQL_VALIDATION_FAILED'])
  })
  await t.test('401 for an invalid Authorization header', async () => {
    const { status, code } = await refusal({ headers: { authorization: 'Basic x' } })
    assert.deepEqual([status, code], [401, 'UNAUTHENTICATED'])
  })
  await t.test('413 for a large body', async () => {
    for (const size of [1_100_000, 20_000_000]) {
      const { status, message } = await refusal({ username: 'x'.repeat(size) })
      assert.equal(status, 413)
      assert.match(message, /large|bytes|MiB|MB/i)
    }
  })
  await t.test('429 for too many requests', async () => {
    const uri = `${process.env.LIMITED}/graphql`
    await new ApolloClient({ cache: cache(), link: new HttpLink({ uri }) }).query({ query: named, variables: { username: 'demo' } })
    const { status, code, retryable } = await refusal({ uri })
    assert.deepEqual([status, code, retryable], [429, 'LIMIT_EXCEEDED', true])
  })
  await t.test('503 of an overloaded server', async () => {
    const { status, code, retryable } = await refusal({ uri: `${busy}/graphql` })
    assert.deepEqual([status, code, retryable], [503, 'LIMIT_EXCEEDED', true])
  })
})
