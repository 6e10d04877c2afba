package process

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// A Request is a request that an emulator has received.
type Request struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Query  string `json:"query"`  // without the token
	Status int    `json:"status"` // 0 before the response
}

// Requests returns the requests that the emulator at a base URL has received since its start or the
// last ClearRequests, in order.
func Requests(ctx context.Context, emulator string) (requests []Request, err error) {
	return requests, Control(ctx, emulator, http.MethodGet, "requests", nil, &requests)
}

// ClearRequests clears the emulator's list of requests.
func ClearRequests(ctx context.Context, emulator string) error {
	return Control(ctx, emulator, http.MethodDelete, "requests", nil, nil)
}

// Control sends a request to the control API of the emulator at a base URL. path is the path in
// that API, such as "settings". The parameter send is the body, which is encoded as JSON; into
// receives the decoded response. Both may be nil.
func Control(ctx context.Context, emulator, method, path string, send, into any) error {
	var body io.Reader
	if send != nil {
		text, err := json.Marshal(send)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, emulator+"/__emulator/"+path, body)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("emulator: %s %s: status %d", method, path, resp.StatusCode)
	}
	if into == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
