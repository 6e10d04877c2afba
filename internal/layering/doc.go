// Package layering contains tests of the whole repository: imports between packages, links and
// shell commands in documents, log events, decision records and recordings.
package layering
