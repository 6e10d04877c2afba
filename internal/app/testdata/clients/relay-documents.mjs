// Generates Relay documents from a schema, and compiles them: a fragment that refetches each Node type, a fragment that
// pages through each connection, a mutation for each field of Mutation, a subscription for each field of Subscription.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import {
  Kind, getNamedType, isInputObjectType, isInterfaceType, isLeafType, isListType, isNonNullType, isObjectType, isRequiredArgument, isRequiredInputField, parse, printSchema, typeFromAST,
} from 'graphql'

const require = createRequire(import.meta.url)

const nullable = (type) => (isNonNullType(type) ? type.ofType : type)
const isConnection = (type) => isObjectType(nullable(type)) && nullable(type).name.endsWith('Connection')
const required = (field) => field.args.filter(isRequiredArgument)

// documentsOf returns objects { kind, name, text }.
export function documentsOf(schema) {
  const nodes = Object.values(schema.getTypeMap()).filter((type) => (isObjectType(type) || isInterfaceType(type)) && (type.name === 'Node' || implementsNode(schema, type)))
  const owners = Object.values(schema.getTypeMap()).filter(isObjectType)
  return [
    ...nodes.map(nodeFragment),
    ...owners.flatMap((owner) => Object.values(owner.getFields()).filter((field) => isConnection(field.type)).map((field) => connectionFragment(schema, owner, field))),
    ...Object.values(schema.getMutationType().getFields()).map(mutation),
    ...Object.values(schema.getSubscriptionType().getFields()).map(subscription),
  ]
}

const implementsNode = (schema, type) => type.getInterfaces().some(({ name }) => name === 'Node')

// leaves returns the names of the scalar and enum fields without required arguments.
const leaves = (type) => Object.values(type.getFields()).filter((field) => isLeafType(getNamedType(field.type)) && required(field).length === 0).map(({ name }) => name)

function nodeFragment(type) {
  const name = `all_${type.name}`
  return { kind: 'node', name, text: `fragment ${name} on ${type.name} @refetchable(queryName: "all${type.name}RefetchQuery") { ${leaves(type).join(' ')} }` }
}

// connectionFragment pages in both directions. Relay replaces null by the default of a variable, so first has no default:
// otherwise Relay would send first together with last. The owner of the connection is a Node, Query, or reachable from Query.
function connectionFragment(schema, owner, field) {
  const path = implementsNode(schema, owner) || owner === schema.getQueryType() ? [] : pathTo(schema, owner)
  const on = path.length ? schema.getQueryType() : owner
  const name = ['all', on.name, ...path.map((step) => step.name), field.name].join('_')
  const extra = [...path.flatMap(required), ...required(field)]
  const definitions = [
    'first: { type: "Int" }', 'after: { type: "String" }', 'last: { type: "Int" }', 'before: { type: "String" }',
    ...extra.map((arg) => `${arg.name}: { type: "${arg.type}" }`),
  ]
  const given = (args) => args.map((arg) => `${arg.name}: $${arg.name}`)
  let body = `${field.name}(${['first: $first', 'after: $after', 'last: $last', 'before: $before', ...given(required(field))].join(', ')})
    @connection(key: "${name}") { edges { node { ${selection(getNamedType(getNamedType(field.type).getFields().edges.type))} } } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } }`
  for (const step of path.toReversed()) {
    body = `${step.name}${required(step).length ? `(${given(required(step)).join(', ')})` : ''} { ${body} }`
  }
  return {
    kind: 'connection', name,
    text: `fragment ${name} on ${on.name} @refetchable(queryName: "${name.replaceAll('_', '')}RefetchQuery") @argumentDefinitions(${definitions.join(', ')}) { ${body} }`,
  }
}

// selection returns the fields of an edge's node to select: id, and name if it exists.
const selection = (edge) => (getNamedType(edge.getFields().node.type).getFields().name ? 'id name' : 'id')

// pathTo returns the fields from Query to a type, without lists.
function pathTo(schema, target) {
  const seen = new Set()
  for (let paths = [[schema.getQueryType(), []]]; paths.length > 0; ) {
    const [type, path] = paths.shift()
    if (type === target) return path
    if (!isObjectType(type) || seen.has(type)) continue
    seen.add(type)
    for (const field of Object.values(type.getFields())) {
      if (!isListType(nullable(field.type))) paths.push([nullable(field.type), [...path, field]])
    }
  }
  throw new Error(`no path from Query to ${target.name}`)
}

