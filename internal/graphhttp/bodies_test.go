package graphhttp_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/graphhttp"
)

// The bodies of waiting requests take a bounded amount of memory. Beyond it large requests are
// refused immediately, while small ones wait as usual.
func TestBodies(t *testing.T) {
	t.Parallel()
	sized := func(n int) string {
		return `{"query":"{ hello }","extensions":{"x":"` + strings.Repeat("x", n) + `"}}`
	}
	asJSON, form := []string{"Content-Type: application/json", newer}, []string{formType, preflight, newer}
	const maximum = 1 << 20
	for name, c := range map[string]struct {
		first, second string
		headers       []string
		code          int // of the second request
	}{
		"JSON":               {sized(800 << 10), sized(500 << 10), asJSON, 503},
		"small JSON":         {sized(900 << 10), sized(8 << 10), asJSON, 200},
		"within the maximum": {sized(500 << 10), sized(500 << 10), asJSON, 200},
		"forms":              {formOf(sized(400<<10), `{}`), formOf(sized(100<<10), `{}`), form, 200},
		"more forms":         {formOf(sized(500<<10), `{}`), formOf(sized(400<<10), `{}`), form, 503},
		"maps of forms":      {formOf(sized(760<<10), `{}`), formOf(sized(100), `{}`), form, 503},
	} {
		for _, way := range []string{"endpoint", "middleware"} {
			t.Run(name+"/"+way, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					controller := admission.New(1, time.Second)
					bodies := graphhttp.NewBodyMemory(maximum)
					h := endpoints(newStub(), graphhttp.Options{Bodies: bodies}, controller)[way]
					slot := occupy(t, controller)
					codes := make(chan int, 2)
					go func() { codes <- serve(h, request(t, "POST", "/graphql", c.first, c.headers...)).Code }()
					synctest.Wait()
					if counted := bodies.Bytes(); counted < int64(len(c.first))-20<<10 || counted > maximum {
						t.Errorf("%d bytes counted before the limit, want at least %d and at most %d", counted, len(c.first)-20<<10, maximum)
					}
					var second *httptest.ResponseRecorder
					began := time.Now()
					go func() {
						second = serve(h, request(t, "POST", "/graphql", c.second, c.headers...))
						codes <- second.Code
					}()
					synctest.Wait()
					if refused := second != nil; refused != (c.code == 503) || refused && (second.Header().Get("Retry-After") != "1" || time.Since(began) > 0) {
						t.Errorf("second request refused: %v after %v, want %v, without a wait and with Retry-After 1; response %+v", refused, time.Since(began), c.code == 503, second)
					}
					slot.Close()
					if got := []int{<-codes, <-codes}; got[0]+got[1] != 200+c.code {
						t.Errorf("statuses %v, want 200 and %d", got, c.code)
					}
					synctest.Wait()
					if counted := bodies.Bytes(); counted != 0 {
						t.Errorf("%d bytes counted after both responses, want 0", counted)
					}
				})
			})
		}
	}
}

// A body that is declared but does not arrive uses no memory.
func TestBodyMemory_CountReceivedBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bodies := graphhttp.NewBodyMemory(1 << 20)
		for way, h := range endpoints(newStub(), graphhttp.Options{Bodies: bodies}, admission.New(1, time.Second)) {
			stalled := make(stalledBody)
			r := request(t, http.MethodPost, "/graphql", "", "Content-Type: application/json")
			r.Body, r.ContentLength = stalled, 1<<20
			done := make(chan string)
			go func() { done <- fmt.Sprint(serve(h, r).Code) }()
			synctest.Wait()
			if counted := bodies.Bytes(); counted != 0 {
				t.Errorf("%s: %d bytes counted before the body arrived, want 0", way, counted)
			}
			stalled <- bytes.Repeat([]byte(" "), 100<<10)
			synctest.Wait()
			if counted := bodies.Bytes(); counted != 84<<10 {
				t.Errorf("%s: %d bytes counted of a stalled body of 100 KiB, want the received %d", way, counted, 84<<10)
			}
			close(stalled)
			if code := <-done; code != "400" || bodies.Bytes() != 0 {
				t.Errorf("%s: status %s, want 400; %d bytes counted afterwards, want 0", way, code, bodies.Bytes())
			}
		}
	})
}

// A stalledBody returns the data that the test sends to it.
type stalledBody chan []byte

func (b stalledBody) Read(p []byte) (int, error) {
	piece, ok := <-b
	if !ok {
		return 0, http.ErrBodyReadAfterClose
	}
	n := copy(p, piece)
	if n < len(piece) {
		go func() { b <- piece[n:] }()
	}
	return n, nil
}

func (stalledBody) Close() error { return nil }
