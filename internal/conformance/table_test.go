package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestTable compares the table with a golden file.
func TestTable(t *testing.T) {
	t.Parallel()
	list := []probe{
		{name: "short", check: func(ctx context.Context, s *session) error {
			_, err := s.get(ctx, "/a/")
			return err
		}},
		{name: "a-name-that-is-longer", check: func(context.Context, *session) error {
			return differs("status %d instead\n of  301", 302)
		}},
		{name: "inconclusive", check: func(context.Context, *session) error { return errors.New("no show was found") }},
		{name: "token", check: func(context.Context, *session) error { return differs("%s in a link", testToken) }},
		{name: "long", check: func(context.Context, *session) error { return differs("%s", strings.Repeat("ünïcödé ", 60)) }},
	}
	var out bytes.Buffer
	cfg := testConfig(alwaysRespond(200, nil, "{}"))
	cfg.Out = &out
	s, err := newSession(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.run(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	checkGolden(t, "table.golden", out.Bytes())
}

// TestReport compares a report with a golden file. The report contains a result and the exchange on
// which the result is based.
func TestReport(t *testing.T) {
	t.Parallel()
	list := []probe{{
		name: "color", rule: "Cars are red.", section: "cars", confidence: Inferred,
		check: func(ctx context.Context, s *session) error {
			o, err := s.objectAsViewer(ctx, "/car/?wheels=4")
			if err != nil {
				return err
			}
			return differs("it is %v", o["color"])
		},
	}}
	var file bytes.Buffer
	cfg := testConfig(alwaysRespond(200, http.Header{"Content-Type": {"text/javascript"}, "Set-Cookie": {"a=b"}}, `{"color": "blue <"}`))
	cfg.Report = &file
	s, err := newSession(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.run(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	checkGolden(t, "report.golden", regexp.MustCompile(`"started": ".*"`).ReplaceAll(file.Bytes(), []byte(`"started": "NOW"`)))
}

func checkGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	null := func(_ string, v any) bool { return v == nil }
	for text, want := range map[string]string{
		`{"b": null, "a": {"c": null}}`:              "a.c",
		`{"data": [{"x": 1}, {"y": [{"z": null}]}]}`: "data[1].y[0].z",
		`[{"a": null}]`:                              "[0].a",
		`{"a": [[{"b": null}]]}`:                     "a[0][0].b",
		`{"a": [1, null]}`:                           "a[1]",
		`null`:                                       "",
		`{}`:                                         "",
	} {
		for range 20 { // the order of a map must not matter
			if got, _, found := find(decode([]byte(text)), null); got != want || found != (want != "") {
				t.Errorf("find a null in %s = %q, %t, want %q, %t", text, got, found, want, want != "")
			}
		}
	}
}

func TestFirstMembers(t *testing.T) {
	t.Parallel()
	body := `{"data": [{"key": "k", "url": "u", "name": "n", "tags": [{"name": "t", "key": "x", "url": "y", "more": {"key": 1}}], "e": []}], "name": "list"}`
	want := [][]string{{"name", "key", "url"}, {"key", "url", "name"}}
	if diff := cmp.Diff(want, firstMembers([]byte(body))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzRun checks that a run returns a verdict for each probe if all requests get the same response.
func FuzzRun(f *testing.F) {
	for _, seed := range []string{
		"", "null", "{}", `{"data": [{}]}`, `{"data": [{"key": "/a/b/", "play_count": 1, "slug": "b", "user": {"key": "/a/"}, "tags": [{"key": "/genres/x/"}], "created_time": "2020-01-01T00:00:00Z"}], "paging": {"next": "%zz?a=%zz"}}`,
		`{"error": {"message": "rate limit", "retry_after": -1}}`, `callback({})`, `{"key": "/me/", "username": 1, "metadata": {"connections": []}}`, "<html>", `[[[[`,
	} {
		f.Add(200, seed)
		f.Add(403, seed)
	}
	f.Add(303, "%0")
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		r, err := Run(t.Context(), testConfig(alwaysRespond(status, http.Header{"Location": {body}, "Retry-After": {"0"}}, body)))
		if err != nil || len(r.Probes) != len(probes()) {
			t.Errorf("Run = %v with %d probes, want nil with %d", err, len(r.Probes), len(probes()))
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	})
}
