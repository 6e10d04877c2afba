// The Relay runtime with the manifest of relay-manifest.mjs, and a server with --only-persisted.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { buildClientSchema } from 'graphql'
import relay from 'relay-runtime'
import { artifactsIn, documentsOf, variablesOf } from './relay-documents.mjs'
import { introspection, post, token } from './support.mjs'

const { LOCKED, WORK } = process.env
const { Environment, Network, RecordSource, Store, fetchQuery } = relay
const { operation } = artifactsIn(WORK)
const manifest = JSON.parse(readFileSync(join(WORK, 'persisted.json')))
const schema = buildClientSchema(await introspection())
const { id } = (await post('{ user(username: "demo") { id } }')).user
const send = async (body, headers) => {
  const response = await fetch(`${LOCKED}/graphql`, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) })
  return { status: response.status, ...(await response.json()) }
}

await test('the server knows every operation of the manifest by id', async () => {
  for (const { name, kind } of documentsOf(schema)) {
    const { params } = operation(name)
    assert.equal(params.text, null)
    const variables = variablesOf(schema, manifest[params.id], id)
    if (kind === 'subscription' || variables.input?.mp3) continue // not sent as JSON
    const { errors } = await send({ doc_id: params.id, variables }, { Authorization: `Bearer ${token}`, 'X-GraphQL-Dry-Run': 'true' })
    assert.equal(errors, undefined, `${params.name}: ${JSON.stringify(errors)}`)
  }
})

await test('the runtime sends an id instead of a query', async () => {
  // docs: relay-persisted
  const network = (url) =>
    Network.create(async ({ id }, variables) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { Accept: 'application/graphql-response+json', 'Content-Type': 'application/json' },
        body: JSON.stringify({ doc_id: id, variables }),
      })
      return response.json()
    })
  // docs: end
  const environment = new Environment({ store: new Store(new RecordSource()), network: network(`${LOCKED}/graphql`) })
  const { node } = await fetchQuery(environment, operation('all_User'), { id }).toPromise()
  assert.ok(node)
  assert.equal(environment.getStore().getSource().get(id).username, 'demo')
})

await test('the server refuses other operations', async () => {
  const text = await send({ query: '{ __typename }' })
  assert.deepEqual([text.status, text.errors[0].extensions.code], [400, 'FORBIDDEN'])
  const unknown = await send({ doc_id: '0'.repeat(32) })
  assert.deepEqual([unknown.status, unknown.errors[0].extensions.code], [400, 'PERSISTED_QUERY_NOT_FOUND'])
})
