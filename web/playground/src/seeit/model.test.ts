import { buildSchema, parse } from 'graphql'
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { validate } from 'graphql'
import { groupsOf, queryFor, resources, type Group } from './model'

const folder = '../../graph/schema'
const text = readdirSync(folder)
  .filter((name) => name.endsWith('.graphqls'))
  .map((name) => readFileSync(`${folder}/${name}`, 'utf8'))
const schema = buildSchema([readFileSync('../../graph/schema.graphqls', 'utf8'), ...text].join('\n'), { assumeValid: true })

const groups = (query: string, data: Record<string, unknown>): Group[] => groupsOf(schema, parse(query), undefined, data)

test('a connection is one group, also with aliases', () => {
  expect(
    groups('{ best: popular { nodes { title: name at: key n: playCount cover: picture(size: W320) { href: url } } } }', {
      best: { nodes: [{ title: 'Night Bus', at: '/demo/night-bus/', n: 7, cover: { href: 'http://x/1.jpg' } }] },
    }),
  ).toEqual([
    {
      path: 'best',
      type: 'Cloudcast',
      items: [
        {
          type: 'Cloudcast',
          key: '/demo/night-bus/',
          name: 'Night Bus',
          picture: 'http://x/1.jpg',
          values: [
            ['title', 'Night Bus'],
            ['at', '/demo/night-bus/'],
            ['n', '7'],
          ],
        },
      ],
    },
  ])
})

test('edges and nodes of one connection are one group; nested objects have their own', () => {
  const found = groups('{ user(username: "demo") { username name cloudcasts { edges { cursor node { name user { name } } } } } }', {
    user: { username: 'demo', name: 'Demo', cloudcasts: { edges: [{ cursor: 'c', node: { name: 'A', user: { name: 'Demo' } } }, { cursor: 'd', node: { name: 'B', user: null } }] } },
  })
  expect(found.map(({ path, type, items }) => [path, type, items.map((i) => i.name)])).toEqual([
    ['user', 'User', ['Demo']],
    ['user.cloudcasts', 'Cloudcast', ['A', 'B']],
    ['user.cloudcasts.user', 'User', ['Demo']],
  ])
  expect(found[0]?.items[0]?.key).toBe('/demo/')
})

test('fragments apply to the type that __typename names', () => {
  const query = '{ resource(key: "/x/") { __typename key name ...U ... on Cloudcast { playCount } } } fragment U on User { city }'
  const data = { resource: { __typename: 'User', key: '/x/', name: 'X', city: 'London', playCount: 5 } }
  expect(groups(query, data)[0]?.items[0]?.values).toEqual([
    ['key', '/x/'],
    ['name', 'X'],
    ['city', 'London'],
  ])
})

test('lists of different types are different groups', () => {
  const query = '{ resources(keys: ["/a/", "/genres/b/"]) { __typename key name } }'
  const data = { resources: [{ __typename: 'User', key: '/a/', name: 'A' }, { __typename: 'Tag', key: '/genres/b/', name: 'B' }, null] }
  expect(groups(query, data).map((g) => g.type)).toEqual(['User', 'Tag'])
})

test('data without objects has no groups', () => {
  expect(groups('{ popular { totalCount nodes { name } } }', { popular: null })).toEqual([])
})

test.each([...resources])('the query for a %s is valid', (type) => {
  const { query, variables } = queryFor(type, '/x/')
  expect(validate(schema, parse(query))).toEqual([])
  expect(variables).toEqual({ key: '/x/' })
})
