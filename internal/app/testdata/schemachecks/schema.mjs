// Returns the SDL that clients see: the sources of the schema without the directives for the cost estimator. Call it from
// the root of the repository.
import { readFileSync, readdirSync } from 'node:fs'
import { parse, print, visit } from 'graphql'

const internal = ['cost', 'listSize']
const dropInternal = (node) => (internal.includes(node.name.value) ? null : undefined)

export function schemaText() {
  const files = readdirSync('graph/schema').filter((f) => f.endsWith('.graphqls'))
  const text = ['graph/schema.graphqls', ...files.map((f) => 'graph/schema/' + f)].map((f) => readFileSync(f, 'utf8')).join('\n')
  return print(visit(parse(text), { Directive: dropInternal, DirectiveDefinition: dropInternal }))
}
