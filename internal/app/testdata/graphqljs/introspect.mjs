// Loads the server's introspection and its SDL in each installed version of graphql-js, and compares the schemas.
//
//   node introspect.mjs URL SDL-FILE
//
// Prints a line for each difference and exits with 1 if there is one.
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'

const [url, sdlFile] = process.argv.slice(2)
const sdl = readFileSync(sdlFile, 'utf8')
const require = createRequire(import.meta.url)
const packages = readdirSync(new URL('node_modules', import.meta.url)).filter((name) => name.startsWith('graphql-')).sort()
let failed = false

const fail = (name, what) => {
  failed = true
  console.log(`${name}: ${what}`)
}

const major = (g) => Number(g.version.split('.')[0])

// The introspection query of this version, with all options. Version 15 requests specifiedByUrl, which was
// renamed before it was released.
const queryOf = (g) =>
  g.getIntrospectionQuery({
    descriptions: true,
    specifiedByUrl: major(g) > 15,
    directiveIsRepeatable: true,
    schemaDescription: true,
    inputValueDeprecation: true,
    oneOf: true,
  })

const execute = async (query) => {
  const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ query }) })
  const { data, errors } = await response.json()
  if (errors) throw new Error(errors.map((e) => e.message).join('; '))
  return data
}

// Returns a schema as sorted text: two schemas are equal if their texts are. Versions before 16 cannot
// introspect specifiedBy.
const textOf = (g, schema) => {
  const text = g.printSchema(g.lexicographicSortSchema(schema))
  return major(g) > 15 ? text : text.replace(/ @specifiedBy\(url: "[^"]*"\)/g, '')
}

// Returns the first difference of two texts.
const difference = (a, b) => {
  const [x, y] = [a.split('\n'), b.split('\n')]
  const at = x.findIndex((line, i) => line !== y[i])
  return a === b ? null : `line ${at + 1}: ${JSON.stringify(x[at])}, not ${JSON.stringify(y[at])}`
}

for (const name of packages) {
  try {
    const g = require(name)
    const served = g.buildClientSchema(await execute(queryOf(g)))
    for (const error of g.validateSchema(served)) fail(name, `the introspected schema is not valid: ${error.message}`)
    const text = textOf(g, served)

    // Introspection -> SDL -> introspection -> SDL.
    const again = g.buildClientSchema(g.introspectionFromSchema(g.buildSchema(g.printSchema(served))))
    const second = difference(textOf(g, again), text)
    if (second) fail(name, `SDL and introspection differ at ${second}`)

    // The SDL that the server is built of, without the directives that only the server reads. Version 14 cannot parse an
    // interface that implements another.
    if (major(g) > 14) {
      const { directives, ...config } = g.buildSchema(sdl).toConfig()
      const source = new g.GraphQLSchema({ ...config, directives: directives.filter((d) => !['cost', 'listSize'].includes(d.name)) })
      for (const error of g.validateSchema(source)) fail(name, `the SDL is not valid: ${error.message}`)
      const first = difference(text, textOf(g, source))
      if (first) fail(name, `introspection and the SDL's source differ at ${first}`)
    }

    for (const directive of served.getDirectives()) {
      for (const location of directive.locations) {
        if (!(location in g.DirectiveLocation)) fail(name, `@${directive.name} has the unknown location ${location}`)
      }
    }
    for (const type of Object.values(served.getTypeMap())) {
      if (type instanceof g.GraphQLInterfaceType && served.getPossibleTypes(type).some((t) => !(t instanceof g.GraphQLObjectType))) {
        fail(name, `${type} has a possible type that is no object`)
      }
    }
    console.log(`${name}: ${g.version}, ${Object.keys(served.getTypeMap()).length} types`)
  } catch (error) {
    fail(name, error.stack)
  }
}
if (packages.length < 5) fail('node_modules', `only ${packages.length} versions are installed: run npm ci`)
process.exit(failed ? 1 : 0)
