package app

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
)

// An operation that computes until its time runs out, and waits for nothing, does not blame Mixcloud, and has one error.
func TestDeadline_OwnComputing(t *testing.T) {
	t.Parallel()
	var keys strings.Builder
	for i := range 900 {
		fmt.Fprintf(&keys, " a%d: key", i)
	}
	const warm = `{ popular(first: 100) { nodes { key } } }`
	large := "{ popular(first: 100) { nodes { " + keys.String() + " user { " + keys.String() + " } } } }"
	// Less time in each round, until it does not suffice: first for computing, as that takes most of it.
	for timeout := 1024 * time.Millisecond; timeout > time.Millisecond; timeout /= 2 {
		a, err := New(config.Serve{Demo: true, PublicURL: "http://127.0.0.1:8080", RequestTimeout: timeout}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ask := func(query string) (status int, data json.RawMessage, errs []errorOf) {
			text, err := json.Marshal(map[string]string{"query": query})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(string(text)))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", "application/graphql-response+json")
			rec := httptest.NewRecorder()
			a.ServeHTTP(rec, r)
			var body struct {
				Data   json.RawMessage
				Errors []errorOf
			}
			if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
			return rec.Code, body.Data, body.Errors
		}
		loaded := false
		for range 100 {
			if _, _, errs := ask(warm); len(errs) == 0 {
				loaded = true
				break
			}
		}
		status, data, errs := ask(large)
		if !loaded || len(errs) == 0 {
			continue
		}
		x := errs[0].Extensions
		if len(errs) != 1 || string(data) != "null" && data != nil || errs[0].code() != "LIMIT_EXCEEDED" || x["limit"] != "request-timeout" || x["maximum"] != timeout.Seconds() {
			t.Errorf("status %d, %.100s, %d errors: %+v", status, data, len(errs), errs[0])
		}
		return
	}
	t.Error("a large operation never ran out of time")
}
