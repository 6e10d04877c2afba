// Package layering holds the rule that imports point downwards, as a test: see
// docs/architecture.md for the picture.
package layering
