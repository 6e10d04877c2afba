// The recipes of the README, for a signed-in viewer.
import assert from 'node:assert/strict'
import test from 'node:test'
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client'
import { relayStylePagination } from '@apollo/client/utilities'
import { Client, cacheExchange, fetchExchange } from '@urql/core'
import relay from 'relay-runtime'
import { endpoint as url, token } from './support.mjs'

const { Environment, Network, RecordSource, Store } = relay
const headers = { Authorization: `Bearer ${token}` }

// docs: recipes
const environment = new Environment({
  store: new Store(new RecordSource()),
  network: Network.create(async ({ text }, variables) => {
    const body = JSON.stringify({ query: text, variables })
    const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body })
    return response.json()
  }),
})

const apollo = new ApolloClient({
  link: new HttpLink({ uri: url, headers }),
  cache: new InMemoryCache({ typePolicies: { User: { fields: { followers: relayStylePagination(['since', 'until']) } } } }),
})

const urql = new Client({ url, fetchOptions: { headers }, exchanges: [cacheExchange, fetchExchange] })
// docs: end

const text = 'query ViewerName { viewer { id name } }'
const name = 'Robin Hale'

await test('Relay', async () => {
  const { data } = await environment.getNetwork().execute({ name: 'ViewerName', operationKind: 'query', text }, {}, {}).toPromise()
  assert.equal(data.viewer.name, name)
})

await test('Apollo Client joins pages', async () => {
  const { data } = await apollo.query({ query: gql(text) })
  assert.equal(data.viewer.name, name)
  const query = gql`
    query Followers($after: String) {
      user(username: "demo") {
        id
        followers(first: 2, after: $after) { edges { node { id } } pageInfo { endCursor } }
      }
    }
  `
  const watched = apollo.watchQuery({ query })
  const subscription = watched.subscribe(() => {})
  const first = await apollo.query({ query })
  await watched.fetchMore({ variables: { after: first.data.user.followers.pageInfo.endCursor } })
  subscription.unsubscribe()
  assert.equal(apollo.readQuery({ query }).user.followers.edges.length, 4)
})

await test('urql', async () => {
  const { data, error } = await urql.query(text, {}).toPromise()
  assert.equal(error, undefined)
  assert.equal(data.viewer.name, name)
})
