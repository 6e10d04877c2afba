package uploadhttp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/uploadhttp"
)

// deadlined is a response whose body supports a read deadline.
type deadlined struct{ *httptest.ResponseRecorder }

func (deadlined) SetReadDeadline(time.Time) error { return nil }

// The rest of a body is read after the response, only for HTTP/2, and not for clients that wait
// for 100 Continue.
func TestDrain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		major  int
		expect string
		left   int
	}{
		"HTTP/2":               {2, "", 0},
		"HTTP/2, 100 Continue": {2, "100-continue", 990},
		"HTTP/1.1":             {1, "", 990},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := strings.NewReader(strings.Repeat("x", 1000))
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", body)
			r.ProtoMajor = test.major
			if test.expect != "" {
				r.Header.Set("Expect", test.expect)
			}
			w := deadlined{httptest.NewRecorder()}
			uploadhttp.Drain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.CopyN(io.Discard, r.Body, 10)
				w.WriteHeader(http.StatusRequestEntityTooLarge)
			})).ServeHTTP(w, r)
			if body.Len() != test.left || w.Code != http.StatusRequestEntityTooLarge || w.Flushed != (test.left == 0) {
				t.Errorf("%d bytes are left, want %d; status %d, want 413; flushed %t, want %t", body.Len(), test.left, w.Code, w.Flushed, test.left == 0)
			}
		})
	}
}
