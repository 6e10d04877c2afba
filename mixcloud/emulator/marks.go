package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// WithMarks adds the [Mark] of the token to every response to a request with a
// token: after every name, biog, description and message. A test can search for
// marks to detect data of one token in the response to another. Responses without
// such texts, such as a player, contain no mark. [Settings].Marks changes this
// later.
func WithMarks() Option {
	return func(e *Emulator) error {
		e.initial.Marks = true
		return nil
	}
}

// Mark returns a text that identifies a token but does not reveal it, such as
// ⟦m:3f9a1c05⟧. The part between the brackets is plain ASCII, so it is found in
// escaped text too.
func Mark(token string) string {
	mac := hmac.New(sha256.New, []byte("mixcloud emulator mark"))
	_, _ = mac.Write([]byte(token)) // never fails
	return "⟦m:" + hex.EncodeToString(mac.Sum(nil)[:4]) + "⟧"
}

// marked appends the mark of the call's token to a text that is not empty.
func (c *call) marked(text string) string {
	if c.mark == "" || text == "" {
		return text
	}
	return text + " " + c.mark
}
