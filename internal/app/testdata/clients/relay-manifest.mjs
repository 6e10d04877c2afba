// Compiles the documents of relay-documents.mjs into a manifest: WORK/persisted.json.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildClientSchema } from 'graphql'
import { compile, documentsOf } from './relay-documents.mjs'
import { introspection } from './support.mjs'

const schema = buildClientSchema(await introspection())
mkdirSync(process.env.WORK, { recursive: true })
writeFileSync(join(process.env.WORK, 'persisted.json'), '{}') // relay-compiler adds operations to an existing file
compile(process.env.WORK, schema, documentsOf(schema), { persistConfig: { file: 'persisted.json' } })
