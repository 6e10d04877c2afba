import { expect, test } from 'vitest'
import { fromLink, linkTo } from './link'

test('a link contains the query and its variables', () => {
  const shared = { query: 'query Q($q: String!) { search(query: $q) { tags { nodes { name } } } }', variables: { q: 'a+b & "ü" #1' } }
  const link = linkTo('http://127.0.0.1:8080/#query=old', shared)
  expect(link).toMatch(/^http:\/\/127\.0\.0\.1:8080\/#query=/)
  expect(fromLink(new URL(link).hash)).toEqual(shared)
})

test('a link without variables contains only the query', () => {
  expect(fromLink(new URL(linkTo('http://x/', { query: '{ a }', variables: {} })).hash)).toEqual({ query: '{ a }', variables: {} })
})

test('fromLink returns null for other fragments', () => {
  expect(fromLink('')).toBeNull()
  expect(fromLink('#variables=%7B%7D')).toBeNull()
})

test('fromLink ignores variables that are not a JSON object', () => {
  expect(fromLink('#query=%7B%20a%20%7D&variables=%5B1%5D')).toEqual({ query: '{ a }' })
})
