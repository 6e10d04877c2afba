import assert from 'node:assert/strict'
import test from 'node:test'
import { breaking } from './breaking.mjs'

const before = 'type Query { user(name: String): User } type User { name: String biog: String }'
const unnamed = async (after, changelog) => (await breaking(before, after, changelog)).unnamed.map((c) => c.path)

test('a field that is gone must be named', async () => {
  const after = 'type Query { user(name: String): User } type User { name: String }'
  assert.deepEqual(await unnamed(after, '## [1.1.0] - Unreleased\n\n- Something else.\n'), ['User.biog'])
  assert.deepEqual(await unnamed(after, '## [1.1.0] - Unreleased\n\n- User.biog is gone.\n'), ['User.biog'])
  assert.deepEqual(await unnamed(after, '## [1.1.0] - Unreleased\n\n- None.\n\n## 1.0\n\n- `User.biog` is new.\n'), ['User.biog'])
  assert.deepEqual(await unnamed(after, '## [1.1.0] - Unreleased\n\n- `User.biog` is gone.\n\n## 1.0\n'), [])
  assert.deepEqual(await unnamed(after, '## [1.1.0] - Unreleased\n- `User.biog` is gone.'), [])
})

test('an argument that is needed, and a type that changes', async () => {
  const after = 'type Query { user(name: String!): User } type User { name: Int biog: String! }'
  assert.deepEqual((await unnamed(after, '')).sort(), ['Query.user.name', 'User.name'])
})

test('what is new breaks nobody', async () => {
  assert.deepEqual(await unnamed(before + ' extend type User { city: String }', ''), [])
})
