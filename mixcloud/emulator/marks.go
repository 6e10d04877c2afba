package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// WithMarks makes every answer to a request with a token carry the token's
// [Mark], see [Settings].Marks: behind every name, biog, description and message
// in it. What was meant for one token is so found in an answer to another by
// searching for the mark. Only an answer without any of these, such as a list of
// sections or a player, has none.
func WithMarks() Option {
	return func(e *Emulator) error {
		e.initial.Marks = true
		return nil
	}
}

// Mark is the text that stands for a token: always the same for one token, and
// no way back to it. It looks like ⟦m:3f9a1c05⟧; the part between the brackets is
// plain ASCII, and found in escaped text too.
func Mark(token string) string {
	mac := hmac.New(sha256.New, []byte("mixcloud emulator mark"))
	_, _ = mac.Write([]byte(token)) // never fails
	return "⟦m:" + hex.EncodeToString(mac.Sum(nil)[:4]) + "⟧"
}

// marked puts the mark of the call's token behind a text; what is empty stays so.
func (c *call) marked(text string) string {
	if c.mark == "" || text == "" {
		return text
	}
	return text + " " + c.mark
}
