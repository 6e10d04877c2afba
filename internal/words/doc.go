// Package words checks the language of the project: its test fails if a
// comment, a string literal, an identifier, a document or the schema contains
// an expression that banned.txt lists. Each line of banned.txt names the
// plain alternative. The package consists only of its test.
//
// Not checked: generated code, testdata, and the texts of the emulator's
// seeded world, which imitate people.
package words
