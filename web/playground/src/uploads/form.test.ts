import { buildSchema, parse } from 'graphql'
import { expect, test } from 'vitest'
import { fileFields, formOf, uploadIdOf } from './form'

const schema = buildSchema(`
  scalar Upload
  input Cover { file: Upload, again: Cover }
  input Show { mp3: Upload!, cover: Cover, name: String! }
  type Query { a: Int }
  type Mutation { upload(input: Show!): Int }
`)

test('fileFields finds variables and members of input objects', () => {
  const fields = (query: string, name?: string) => fileFields(schema, parse(query), name)
  expect(fields('mutation ($mp3: Upload!, $name: String!) { upload(input: {mp3: $mp3, name: $name}) }')).toEqual([{ path: 'variables.mp3', required: true }])
  expect(fields('mutation ($show: Show!) { upload(input: $show) }')).toEqual([
    { path: 'variables.show.mp3', required: true },
    { path: 'variables.show.cover.file', required: false },
  ])
  expect(fields('query A { a } mutation B($mp3: Upload) { upload(input: {mp3: $mp3, name: ""}) }', 'B')).toEqual([{ path: 'variables.mp3', required: false }])
  expect(fields('{ a }')).toEqual([])
})

test('formOf follows the specification of multipart requests', async () => {
  const operation = { query: 'mutation', variables: { show: { name: 'N' } } }
  const form = formOf(operation, new Map([['variables.show.mp3', new File(['abc'], 'a.mp3')], ['variables.show.cover.file', new File(['d'], 'b.png')]]))
  expect([...form.keys()]).toEqual(['operations', 'map', '0', '1'])
  expect(JSON.parse(String(form.get('operations')))).toEqual({ query: 'mutation', variables: { show: { name: 'N', mp3: null, cover: { file: null } } } })
  expect(JSON.parse(String(form.get('map')))).toEqual({ 0: ['variables.show.mp3'], 1: ['variables.show.cover.file'] })
  expect(await (form.get('0') as File).text()).toBe('abc')
  expect(operation.variables).toEqual({ show: { name: 'N' } })
})

test('uploadIdOf looks into input objects', () => {
  expect(uploadIdOf({ input: { uploadId: 'x-1' } })).toBe('x-1')
  expect(uploadIdOf({ uploadId: 5, list: [{ uploadId: 'y' }] })).toBe('y')
  expect(uploadIdOf(null)).toBe('')
})
