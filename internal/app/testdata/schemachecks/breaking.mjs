// Compares the schema with that of the last release, by graphql-inspector's diff. CHANGELOG.md must name each change that
// breaks clients: its path in backticks, such as `User.biog`, in the section of the unreleased version. Run from the root of
// the repository:
//
//   node internal/app/testdata/schemachecks/breaking.mjs             exit status 1 if a breaking change is not named
//   node internal/app/testdata/schemachecks/breaking.mjs --release   rewrites docs/schema/released.graphql
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { CriticalityLevel, diff } from '@graphql-inspector/core'
import { buildSchema, lexicographicSortSchema, printSchema } from 'graphql'
import { schemaText } from './schema.mjs'

const released = 'docs/schema/released.graphql'

// Returns all changes from one SDL to another, those that break clients, and those of them that a changelog does not name.
export async function breaking(before, after, changelog) {
  const changes = await diff(buildSchema(before), buildSchema(after))
  const all = changes.filter((c) => c.criticality.level === CriticalityLevel.Breaking)
  const unreleased = /^## .*\bUnreleased$([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(changelog)?.[1] ?? ''
  return { changes, all, unnamed: all.filter((c) => !unreleased.includes('`' + c.path + '`')) }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (process.argv[2] === '--release') {
    writeFileSync(released, printSchema(lexicographicSortSchema(buildSchema(schemaText()))) + '\n')
  } else {
    const { changes, all, unnamed } = await breaking(readFileSync(released, 'utf8'), schemaText(), readFileSync('CHANGELOG.md', 'utf8'))
    for (const c of unnamed) console.log(`A change breaks clients. Name \`${c.path}\` in CHANGELOG.md, in the section of the unreleased version: ${c.message}`)
    console.log(`${changes.length} changes since the last release, ${all.length} of them breaking, ${unnamed.length} not named`)
    process.exitCode = unnamed.length > 0 ? 1 : 0
  }
}
