import { expect, test } from 'vitest'
import { problemOf, tokenOf } from './account'

test.each([
  ['  abc-1.2 \n', 'abc-1.2'],
  ['Bearer abc', 'abc'],
  ['authorization:  bearer abc', 'abc'],
  ['two words', ''],
  ['café', ''],
  ['  ', ''],
])('tokenOf(%j)', (text, want) => {
  expect(tokenOf(text)).toBe(want)
})

test('problemOf returns the reason why there is no user', () => {
  const error = (code: string, message: string) => ({ status: 200, body: { data: { viewer: null }, errors: [{ message, extensions: { code } }] } })
  expect(problemOf({ status: 200, body: { data: { viewer: { name: 'N' } } } }, true)).toBe('')
  expect(problemOf({ status: 200, body: { data: { viewer: null } } }, false)).toBe('')
  expect(problemOf({ status: 200, body: { data: { viewer: null } } }, true)).toContain('no user')
  expect(problemOf(error('UNAUTHENTICATED', 'x'), true)).toContain('this token')
  expect(problemOf(error('UNAUTHENTICATED', 'x'), false)).toContain('sign in again')
  expect(problemOf(error('UPSTREAM_UNAVAILABLE', 'Mixcloud does not respond.'), true)).toContain('Mixcloud does not respond.')
  expect(problemOf({ status: 502, body: null }, false)).toContain('502')
})
