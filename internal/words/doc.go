// Package words checks the language of the project: its test fails if a
// comment, a text, an identifier, a document or the schema contains an
// expression that banned.txt lists. Each line there names the plain
// alternative. The package has no code outside of its test.
//
// Not checked: generated code, testdata, and the texts of the emulator's
// seeded world, which imitate people.
package words
