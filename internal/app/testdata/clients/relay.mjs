// relay-compiler with documents generated from the schema, and the Relay runtime with the compiled documents.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { buildClientSchema } from 'graphql'
import relay from 'relay-runtime'
import { artifactsIn, compile, documentsOf, variablesOf } from './relay-documents.mjs'
import { endpoint, introspection, listed, post, token } from './support.mjs'

const { ConnectionHandler, Environment, Network, RecordSource, Store, commitMutation, createOperationDescriptor, fetchQuery, getPaginationMetadata, getPaginationVariables, getSingularSelector } = relay
const work = mkdtempSync(join(tmpdir(), 'relay-'))
process.on('exit', () => rmSync(work, { recursive: true }))

const schema = buildClientSchema(await introspection())
const documents = documentsOf(schema)
const { artifact, operation } = artifactsIn(work)

await test('the compiler accepts every document', () => {
  compile(work, schema, [...documents, { module: 'Favorite', text: readFileSync(new URL('favorite.graphql', import.meta.url), 'utf8') }])
  const artifacts = readdirSync(join(work, 'artifacts'))
  for (const { name } of [...documents, { name: 'FavoriteMutation' }]) assert.ok(artifacts.includes(`${name}.graphql.js`), `${name} was not compiled`)
  const of = (kind) => documents.filter((document) => document.kind === kind).length
  console.log(`${of('node')} types refetched, ${of('connection')} connections, ${of('mutation')} mutations, ${of('subscription')} subscriptions: ${artifacts.length} artifacts`)
  assert.ok(of('node') >= 17 && of('connection') >= 39, 'too few documents')
  assert.equal(documents.filter(({ changes }) => changes > 0).length, 6, 'mutations that change a list')
})

await test('the server accepts every query and mutation', async () => {
  const { id } = (await post('{ user(username: "demo") { id } }')).user
  let executed = 0
  for (const { name, kind } of documents) {
    const { params } = operation(name)
    const variables = variablesOf(schema, params.text, id)
    if (kind === 'subscription' || variables.input?.mp3) continue // not sent as JSON
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}`, 'X-GraphQL-Dry-Run': 'true' },
      body: JSON.stringify({ query: params.text, variables }),
    })
    const { errors, extensions } = await response.json()
    assert.equal(errors, undefined, `${params.name} ${JSON.stringify(variables)}: ${JSON.stringify(errors)}\n${params.text}`)
    assert.ok(Number.isInteger(extensions.cost.estimated), params.name)
    executed++
  }
  assert.equal(executed, documents.length - 2)
})

// docs: relay
const newEnvironment = (url, token) =>
  new Environment({
    store: new Store(new RecordSource()),
    network: Network.create(async ({ text, name }, variables) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          Accept: 'application/graphql-response+json',
          'Content-Type': 'application/json',
          ...(token && { Authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify({ query: text, operationName: name, variables }),
      })
      return response.json()
    }),
  })
// docs: end

await test('every Node type is refetched by id', async () => {
  const found = await post(`{
    user(username: "demo") { id __typename
      comments(first: 1) { nodes { id __typename } }
      playlists(first: 1) { nodes { id __typename } }
      feed(first: 100) { nodes { id __typename } }
    }
    cloudcast(key: "/spartacus/party-time/") { id __typename }
    tag(name: "jazz") { id __typename }
    city(name: "london") { id __typename }
    categories { id __typename }
  }`)
  const ids = new Map()
  JSON.stringify(found, (_, value) => {
    if (value?.id) ids.set(value.__typename, value.id)
    return value
  })
  const environment = newEnvironment(endpoint)
  for (const [type, id] of ids) {
    const { node } = await fetchQuery(environment, operation(`all_${type}`), { id }).toPromise()
    assert.ok(node, `${type} ${id} is not found`)
    assert.equal(environment.getStore().getSource().get(id).__typename, type)
  }
  console.log(`refetched: ${[...ids.keys()].join(', ')}`)
  assert.ok(ids.size >= 10, 'too few Node types')
})

// newList pages through the list of a pagination fragment as usePaginationFragment does.
async function newList(environment, fragment, id, first) {
  const { paginationRequest, paginationMetadata, connectionPathInFragmentData } = getPaginationMetadata(fragment, 'newList')
  const request = createOperationDescriptor(paginationRequest, { id, ...first })
  environment.retain(request)
  await fetchQuery(environment, paginationRequest, { id, ...first }).toPromise()
  const selector = () => getSingularSelector(fragment, environment.lookup(request.fragment).data.node)
  const shown = () => connectionPathInFragmentData.reduce((value, key) => value[key], environment.lookup(selector()).data)
  return {
    shown,
    names: () => shown().edges.map(({ node }) => node.name),
    async load(direction, count) {
      const { length } = shown().edges
      const { startCursor, endCursor } = shown().pageInfo
      const variables = getPaginationVariables(direction, count, direction === 'forward' ? endCursor : startCursor, selector().variables, {}, paginationMetadata)
      await fetchQuery(environment, paginationRequest, { ...variables, id }).toPromise()
      assert.ok(shown().edges.length > length, 'a page was not added')
    },
  }
}

await test('the runtime pages through a connection in both directions', async () => {
  const all = await listed('demo', 'followers')
  const { id, followers } = (await post('{ user(username: "demo") { id followers(first: 100) { edges { cursor } } } }')).user
  const fragment = artifact('all_User_followers')

  const forward = await newList(newEnvironment(endpoint), fragment, id, { first: 20 })
  let pages = 1
  for (; forward.shown().pageInfo.hasNextPage; pages++) await forward.load('forward', 20)
  assert.deepEqual(forward.names(), all)
  assert.equal(pages, Math.ceil(all.length / 20))

  const backward = await newList(newEnvironment(endpoint), fragment, id, { last: 20, before: followers.edges[60].cursor })
  while (backward.shown().pageInfo.hasPreviousPage) await backward.load('backward', 20)
  assert.deepEqual(backward.names(), all.slice(0, 60))
})

await test('a mutation updates the lists in the store, and paging continues', async () => {
  const environment = newEnvironment(endpoint, token)
  const mutate = (name, input, connections) =>
    new Promise((resolve, reject) => {
      const variables = { input, connections }
      commitMutation(environment, { mutation: artifact(name), variables, onCompleted: (data, errors) => (errors ? reject(errors[0]) : resolve(data)), onError: reject })
    })
  const cloudcast = { key: '/spartacus/party-time/' }
  const user = { username: 'spartacus' }
  const { id } = (await post('{ user(username: "demo") { id } }')).user
  for (const [field, add, remove, input, name] of [
    ['favorites', 'allfavoriteCloudcastMutation', 'allunfavoriteCloudcastMutation', cloudcast, 'Party Time'],
    ['listenLater', 'alladdToListenLaterMutation', 'allremoveFromListenLaterMutation', cloudcast, 'Party Time'],
    ['following', 'allfollowUserMutation', 'allunfollowUserMutation', user, 'Spartacus'],
  ]) {
    const before = await listed('demo', field, token)
    const list = await newList(environment, artifact(`all_User_${field}`), id, { first: 5 })
    assert.deepEqual(list.names(), before.slice(0, 5))
    const connection = ConnectionHandler.getConnectionID(id, `all_User_${field}`)
    await mutate(add, input, [connection])
    assert.deepEqual(list.names(), [name, ...before.slice(0, 5)], field)
    await list.load('forward', 5)
    assert.deepEqual(list.names(), [name, ...before.slice(0, 10)], field)
    await mutate(remove, input, [connection])
    assert.deepEqual(list.names(), before.slice(0, 10), field)
  }
})
