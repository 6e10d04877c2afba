package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"mixcloud-graphql/mixcloud/emulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sharedEmulator is an emulator for tests that only read.
var sharedEmulator = sync.OnceValue(func() *emulator.Emulator {
	e, err := emulator.New(emulator.WithWorld(sharedWorld()))
	if err != nil {
		panic(err)
	}
	return e
})

// newEmulator returns an emulator for one test that does not write: it serves
// sharedWorld.
func newEmulator(t testing.TB, options ...emulator.Option) *emulator.Emulator {
	t.Helper()
	e, err := emulator.New(append([]emulator.Option{emulator.WithWorld(sharedWorld())}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const host = "https://api.mixcloud.com"

// get sends a GET request to h and returns the response.
func get(t testing.TB, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	return do(h, httptest.NewRequest(http.MethodGet, host+path, nil))
}

func do(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// getJSON sends a GET request and returns the body of the response, which must be a
// JSON object with status 200.
func getJSON(t testing.TB, h http.Handler, path string) map[string]any {
	t.Helper()
	w := get(t, h, path)
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: status %d, want 200: %s", path, w.Code, w.Body)
	}
	return object(t, w.Body.Bytes())
}

func object(t testing.TB, text []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("the body is not a JSON object: %v: %.200s", err, text)
	}
	return v
}

// recording returns a recorded response of the live service. The client's tests read
// the same files; the emulator does not.
func recording(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "testdata", "recorded", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// recorded decodes a recorded response of the live service.
func recorded(t testing.TB, name string) map[string]any {
	t.Helper()
	return object(t, recording(t, name))
}

// at returns the value at a path of member names. For a list it uses the first element.
func at(v any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		if list, ok := v.([]any); ok {
			if len(list) == 0 {
				return nil
			}
			v = list[0]
		}
		members, _ := v.(map[string]any)
		v = members[step]
	}
	return v
}

func keys(page map[string]any) []string {
	var list []string
	for _, item := range page["data"].([]any) {
		list = append(list, item.(map[string]any)["key"].(string))
	}
	return list
}
