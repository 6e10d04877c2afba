// Writes one line of JSON for each test, from which internal/app/playground_test.go makes subtests.
const summary = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/

export default async function* reporter(source) {
  let latest = null // its notes follow it
  for await (const { type, data } of source) {
    if (type === 'test:diagnostic' && latest && !summary.test(data.message)) latest.notes.push(data.message)
    if ((type !== 'test:pass' && type !== 'test:fail') || data.nesting > 0) continue
    if (latest) yield JSON.stringify(latest) + '\n'
    const error = data.details.error
    latest = { name: data.name, error: error ? String(error.cause?.stack ?? error.cause ?? error.stack ?? error) : '', notes: [] }
  }
  if (latest) yield JSON.stringify(latest) + '\n'
}
