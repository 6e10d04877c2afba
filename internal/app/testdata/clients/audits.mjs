// Runs the audits of graphql-http for servers.
import assert from 'node:assert/strict'
import test from 'node:test'
import { auditServer } from 'graphql-http'

await test('all audits of graphql-http pass', async () => {
  const results = await auditServer({ url: `${process.env.DEMO}/graphql`, fetchFn: fetch })
  const failed = results.filter((result) => result.status !== 'ok').map(({ id, name, reason }) => `${id} ${name}: ${reason}`)
  assert.deepEqual(failed, [])
  assert.equal(results.length, 61)
})
