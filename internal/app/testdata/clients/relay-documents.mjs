// Makes Relay documents of a schema: a fragment that refetches each type that is a Node, one that pages through each
// connection, a mutation for each field of Mutation and a subscription for each of Subscription. Compiles and runs them.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
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

// leaves are the fields of a type that take no selection and no argument that must be given.
const leaves = (type) => Object.values(type.getFields()).filter((field) => isLeafType(getNamedType(field.type)) && required(field).length === 0).map(({ name }) => name)

function nodeFragment(type) {
  const name = `all_${type.name}`
  return { kind: 'node', name, text: `fragment ${name} on ${type.name} @refetchable(queryName: "all${type.name}RefetchQuery") { ${leaves(type).join(' ')} }` }
}

// connectionFragment pages in both directions. A variable that is null gets its default from Relay, so first has none: with
// one, Relay would send first and last together. The owner of the connection is a Node, the query itself, or an object below it.
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

// selection is id and, where there is one, name, of the item of an edge.
const selection = (edge) => (getNamedType(edge.getFields().node.type).getFields().name ? 'id name' : 'id')

// pathTo is the fields that lead from the query to a type, without a list.
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
  throw new Error(`nothing leads to ${target.name}`)
}

const parameters = (field) => field.args.map((arg) => `$${arg.name}: ${arg.type}`)
const passed = (field) => field.args.map((arg) => `${arg.name}: $${arg.name}`).join(', ')

// mutation changes connections of the store by the edges and the removed ids of its payload.
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

// compile runs relay-compiler over documents in a folder. More is added to its configuration.
export function compile(folder, schema, documents, more) {
  mkdirSync(join(folder, 'src'))
  mkdirSync(join(folder, 'artifacts'))
  writeFileSync(join(folder, 'schema.graphql'), printSchema(schema))
  writeFileSync(join(folder, 'src', 'all.js'), documents.map(({ text }) => `graphql\`${text}\`\n`).join('\n'))
  const config = { src: 'src', schema: 'schema.graphql', language: 'javascript', artifactDirectory: 'artifacts', eagerEsModules: false, noSourceControl: true, ...more }
  writeFileSync(join(folder, 'relay.config.json'), JSON.stringify(config))
  const { status, stdout, stderr } = spawnSync(process.execPath, [require.resolve('relay-compiler/cli.js'), '--noWatchman', 'relay.config.json'], { cwd: folder, encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
}

// artifactsIn reads what was compiled in a folder: the artifact of a document, and the operation that it is or that refetches it.
export function artifactsIn(folder) {
  const artifact = (name) => require(join(folder, 'artifacts', `${name}.graphql.js`))
  return { artifact, operation: (name) => artifact(name).metadata?.refetch?.operation ?? artifact(name) }
}

// variablesOf are the variables that an operation needs; ids are those of the user with this id.
export function variablesOf(schema, text, id) {
  const needed = parse(text).definitions[0].variableDefinitions.filter(({ variable, type }) => type.kind === Kind.NON_NULL_TYPE || variable.name.value === 'first')
  return Object.fromEntries(needed.map(({ variable, type }) => [variable.name.value, valueOf(typeFromAST(schema, type), id)]))
}

// valueOf is an input of a type that fits: what must be given, and the key or the name of what is meant.
function valueOf(type, id) {
  if (isNonNullType(type)) return valueOf(type.ofType, id)
  if (isListType(type)) return [] // the connections of a mutation
  if (!isInputObjectType(type)) return { Int: 10, ID: id }[type.name] ?? '/spartacus/party-time/'
  const fields = Object.values(type.getFields()).filter((field) => isRequiredInputField(field) || field.name === 'key' || field.name === 'username')
  return Object.fromEntries(fields.map((field) => [field.name, field.name === 'username' ? 'spartacus' : valueOf(field.type, id)]))
}
