import { isInputObjectType, isNonNullType, isScalarType, typeFromAST, type DocumentNode, type GraphQLInputType, type GraphQLSchema } from 'graphql'
import type { Operation } from '../api'
import { operationOf } from '../document'

/** A value in an operation's variables that is a file. Its path is, for example, variables.mp3 or variables.input.mp3. */
export interface FileField {
  path: string
  required: boolean
}

/** Returns the values in an operation's variables that are files, including those in input objects. The schema has no lists of files. */
export function fileFields(schema: GraphQLSchema, document: DocumentNode, operationName: string | undefined): FileField[] {
  const operation = operationOf(document, operationName)
  const fields: FileField[] = []
  for (const definition of operation?.variableDefinitions ?? []) {
    const type = typeFromAST(schema, definition.type as Parameters<typeof typeFromAST>[1]) as GraphQLInputType | undefined
    if (type) collect(type, 'variables.' + definition.variable.name.value, [], fields)
  }
  return fields
}

function collect(type: GraphQLInputType, path: string, above: string[], fields: FileField[]): void {
  const inner = isNonNullType(type) ? type.ofType : type
  if (isScalarType(inner) && inner.name === 'Upload') fields.push({ path, required: isNonNullType(type) })
  if (!isInputObjectType(inner) || above.includes(inner.name)) return
  for (const field of Object.values(inner.getFields())) collect(field.type, `${path}.${field.name}`, [...above, inner.name], fields)
}

/**
 * Returns the form of a GraphQL multipart request: https://github.com/jaydenseric/graphql-multipart-request-spec. In the variables,
 * null replaces each file.
 */
export function formOf(operation: Operation, files: ReadonlyMap<string, File>): FormData {
  const variables = structuredClone(operation.variables ?? {})
  const map: Record<string, string[]> = {}
  let i = 0
  for (const path of files.keys()) {
    setNull(variables, path.split('.').slice(1))
    map[String(i++)] = [path]
  }
  const form = new FormData()
  form.set('operations', JSON.stringify({ ...operation, variables }))
  form.set('map', JSON.stringify(map))
  i = 0
  for (const file of files.values()) form.set(String(i++), file, file.name)
  return form
}

function setNull(target: Record<string, unknown>, [key, ...rest]: string[]): void {
  if (key === undefined) return
  if (rest.length === 0) {
    target[key] = null
    return
  }
  const inner = target[key]
  const next = inner !== null && typeof inner === 'object' ? (inner as Record<string, unknown>) : {}
  target[key] = next
  setNull(next, rest)
}

/** Returns the uploadId that the variables contain at any depth, or ''. */
export function uploadIdOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return ''
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'uploadId' && typeof inner === 'string') return inner
    const found = uploadIdOf(inner)
    if (found) return found
  }
  return ''
}
