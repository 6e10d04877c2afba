import assert from 'node:assert/strict'
import test from 'node:test'
import { breaking } from './breaking.mjs'

const before = 'type Query { user(name: String): User } type User { name: String biog: String }'
const unnamed = async (after, changelog) => (await breaking(before, after, changelog)).unnamed.map((c) => c.path)

test('the changelog must name a removed field', async () => {
  const after = 'type Query { user(name: String): User } type User { name: String }'
  assert.deepEqual(await unnamed(after, '## [1.1.0] - Unreleased\n\n- Something else.\n'), ['User.biog'])
  assert.deepEqual(await unnamed(after, '## [1.1.0] - Unreleased\n\n- User.biog is removed.\n'), ['User.biog'])
  assert.deepEqual(await unnamed(after, '## [1.1.0] - Unreleased\n\n- None.\n\n## 1.0\n\n- `User.biog` is new.\n'), ['User.biog'])
  assert.deepEqual(await unnamed(after, '## [1.1.0] - Unreleased\n\n- `User.biog` is removed.\n\n## 1.0\n'), [])
  assert.deepEqual(await unnamed(after, '## [1.1.0] - Unreleased\n- `User.biog` is removed.'), [])
})

test('a new required argument and a changed type are breaking', async () => {
  const after = 'type Query { user(name: String!): User } type User { name: Int biog: String! }'
  assert.deepEqual((await unnamed(after, '')).sort(), ['Query.user.name', 'User.name'])
})

test('a new field is not breaking', async () => {
  assert.deepEqual(await unnamed(before + ' extend type User { city: String }', ''), [])
})
