import { expect, test } from 'vitest'
import { groupsOf, queryOf, type Example } from './examples'

const example = (group: string, title: string, query = '{ a }'): Example => ({ group, title, query, kind: 'query' })

test('groupsOf keeps the order of groups and examples', () => {
  const all = [example('B', '1'), example('B', '2'), example('A', '3')]
  expect(groupsOf(all, '').map(([group, of]) => [group, of.map(({ title }) => title)])).toEqual([
    ['B', ['1', '2']],
    ['A', ['3']],
  ])
})

test('groupsOf finds all words in title, group and query, without groups that have no match', () => {
  const all = [example('Charts', 'Popular shows', '{ popular }'), example('Users', 'Shows of a user')]
  expect(groupsOf(all, ' SHOWS user ').map(([group]) => group)).toEqual(['Users'])
  expect(groupsOf(all, 'charts')).toHaveLength(1)
  expect(groupsOf(all, 'nothing')).toEqual([])
})

test('queryOf replaces the base URL of the server in variables', () => {
  const opened = queryOf({ ...example('A', 'B'), variables: { uri: 'http://127.0.0.1:8080/oauth/callback', n: 1 } }, 'https://graph.example.com')
  expect(opened).toEqual({ query: '{ a }', variables: { uri: 'https://graph.example.com/oauth/callback', n: 1 } })
  expect(queryOf(example('A', 'B'), 'https://x')).toEqual({ query: '{ a }' })
})
