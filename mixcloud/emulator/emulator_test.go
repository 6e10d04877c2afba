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

// shared is an emulator for tests that only read.
var shared = sync.OnceValue(func() *emulator.Emulator {
	e, err := emulator.New(emulator.WithWorld(population()))
	if err != nil {
		panic(err)
	}
	return e
})

// fresh is an emulator of the test's own, on the population that nobody writes
// to.
func fresh(t testing.TB, options ...emulator.Option) *emulator.Emulator {
	t.Helper()
	e, err := emulator.New(append([]emulator.Option{emulator.WithWorld(population())}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const host = "https://api.mixcloud.com"

// get asks h for a path and gives what came.
func get(t testing.TB, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	return do(h, httptest.NewRequest(http.MethodGet, host+path, nil))
}

func do(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// getJSON is get for an answer that must be JSON of status 200.
func getJSON(t testing.TB, h http.Handler, path string) map[string]any {
	t.Helper()
	w := get(t, h, path)
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: status %d: %s", path, w.Code, w.Body)
	}
	return object(t, w.Body.Bytes())
}

func object(t testing.TB, text []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("not a JSON object: %v in %.200s", err, text)
	}
	return v
}

// recorded reads a recorded answer of the live service.
func recorded(t testing.TB, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "recorded", name))
	if err != nil {
		t.Fatal(err)
	}
	return object(t, text)
}

// at follows member names from v, through the first element of every list.
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