const parameters = (field) => field.args.map((arg) => `$${arg.name}: ${arg.type}`)
const passed = (field) => field.args.map((arg) => `${arg.name}: $${arg.name}`).join(', ')

// mutation updates connections of the store with the edges and removed ids of the payload.
function mutation(field) {
  const name = `all${field.name}Mutation`
  const parts = Object.values(getNamedType(field.type).getFields()).map((part) => ({ ...part, type: getNamedType(part.type) }))
  const changes = [
    ...parts.filter(({ type }) => type.name.endsWith('Edge')).map((edge) => `${edge.name} @prependEdge(connections: $connections) { cursor node { ${selection(edge.type)} } }`),
    ...parts.filter(({ name }) => name === 'removedId').map((id) => `${id.name} @deleteEdge(connections: $connections)`),
  ]
  const plain = parts.filter(({ type, name }) => isLeafType(type) && name !== 'removedId').map((part) => part.name)
  const variables = [...parameters(field), ...(changes.length > 0 ? ['$connections: [ID!]!'] : [])]
  return {
    kind: 'mutation', name, changes: changes.length,
    text: `mutation ${name}(${variables.join(', ')}) { ${field.name}(${passed(field)}) { ${[...plain, ...changes].join(' ')} userErrors { field code message } } }`,
  }
}

function subscription(field) {
  const name = `all${field.name}Subscription`
  return { kind: 'subscription', name, text: `subscription ${name}(${parameters(field).join(', ')}) { ${field.name}(${passed(field)}) { ${leaves(getNamedType(field.type)).join(' ')} } }` }
}

// compile runs relay-compiler on documents, in a folder. More is additional configuration.
export function compile(folder, schema, documents, more) {
  mkdirSync(join(folder, 'src'))
  mkdirSync(join(folder, 'artifacts'))
  writeFileSync(join(folder, 'schema.graphql'), printSchema(schema))
  for (const { module = 'all', text } of documents) appendFileSync(join(folder, 'src', `${module}.js`), `graphql\`${text}\`\n\n`)
  const config = { src: 'src', schema: 'schema.graphql', language: 'javascript', artifactDirectory: 'artifacts', eagerEsModules: false, noSourceControl: true, ...more }
  writeFileSync(join(folder, 'relay.config.json'), JSON.stringify(config))
  const { status, stdout, stderr } = spawnSync(process.execPath, [require.resolve('relay-compiler/cli.js'), '--noWatchman', 'relay.config.json'], { cwd: folder, encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
}

// artifactsIn returns functions that read compiled artifacts: that of a document, and its operation or refetch operation.
export function artifactsIn(folder) {
  const artifact = (name) => require(join(folder, 'artifacts', `${name}.graphql.js`))
  return { artifact, operation: (name) => artifact(name).metadata?.refetch?.operation ?? artifact(name) }
}

// variablesOf returns values for the required variables of an operation; each ID is the id of a user.
export function variablesOf(schema, text, id) {
  const needed = parse(text).definitions[0].variableDefinitions.filter(({ variable, type }) => type.kind === Kind.NON_NULL_TYPE || variable.name.value === 'first')
  return Object.fromEntries(needed.map(({ variable, type }) => [variable.name.value, valueOf(typeFromAST(schema, type), id)]))
}

// valueOf returns a valid input of a type, with required fields and key or username.
function valueOf(type, id) {
  if (isNonNullType(type)) return valueOf(type.ofType, id)
  if (isListType(type)) return [] // the connections of a mutation
  if (!isInputObjectType(type)) return { Int: 10, ID: id }[type.name] ?? '/spartacus/party-time/'
  const fields = Object.values(type.getFields()).filter((field) => isRequiredInputField(field) || field.name === 'key' || field.name === 'username')
  return Object.fromEntries(fields.map((field) => [field.name, field.name === 'username' ? 'spartacus' : valueOf(field.type, id)]))
}
