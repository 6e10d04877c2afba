// Generates documents from the schema and compiles them with relay-compiler. This checks that Relay can use the whole
// schema:
//
//   - each object type that implements Node is @refetchable
//   - each connection works with @connection, and is @refetchable if its owner is
//   - each edge in a payload works with @prependEdge, each removedId with @deleteEdge
//
// Run from the root of the repository: node internal/app/testdata/schemachecks/relay.mjs
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSchema, getNamedType, isNonNullType, isObjectType, printSchema } from 'graphql'
import { schemaText } from './schema.mjs'

const module = 'Generated' // Relay requires each name to begin with the name of its file
const capital = (name) => name[0].toUpperCase() + name.slice(1)

const isNode = (type) => isObjectType(type) && type.getInterfaces().some((i) => i.name === 'Node')
const isConnection = (field) => field.type.toString().endsWith('Connection')
const isEdge = (field) => field.type.toString().endsWith('Edge')

// Returns a variable for each required argument of a field: the declarations and the arguments.
function required(field) {
  const args = field.args.filter((a) => isNonNullType(a.type) && a.defaultValue === undefined)
  return { declared: args.map((a) => `$${a.name}: ${a.type}`), given: args.map((a) => `${a.name}: $${a.name}`) }
}

const call = (name, given) => name + (given.length > 0 ? `(${given.join(', ')})` : '')
const query = (name, declared, selection) => `query ${call(module + name + 'Query', declared)} { ${selection} }`
const connection = (owner, field, given) =>
  `${call(field.name, given)} @connection(key: "${module}_${owner}_${field.name}") { edges { node { __typename } } }`

function refetchable(type) {
  return `fragment ${module}_${type.name} on ${type.name} @refetchable(queryName: "${module}${type.name}RefetchQuery") { id }`
}

// A connection of Query or of a Node: Relay pages it by refetching its owner.
function paged(owner, field) {
  const { declared, given } = required(field)
  if (declared.length > 0) throw new Error(`${owner}.${field.name} has required arguments`)
  return `fragment ${module}_${owner}_${field.name} on ${owner}
    @refetchable(queryName: "${module}${owner}${capital(field.name)}RefetchQuery")
    @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" }) {
      ${connection(owner, field, ['first: $count', 'after: $cursor', ...given])}
    }`
}

// A connection of another object: below the root field that returns the object.
function underRoot(schema, owner, field) {
  const root = Object.values(schema.getQueryType().getFields()).find((f) => getNamedType(f.type) === owner)
  if (!root) throw new Error(`${owner.name} has the connection ${field.name}, but is not a Node, and no root field returns it`)
  const { declared, given } = required(root)
  return query(owner.name + capital(field.name), declared, `${call(root.name, given)} { ${connection(owner.name, field, ['first: 10'])} }`)
}

function mutation(field) {
  const { declared, given } = required(field)
  const payload = Object.values(getNamedType(field.type).getFields())
  const selection = [
    ...payload.filter(isEdge).map((f) => `${f.name} @prependEdge(connections: $connections) { node { id } }`),
    ...payload.filter((f) => f.name === 'removedId').map((f) => `${f.name} @deleteEdge(connections: $connections)`),
  ]
  if (selection.length === 0) return []
  return [
    `mutation ${module}${capital(field.name)}Mutation(${['$connections: [ID!]!', ...declared].join(', ')}) {
      ${call(field.name, given)} { ${selection.join(' ')} }
    }`,
  ]
}

const schema = buildSchema(schemaText())
const types = Object.values(schema.getTypeMap()).filter((t) => isObjectType(t) && !t.name.startsWith('__'))
const nodes = types.filter(isNode)
const owners = types.flatMap((t) => Object.values(t.getFields()).filter(isConnection).map((field) => ({ owner: t, field })))
const pageable = ({ owner }) => isNode(owner) || owner === schema.getQueryType()
const mutations = Object.values(schema.getMutationType().getFields()).flatMap(mutation)
const documents = [
  ...nodes.map(refetchable),
  ...owners.filter(pageable).map(({ owner, field }) => paged(owner.name, field)),
  ...owners.filter((o) => !pageable(o)).map(({ owner, field }) => underRoot(schema, owner, field)),
  ...mutations,
]

const folder = mkdtempSync(join(tmpdir(), 'relay-'))
try {
  mkdirSync(join(folder, 'src'))
  writeFileSync(join(folder, 'schema.graphql'), printSchema(schema))
  writeFileSync(join(folder, 'package.json'), '{}')
  writeFileSync(join(folder, 'relay.config.json'), JSON.stringify({ src: './src', schema: './schema.graphql', language: 'javascript' }))
  const text = documents.map((d) => 'graphql`\n' + d + '\n`\n').join('\n')
  writeFileSync(join(folder, 'src', module + '.js'), "import { graphql } from 'relay-runtime'\n\n" + text)
  const compiler = fileURLToPath(new URL('node_modules/relay-compiler/cli.js', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, 'relay.config.json'], { cwd: folder, encoding: 'utf8' })
  const artifacts = status === 0 ? readdirSync(join(folder, 'src', '__generated__')).length : 0
  if (artifacts < documents.length) {
    console.log(stdout + stderr)
    process.exitCode = 1
  }
  console.log(`relay-compiler: ${nodes.length} types, ${owners.length} connections and ${mutations.length} mutations; ${artifacts} artifacts`)
} finally {
  rmSync(folder, { recursive: true })
}
