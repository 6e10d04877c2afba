import {
  getNamedType,
  isAbstractType,
  isCompositeType,
  isObjectType,
  Kind,
  type DocumentNode,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql'
import { operationOf } from '../document'

/** An object of a response that the view shows. */
export interface Item {
  /** The name of the object's type in the schema. */
  type: string
  /** The object's key, such as /spartacus/; '' if the response does not contain one. */
  key: string
  /** The object's name, or the most descriptive text that the response contains. */
  name: string
  /** The URL of the object's picture; '' if the response does not contain one. */
  picture: string
  /** The object's scalar fields, by their response keys. */
  values: [string, string][]
}

/** The objects of one type at one path of the response, such as user.cloudcasts. Each key occurs once. */
export interface Group {
  path: string
  type: string
  items: Item[]
}

/** The types of objects that have a page on mixcloud.com. */
export const resources = new Set(['User', 'Cloudcast', 'Tag', 'City', 'Category', 'Playlist', 'Artist', 'Track'])

/** Types for which the view shows the members instead of the object itself. */
const transparent = /(Connection|Edge|Payload)$|^(Query|Mutation|Subscription|PageInfo|Picture|Discovery|Search)$/

/** The maximum number of objects of a group that the view shows. */
export const shown = 200

/** Finds the objects in the data of a response. The operation determines their types, also for aliased fields. */
export function groupsOf(schema: GraphQLSchema, document: DocumentNode, operationName: string | null | undefined, data: Record<string, unknown>): Group[] {
  const operation = operationOf(document, operationName)
  const root = operation && schema.getRootType(operation.operation)
  if (!operation || !root) return []
  const groups = new Map<string, Group>()
  new Walk(schema, document, groups).object(root, [operation.selectionSet], data, [])
  return [...groups.values()]
}

type Fields = Map<string, FieldNode[]>

class Walk {
  constructor(
    readonly schema: GraphQLSchema,
    readonly document: DocumentNode,
    readonly groups: Map<string, Group>,
  ) {}

  object(declared: GraphQLCompositeType, selections: SelectionSetNode[], value: Record<string, unknown>, path: string[]): void {
    const fields: Fields = new Map()
    const type = this.typeOf(declared, selections, value)
    for (const selection of selections) this.collect(type, selection, fields)
    if (!transparent.test(type.name) && path.length > 0) this.add(type, fields, value, path)
    for (const [key, nodes] of fields) {
      const definition = 'getFields' in type ? type.getFields()[nodes[0]?.name.value ?? ''] : undefined
      const inner = definition && getNamedType(definition.type)
      if (!isCompositeType(inner)) continue
      const sets = nodes.flatMap((node) => (node.selectionSet ? [node.selectionSet] : []))
      const below = key === 'nodes' || key === 'edges' || key === 'node' ? path : [...path, key]
      for (const member of [value[key]].flat()) if (isObject(member)) this.object(inner, sets, member, below)
    }
  }

  /** Returns the type of an object: __typename if the response contains it, otherwise the declared type. */
  typeOf(declared: GraphQLCompositeType, selections: SelectionSetNode[], value: Record<string, unknown>): GraphQLCompositeType {
    if (!isAbstractType(declared)) return declared
    const names: Fields = new Map()
    for (const selection of selections) this.collect(declared, selection, names)
    const key = [...names].find(([, nodes]) => nodes[0]?.name.value === '__typename')?.[0]
    const named = key === undefined ? undefined : this.schema.getType(String(value[key]))
    return isObjectType(named) ? named : declared
  }

  /** Adds the fields of a selection set that apply to a type, by their response keys. */
  collect(type: GraphQLCompositeType, { selections }: SelectionSetNode, fields: Fields): void {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const key = (selection.alias ?? selection.name).value
        fields.set(key, [...(fields.get(key) ?? []), selection])
        continue
      }
      const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : this.fragment(selection.name.value)
      if (fragment && this.applies(type, fragment.typeCondition?.name.value)) this.collect(type, fragment.selectionSet, fields)
    }
  }

  fragment(name: string) {
    return this.document.definitions.find((d) => d.kind === Kind.FRAGMENT_DEFINITION && d.name.value === name) as Extract<DocumentNode['definitions'][number], { kind: Kind.FRAGMENT_DEFINITION }> | undefined
  }

  applies(type: GraphQLCompositeType, condition: string | undefined): boolean {
    if (condition === undefined || condition === type.name) return true
    const wanted = this.schema.getType(condition)
    return isAbstractType(wanted) && !isAbstractType(type) && this.schema.isSubType(wanted, type)
  }

  add(type: GraphQLCompositeType, fields: Fields, value: Record<string, unknown>, path: string[]): void {
    const item: Item = { type: type.name, key: '', name: '', picture: '', values: [] }
    let username = ''
    for (const [key, nodes] of fields) {
      const field = nodes[0]?.name.value
      const member = value[key]
      if (field === 'key' && typeof member === 'string') item.key = member
      else if (field === 'username' && typeof member === 'string') username = member
      else if (field === 'name' && typeof member === 'string') item.name = member
      else if (field === 'picture' || field === 'pictures') item.picture ||= pictureOf(nodes, [member].flat())
      if (isScalar(member) && field !== '__typename' && field !== 'id') item.values.push([key, String(member)])
    }
    item.key ||= username && type.name === 'User' ? `/${username}/` : ''
    item.name ||= username || item.key || item.values[0]?.[1] || ''
    if (!item.name && !item.picture) return
    const place = path.join('.')
    const group = this.groups.get(place + ' ' + type.name) ?? { path: place, type: type.name, items: [] }
    if (!item.key || !group.items.some((other) => other.key === item.key)) group.items.push(item)
    this.groups.set(place + ' ' + type.name, group)
  }
}

