import { describe, expect, test } from 'vitest'
import { applyFits, type Fits } from './fix'

const fits = (more: Partial<Fits>): Fits => ({ path: 'popular', argument: 'first', size: 3, ...more })

describe('applyFits', () => {
  test.each<[string, string, string, Partial<Fits>]>([
    ['replaces the argument', '{ popular(first: 100) { nodes { name } } }', '{ popular(first: 3) { nodes { name } } }', {}],
    ['adds the argument', '{ popular { nodes { name } } }', '{ popular(first: 3) { nodes { name } } }', {}],
    ['adds it to others', '{ popular(offset: 1) { nodes { name } } }', '{ popular(offset: 1, first: 3) { nodes { name } } }', {}],
    ['finds aliases', '{ a: popular { nodes { name } } popular: hot { edges { cursor } } }', '{ a: popular { nodes { name } } popular: hot(first: 3) { edges { cursor } } }', {}],
    ['follows paths', '{ user(username: "x") { cloudcasts(first: 9) { nodes { key } } } }', '{ user(username: "x") { cloudcasts(first: 3) { nodes { key } } } }', { path: 'user.cloudcasts' }],
    ['changes all paths', '{ hot(first: 9) { nodes { key } } new(first: 9) { nodes { key } } }', '{ hot(first: 3) { nodes { key } } new(first: 3) { nodes { key } } }', { path: 'hot', paths: ['hot', 'new'] }],
    ['follows fragments', 'query { ...F } fragment F on Query { popular(first: 9) { nodes { key } } }', 'query { ...F } fragment F on Query { popular(first: 3) { nodes { key } } }', {}],
    ['keeps comments', '{\n  # all\n  popular(first: 100) { nodes { name } }\n}', '{\n  # all\n  popular(first: 3) { nodes { name } }\n}', {}],
  ])('%s', (_name, query, want, more) => {
    expect(applyFits(query, {}, undefined, fits(more))).toEqual({ query: want, variables: {} })
  })

  test('sets the variable', () => {
    const query = 'query Q($n: Int) { popular(first: $n) { nodes { name } } }'
    expect(applyFits(query, { n: 100, x: 1 }, 'Q', fits({ variable: 'n' }))).toEqual({ query, variables: { n: 3, x: 1 } })
  })

  test('chooses the operation by its name', () => {
    const query = 'query A { popular { nodes { key } } } query B { popular(first: 9) { nodes { key } } }'
    expect(applyFits(query, {}, 'B', fits({}))?.query).toBe('query A { popular { nodes { key } } } query B { popular(first: 3) { nodes { key } } }')
  })

  test('returns null if the query no longer contains the field', () => {
    expect(applyFits('{ hot { nodes { key } } }', {}, undefined, fits({}))).toBeNull()
  })
})
