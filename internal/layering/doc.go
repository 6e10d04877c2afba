// Package layering has tests of the whole repository: imports (docs/architecture.md has the
// packages), links and shell commands of documents, log events, and recordings.
package layering