/** Returns the URL of a picture, or of the largest of several pictures. `url` may have another response key. */
function pictureOf(nodes: FieldNode[], pictures: unknown[]): string {
  const keys = nodes.flatMap((node) => node.selectionSet?.selections ?? []).flatMap((s) => (s.kind === Kind.FIELD && s.name.value === 'url' ? [(s.alias ?? s.name).value] : []))
  const addresses = pictures.flatMap((picture) => (isObject(picture) ? keys.map((key) => picture[key]) : []))
  return addresses.findLast((address): address is string => typeof address === 'string') ?? ''
}

const isObject = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value)
const isScalar = (value: unknown): value is string | number | boolean => ['string', 'number', 'boolean'].includes(typeof value)

/** Returns a query for the resource with a key, to open in a new tab. */
export function queryFor(type: string, key: string): { query: string; variables: Record<string, unknown> } {
  return { query: queries[type] ?? queries.Resource ?? '', variables: { key } }
}

const queries: Record<string, string> = {
  User: `query User($key: String!) {
  resource(key: $key) {
    key
    name
    ... on User {
      city
      biog
      followerCount
      picture(size: W320) { url }
      cloudcasts(first: 10) {
        nodes { key name createdAt picture(size: W320) { url } }
      }
    }
  }
}
`,
  Cloudcast: `query Cloudcast($key: String!) {
  cloudcast(key: $key) {
    key
    name
    description
    createdAt
    playCount
    audioLength
    picture(size: W640) { url }
    user { key name }
    tags { key name }
  }
}
`,
  Resource: `query Resource($key: String!) {
  resource(key: $key) {
    __typename
    key
    name
    url
    ... on Tag { popular(first: 10) { nodes { key name picture(size: W320) { url } } } }
    ... on City { popular(first: 10) { nodes { key name picture(size: W320) { url } } } }
    ... on Category { cloudcasts(first: 10) { nodes { key name picture(size: W320) { url } } } }
    ... on Playlist { cloudcasts(first: 10) { nodes { key name picture(size: W320) { url } } } }
    ... on Artist { popular(first: 10) { nodes { key name picture(size: W320) { url } } } }
    ... on Track { popular(first: 10) { nodes { key name picture(size: W320) { url } } } }
  }
}
`,
}
