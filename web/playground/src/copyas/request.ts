import { getOperationAST, parse, print, separateOperations, type DocumentNode, type GraphQLSchema } from 'graphql'
import { fileFields } from '../uploads/form'

/** A file of a request: its path in the variables, such as variables.mp3, and its name. */
export interface RequestFile {
  path: string
  name: string
}

/** The request that the copied code sends. It contains no headers, and therefore no token. */
export interface Request {
  endpoint: string
  kind: 'query' | 'mutation' | 'subscription'
  query: string
  /** The name of the operation; '' if the operation has none. */
  name: string
  /** Whether the document has several operations. */
  several: boolean
  /** The variables, in which null replaces each file. */
  variables: Record<string, unknown>
  files: RequestFile[]
  /** Whether the request needs a token. */
  token: boolean
}

/** The state of the page that determines the copied request. */
export interface Source {
  endpoint: string
  schema: GraphQLSchema | null | undefined
  query: string
  operationName: string | undefined
  variables: Record<string, unknown>
  /** The names of the chosen files, by their paths. */
  chosen: ReadonlyMap<string, string>
  signedIn: boolean
}

/** Returns the request of the operation in the editor. A document that cannot be parsed counts as one query. */
export function requestOf({ endpoint, schema, query, operationName, variables, chosen, signedIn }: Source): Request {
  const document = parsed(query)
  const all = document?.definitions.filter((d) => d.kind === 'OperationDefinition') ?? []
  const operation = all.find((o) => o.name?.value === operationName) ?? all[0]
  const kind = operation?.operation ?? 'query'
  const fields = document && schema ? fileFields(schema, document, operation?.name?.value) : []
  const files = fields
    .filter(({ path, required }) => required || chosen.has(path))
    .map(({ path }) => ({ path, name: fileName(chosen.get(path), path) }))
  return {
    endpoint,
    kind,
    query,
    name: operation?.name?.value ?? '',
    several: all.length > 1,
    variables: withFiles(variables, files, () => null),
    files,
    token: signedIn || kind !== 'query',
  }
}

function parsed(query: string): DocumentNode | undefined {
  try {
    return parse(query)
  } catch {
    return undefined
  }
}

/** Returns the name of a chosen file, or a default name for the variable. */
function fileName(chosen: string | undefined, path: string): string {
  if (chosen && !/[\u0000-\u001f\u007f-\u009f/\\]/.test(chosen)) return chosen
  return path.endsWith('mp3') ? 'show.mp3' : path.endsWith('picture') ? 'cover.jpg' : 'file'
}

/** Returns a copy of the variables in which value(i) replaces the file i. */
export function withFiles(variables: Record<string, unknown>, files: readonly RequestFile[], value: (i: number) => unknown): Record<string, unknown> {
  const copy = structuredClone(variables)
  files.forEach(({ path }, i) => {
    const keys = path.split('.').slice(1)
    const last = keys.pop() ?? ''
    let at = copy
    for (const key of keys) {
      const inner = at[key]
      at = at[key] = inner !== null && typeof inner === 'object' ? (inner as Record<string, unknown>) : {}
    }
    at[last] = value(i)
  })
  return copy
}

/** Returns the body of a JSON request, or the field "operations" of a multipart request. */
export function bodyOf({ query, name, several, variables }: Request): Record<string, unknown> {
  return { query, ...(several && name && { operationName: name }), ...(Object.keys(variables).length > 0 && { variables }) }
}

/** Returns the field "map" of a multipart request. */
export const mapOf = ({ files }: Request): Record<string, string[]> => Object.fromEntries(files.map(({ path }, i) => [String(i), [path]]))

/** Returns the text of the operation and its fragments, without other operations. */
export function documentOf({ query, name, several }: Request): string {
  const document = several ? parsed(query) : undefined
  const separate = document && separateOperations(document)[name]
  return separate ? print(separate) : query.trim() + '\n'
}

/** Like documentOf, but the operation's name ends with its kind, as relay-compiler requires. Also returns the module's name. */
export function relayDocumentOf(request: Request): { text: string; module: string } {
  const suffix = request.kind[0]?.toUpperCase() + request.kind.slice(1)
  const name = request.name || 'App'
  const module = name.endsWith(suffix) && name !== suffix ? name.slice(0, -suffix.length) : name
  const document = parsed(documentOf(request))
  const operation = document && getOperationAST(document)
  if (!document || !operation) return { text: documentOf(request), module }
  const renamed = { ...operation, name: { kind: 'Name', value: module + suffix } } as typeof operation
  return { text: print({ ...document, definitions: document.definitions.map((d) => (d === operation ? renamed : d)) }) + '\n', module }
}
