import { expect, test } from 'vitest'
import { storageWithoutHeaders, withoutHeaders } from './storage'

test.each([
  ['{"queries":[{"query":"{ a }","headers":"{\\"Authorization\\": \\"Bearer t\\"}","label":"A"}]}', '{"queries":[{"query":"{ a }","label":"A"}]}'],
  ['{"tabs":[{"headers":null,"query":"{ headers }"}]}', '{"tabs":[{"query":"{ headers }"}]}'],
  ['query { "headers"', 'query { "headers"'],
  ['dark', 'dark'],
])('withoutHeaders(%s)', (text, want) => {
  expect(withoutHeaders(text)).toBe(want)
})

/** A browser's storage, in memory. As in browsers, the keys are properties of the object. */
function memory(): Storage {
  const items: Record<string, string> = {}
  const methods = {
    getItem: (key: string) => items[key] ?? null,
    setItem: (key: string, value: string) => void (items[key] = value),
    removeItem: (key: string) => void delete items[key],
  }
  return Object.setPrototypeOf(items, methods) as Storage
}

test('the storage removes headers, and clears only the keys of GraphiQL', () => {
  const inner = memory()
  const storage = storageWithoutHeaders(inner)
  inner.setItem('other', '1')
  storage.setItem('graphiql:headers', '{"Authorization":"Bearer t"}')
  storage.setItem('graphiql:queries', '{"queries":[{"headers":"Bearer t","query":"{ a }"}]}')
  expect(storage.length).toBe(1)
  expect(storage.getItem('graphiql:headers')).toBeNull()
  expect(storage.getItem('graphiql:queries')).toBe('{"queries":[{"query":"{ a }"}]}')
  storage.clear()
  expect(Object.keys(inner)).toEqual(['other'])
})

test('nothing is stored if the browser has no storage', () => {
  const storage = storageWithoutHeaders(null)
  storage.setItem('graphiql:query', '{ a }')
  expect(storage.getItem('graphiql:query')).toBeNull()
  expect(storage.length).toBe(0)
})
