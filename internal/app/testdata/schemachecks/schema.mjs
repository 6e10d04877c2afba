// The text of the schema that the server is built of. Call it from the root of the repository.
import { readFileSync, readdirSync } from 'node:fs'

export function schemaText() {
  const files = readdirSync('graph/schema').filter((f) => f.endsWith('.graphqls'))
  return ['graph/schema.graphqls', ...files.map((f) => 'graph/schema/' + f)].map((f) => readFileSync(f, 'utf8')).join('\n')
}
