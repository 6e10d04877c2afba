import { parse } from 'graphql'
import { describe, expect, test } from 'vitest'
import { inJSON, inQuery } from './locate'
import { criticalPath, fieldOf, traceOf, type TracedCall } from './model'

const call = (path: string, startMs: number, durationMs: number): TracedCall => ({ method: 'GET', path, outcome: 'call', startMs, waitMs: 0, durationMs })

describe('criticalPath', () => {
  test('is the chain of calls that ends last', () => {
    const calls = [call('/a/', 0, 100), call('/b/', 0, 50), call('/c/', 100, 30), call('/d/', 100, 80), call('/hit/', 180, 0)]
    expect([...criticalPath({ calls, fields: [] })].map((c) => c.path)).toEqual(['/d/', '/a/'])
  })
  test('stays in one root field', () => {
    const calls = [call('/popular/', 0, 90), call('/user/', 0, 100), call('/owner/', 100, 80)]
    const fields = [
      { path: ['popular'], startMs: 0, durationMs: 90 },
      { path: ['user'], startMs: 0, durationMs: 100 },
      { path: ['popular', 'nodes', 0, 'user', 'biog'], startMs: 95, durationMs: 85 },
    ]
    expect([...criticalPath({ calls, fields })].map((c) => c.path)).toEqual(['/owner/', '/popular/'])
  })
  test('is empty without calls', () => expect(criticalPath({ calls: [], fields: [] }).size).toBe(0))
})

test('fieldOf returns the narrowest field around a call', () => {
  const fields = [
    { path: ['user'], startMs: 0, durationMs: 100 },
    { path: ['user', 'cloudcasts'], startMs: 100, durationMs: 60 },
    { path: ['user', 'followers'], startMs: 100, durationMs: 90 },
  ]
  expect(fieldOf(call('/x/', 100, 60), fields)?.path).toEqual(['user', 'cloudcasts'])
  expect(fieldOf(call('/x/', 500, 60), fields)).toBeUndefined()
})

test('traceOf accepts only traces', () => {
  expect(traceOf(undefined)).toBeNull()
  expect(traceOf({ calls: [] })).toBeNull()
  expect(traceOf({ durationMs: 1, calls: [], fields: [] })).not.toBeNull()
})

test('inQuery finds aliased fields and fields in fragments', () => {
  const query = 'query A { b: user(username: "x") { ...F } } fragment F on User { cloudcasts { nodes { name } } }'
  const at = (path: (string | number)[]) => {
    const span = inQuery(parse(query), 'A', path)
    return span && query.slice(span.start, span.end)
  }
  expect(at(['b'])).toBe('b: user')
  expect(at(['b', 'cloudcasts', 'nodes', 3, 'name'])).toBe('name')
  expect(at(['user'])).toBeNull()
})

test('inJSON finds members and elements', () => {
  const text = JSON.stringify({ errors: [{ path: ['a'] }], data: { 'a"b': [{ n: 1 }, { n: [5, 6] }], n: '{"n":1}' } }, null, 2)
  const at = (...path: (string | number)[]) => {
    const span = inJSON(text, path)
    return span && text.slice(span.start).replace(/\s+/g, '').slice(0, 6)
  }
  expect(at('data', 'a"b', 1, 'n')).toBe('"n":[5')
  expect(at('data', 'a"b', 1, 'n', 0)).toBe('5,6]}]')
  expect(at('data', 'a"b', 1, 'n', 1)).toBe('6]}],"')
  expect(at('data', 'a"b', 0, 'n')).toBe('"n":1}')
  expect(at('data', 'n')).toBe('"n":"{')
  expect(at('data', 'x')).toBeNull()
})
