// Apollo Client with a manifest, and a server with --only-persisted. generate-persisted-query-manifest 1.4.0 wrote
// apollo-manifest.json for the operations below.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { generatePersistedQueryIdsFromManifest } from '@apollo/persisted-query-lists'
import { recorded, token } from './support.mjs'

const endpoint = `${process.env.LOCKED}/graphql`
const manifest = JSON.parse(readFileSync(new URL('apollo-manifest.json', import.meta.url)))

// docs: apollo-persisted
const manifestLink = ({ uri, fetch, headers }) =>
  ApolloLink.from([
    new PersistedQueryLink(generatePersistedQueryIdsFromManifest({ loadManifest: async () => manifest })),
    new HttpLink({ uri, fetch, headers }),
  ])
// docs: end

const newClient = (fetch) => new ApolloClient({ cache: new InMemoryCache(), link: manifestLink({ uri: endpoint, fetch, headers: { authorization: `Bearer ${token}` } }) })

await test('the server executes operations of the manifest by id', async () => {
  const { fetch, sent } = recorded()
  const client = newClient(fetch)
  const { data } = await client.query({
    query: gql`
      query ManifestUser($username: String!) {
        user(username: $username) { ...ManifestUserParts }
      }
      fragment ManifestUserParts on User { id name city }
    `,
    variables: { username: 'spartacus' },
  })
  assert.equal(data.user.city, 'London')
  const followed = await client.mutate({
    mutation: gql`
      mutation ManifestFollow($input: FollowUserInput!) {
        followUser(input: $input) { changed userErrors { message } }
      }
    `,
    variables: { input: { username: 'spartacus' } },
  })
  assert.equal(followed.data.followUser.changed, true)
  const bodies = sent.map(({ body }) => JSON.parse(body))
  const id = (name) => manifest.operations.find((operation) => operation.name === name).id
  assert.deepEqual(bodies.map(({ query, extensions }) => [query, extensions.persistedQuery.sha256Hash]), [[undefined, id('ManifestUser')], [undefined, id('ManifestFollow')]])
})

await test('the server refuses other operations', async () => {
  const client = new ApolloClient({ cache: new InMemoryCache(), link: new HttpLink({ uri: endpoint }) })
  const { error } = await client.query({ query: gql`query Unknown { viewer { id } }`, errorPolicy: 'all' })
  assert.ok(CombinedGraphQLErrors.is(error), String(error))
  assert.equal(error.errors[0].extensions.code, 'FORBIDDEN')
})
