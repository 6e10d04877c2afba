package process

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// A Request is a line of an emulator's journal.
type Request struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Query  string `json:"query"`  // without a token
	Status int    `json:"status"` // 0 while there is none
}

// Journal is what the emulator at a base URL was asked since it began or forgot,
// in the order in which it was asked.
func Journal(ctx context.Context, emulator string) (made []Request, err error) {
	return made, Control(ctx, emulator, http.MethodGet, "requests", nil, &made)
}

// Forget empties the emulator's journal.
func Forget(ctx context.Context, emulator string) error {
	return Control(ctx, emulator, http.MethodDelete, "requests", nil, nil)
}

// Control asks the control of the emulator at a base URL: what is one of its
// paths, such as "settings", send what is sent as JSON, and into takes the answer;
// nil for neither.
func Control(ctx context.Context, emulator, method, what string, send, into any) error {
	var body io.Reader
	if send != nil {
		text, err := json.Marshal(send)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, emulator+"/__emulator/"+what, body)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the emulator's %s answers with status %d", what, resp.StatusCode)
	}
	if into == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
