// Compresses the built files into internal/playground/bundle, from which Go embeds them. A file whose content is unchanged
// is not written, so that another version of zlib changes nothing. Run by "npm run build".
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'

const from = 'dist'
const to = '../../internal/playground/bundle'

mkdirSync(to, { recursive: true })
const built = readdirSync(from)
for (const name of readdirSync(to)) if (!built.includes(name.replace(/\.gz$/, ''))) rmSync(join(to, name))
let raw = 0
let compressed = 0
for (const name of built) {
  const content = readFileSync(join(from, name))
  const target = join(to, name + '.gz')
  let old
  try {
    old = readFileSync(target)
  } catch {}
  if (!old || !gunzipSync(old).equals(content)) writeFileSync(target, gzipSync(content, { level: 9 }))
  raw += content.length
  compressed += readFileSync(target).length
}
console.log(`${built.length} files, ${raw} bytes, ${compressed} compressed`)
