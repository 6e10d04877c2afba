// Package markdown reads the code blocks of Markdown documents and the shell
// commands in them, for the tests that run the examples of the documentation.
package markdown

import "strings"

// A Block is a fenced code block.
type Block struct {
	Language   string // the word after the opening fence
	Comment    string // the text of an HTML comment directly before the block
	Text       string
	Line       int // the line number of Text's first line
	Start, End int // the offsets of Text in the document
}

// Blocks returns the fenced code blocks of a document.
func Blocks(document string) []Block {
	const fence = "```"
	var blocks []Block
	var open *Block
	comment, offset, number := "", 0, 0
	for line := range strings.Lines(document) {
		number++
		begin := offset
		offset += len(line)
		text := strings.TrimSpace(line)
		switch {
		case open != nil && text == fence:
			open.End = begin
			open.Text = document[open.Start:open.End]
			blocks = append(blocks, *open)
			open, comment = nil, ""
		case open != nil, text == "":
		case strings.HasPrefix(text, fence):
			open = &Block{Language: text[len(fence):], Comment: comment, Line: number + 1, Start: offset}
		default:
			comment = ""
			if inner, found := strings.CutPrefix(text, "<!--"); found {
				comment = strings.TrimSpace(strings.TrimSuffix(inner, "-->"))
			}
		}
	}
	return blocks
}
