package app

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"mixcloud-graphql/mixcloud/emulator"
)

var update = flag.Bool("update", false, "write what the goldens' queries give into testdata/golden")

// A golden is a case in testdata/golden: prose that says what must hold, and
//
//	query.graphql    the document
//	variables.json   its variables, if any
//	files.json       the files of a multipart request, if any, in their order
//	token            the bearer token, if any
//	code             whose code stands for CODE in the variables, if anybody's;
//	                 the token that it gives is TOKEN in the answer
//	emulator.json    what Mixcloud does: {"settings": …, "faults": […]} in the
//	                 words of the emulator's control API, and "broken": the
//	                 names of rules that it breaks, if anything special
//	status           of the answer, if it is not 200
//	want.json        the answer
//	upstream         the calls to Mixcloud, sorted; "(token)" marks a token
//	upstream.newest  the calls where since gives the newest items, if they differ
//	rounds           how long it took, in the time of one call, with a token that
//	                 Mixcloud is known to accept
//	written          what Mixcloud has of uploads and edits, if there were any
//
// A mutation has a world of its own to write to, and is played once.
type golden struct {
	file     string
	archive  *txtar.Archive
	name     string
	query    string
	token    string
	emulator emulatorSetup
	vars     map[string]any
	files    []uploadFile
	writes   bool
}

type emulatorSetup struct {
	Settings map[string]any   `json:"settings"`
	Faults   []map[string]any `json:"faults"`
	Broken   []string         `json:"broken"` // names of rules that this Mixcloud breaks
}

var goldenSections = []string{
	"query.graphql", "variables.json", "files.json", "token", "code", "emulator.json",
	"status", "want.json", "upstream", "upstream.newest", "rounds", "written",
}

// callTime is how long a call to Mixcloud takes in the goldens, in a time that
// nobody waits for.
const callTime = 100 * time.Millisecond

func (g *golden) section(name string) string {
	for _, f := range g.archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

func (g *golden) set(name, text string) {
	g.archive.Files = slices.DeleteFunc(g.archive.Files, func(f txtar.File) bool { return f.Name == name })
	if text == "" {
		return
	}
	g.archive.Files = append(g.archive.Files, txtar.File{Name: name, Data: []byte(text)})
	slices.SortStableFunc(g.archive.Files, func(a, b txtar.File) int {
		return slices.Index(goldenSections, a.Name) - slices.Index(goldenSections, b.Name)
	})
}

// goldens reads all cases, once.
var goldens = sync.OnceValues(func() ([]*golden, error) {
	files, err := filepath.Glob("testdata/golden/*.txtar")
	if err != nil {
		return nil, err
	}
	all := make([]*golden, 0, len(files))
	for _, file := range files {
		g, err := readGolden(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, g)
	}
	return all, nil
})

func readGolden(file string) (*golden, error) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		return nil, err
	}
	g := &golden{file: file, archive: archive, name: strings.TrimSuffix(filepath.Base(file), ".txtar")}
	for i, f := range archive.Files {
		if !slices.Contains(goldenSections, f.Name) {
			return nil, fmt.Errorf("section %q is none of a golden's", f.Name)
		}
		if slices.ContainsFunc(archive.Files[:i], func(e txtar.File) bool { return e.Name == f.Name }) {
			return nil, fmt.Errorf("two sections %q", f.Name)
		}
	}
	if len(strings.TrimSpace(string(archive.Comment))) < 30 {
		return nil, fmt.Errorf("no prose says what must hold")
	}
	g.query, g.token = g.section("query.graphql"), strings.TrimSpace(g.section("token"))
	g.writes = strings.HasPrefix(g.query, "mutation")
	for name, into := range map[string]any{"variables.json": &g.vars, "files.json": &g.files, "emulator.json": &g.emulator} {
		if text := g.section(name); text != "" {
			d := json.NewDecoder(strings.NewReader(text))
			d.DisallowUnknownFields()
			d.UseNumber()
			if err := d.Decode(into); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return g, nil
}

// An outcome is what a golden's query came to.
type outcome struct {
	status   int
	body     string // indented, errors in the order of their paths
	upstream []string
	rounds   int
	written  string
}

// ask sends the case's request.
func (g *golden) ask(t testing.TB, s *testServer, token string) response {
	t.Helper()
	if g.files != nil {
		return s.upload(t, token, g.query, g.vars, g.files...)
	}
	return s.ask(t, token, g.query, g.vars)
}

// play asks a fresh server twice. Both answers must be the same to the byte,
// unless what disturbs Mixcloud passes in between. With known, the server knows that
// Mixcloud accepts the token, if it does.
func (g *golden) play(t *testing.T, sinceOrder string, known bool) (out outcome) {
	t.Helper()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		options := []emulator.Option{emulator.WithSettings(emulator.Settings{SinceOrder: sinceOrder, Latency: callTime})}
		for _, rule := range g.emulator.Broken {
			options = append(options, emulator.WithBroken(rule))
		}
		s := newTestServer(t, serverOptions{ownWorld: g.writes, emulator: options})
		g.disturb(t, s)
		if user := strings.TrimSpace(g.section("code")); user != "" {
			g.vars["code"] = codeOf(t, s.emulator, mixcloudURL, emulator.DemoClientID, appRedirect, user)
		}
		if known && s.accepts(g.token) {
			s.app.store.MarkVerified(g.token)
		}
		start := time.Now()
		first := g.ask(t, s, g.token)
		took := time.Since(start)
		if took%callTime != 0 {
			t.Errorf("took %v, which is no number of calls of %v: something waits", took, callTime)
		}
		journal := s.emulator.Requests()
		out = outcome{first.status, g.masked(t, s, indented(t, first)), s.calls(), int(took / callTime), written(t, s.emulator)}
		if len(journal) != len(out.upstream) {
			t.Errorf("the emulator saw %d requests, the wire %d", len(journal), len(out.upstream))
		}
		if g.writes || slices.ContainsFunc(g.emulator.Faults, func(f map[string]any) bool { return f["times"] != nil }) {
			return
		}
		again := g.ask(t, s, g.token)
		if diff := cmp.Diff(out.body, indented(t, again)); diff != "" {
			t.Errorf("asked again, the answer differs:\n%s", diff)
		}
	})
	return out
}

// masked replaces the token that a code gave, which is another each time, after
// a look at whether it is the right one.
func (g *golden) masked(t *testing.T, s *testServer, body string) string {
	t.Helper()
	found := regexp.MustCompile(`"accessToken": "([^"]+)"`).FindStringSubmatch(body)
	if found == nil {
		return body
	}
	journal := s.calls() // of the case alone
	var data struct{ Viewer struct{ Username string } }
	s.ask(t, found[1], "{ viewer { username } }", nil).decode(t, &data)
	s.calls()
	s.recorder.calls = journal
	if want := strings.TrimSpace(g.section("code")); data.Viewer.Username != want {
		t.Errorf("the token is that of %q, want %q", data.Viewer.Username, want)
	}
	return strings.ReplaceAll(body, found[1], "TOKEN")
}

// written is what an emulated Mixcloud has of uploads and edits.
func written(t *testing.T, e *emulator.Emulator) string {
	t.Helper()
	all := append(e.Uploads(), e.Edits()...)
	if len(all) == 0 {
		return ""
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// codeOf goes through the page of the emulated Mixcloud at base as a person does
// who allows an application to act for them.
func codeOf(t testing.TB, mixcloud http.Handler, base, client, redirect, user string) string {
	t.Helper()
	page := base + "/www/oauth/authorize?" + url.Values{"client_id": {client}, "redirect_uri": {redirect}}.Encode()
	get := httptest.NewRequest(http.MethodGet, page, nil)
	w := httptest.NewRecorder()
	mixcloud.ServeHTTP(w, get)
	once := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(w.Body.String())
	if once == nil {
		t.Fatalf("no form: %d %s", w.Code, w.Body)
	}
	post := httptest.NewRequest(http.MethodPost, page, strings.NewReader(url.Values{"form": {once[1]}, "choice": {"allow"}, "user": {user}}.Encode()))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w = httptest.NewRecorder()
	mixcloud.ServeHTTP(w, post)
	back, err := url.Parse(w.Header().Get("Location"))
	if err != nil || back.Query().Get("code") == "" {
		t.Fatalf("sent back to %q: %v", w.Header().Get("Location"), err)
	}
	return back.Query().Get("code")
}

// disturb tells the emulator through its control API what the case is about.
func (g *golden) disturb(t *testing.T, s *testServer) {
	t.Helper()
	post := func(path string, body any) {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, mixcloudURL+"/__emulator/"+path, bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.emulator.Transport().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %s", path, text, resp.Status)
		}
	}
	if g.emulator.Settings != nil {
		post("settings", g.emulator.Settings)
	}
	for _, fault := range g.emulator.Faults {
		post("faults", fault)
	}
}

// indented is an answer in a form that people read. Errors are brought into
// the order of their paths: that in which fields fail side by side is chance.
func indented(t testing.TB, a response) string {
	t.Helper()
	var whole struct {
		Errors     []json.RawMessage `json:"errors,omitempty"`
		Data       json.RawMessage   `json:"data,omitempty"`
		Extensions json.RawMessage   `json:"extensions,omitempty"`
	}
	if err := json.Unmarshal(a.body, &whole); err != nil {
		t.Fatalf("status %d, %v:\n%s", a.status, err, a.body)
	}
	slices.SortStableFunc(whole.Errors, func(a, b json.RawMessage) int {
		var x, y responseError
		if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
			t.Fatalf("no errors: %s, %s", a, b)
		}
		return strings.Compare(pathOf(x), pathOf(y))
	})
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(whole); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestGolden plays every case in both orders that since may have upstream: the
// answer must not depend on it.
//
// Rounds are counted with a token that is known. The first call of an unknown one goes
// alone (ADR 22); which call that is depends on the scheduler, and so whether the
// operation takes one round more.
func TestGolden(t *testing.T) {
	t.Parallel()
	all, err := goldens()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range all {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			nearest := g.play(t, emulator.SinceNearest, true)
			newest := nearest
			if !g.writes {
				newest = g.play(t, emulator.SinceNewest, true)
			}
			if g.token != "" && !g.writes {
				g.playUnknown(t, nearest)
			}
			if diff := cmp.Diff(nearest.body, newest.body); diff != "" {
				t.Errorf("the answer depends on what since gives (- nearest, + newest):\n%s", diff)
			}
			got := map[string]string{
				"status":    "",
				"want.json": nearest.body,
				"upstream":  lines(nearest.upstream),
				"rounds":    strconv.Itoa(nearest.rounds) + "\n",
				"written":   nearest.written,
			}
			if nearest.status != http.StatusOK {
				got["status"] = strconv.Itoa(nearest.status) + "\n"
			}
			got["upstream.newest"] = ""
			if !slices.Equal(nearest.upstream, newest.upstream) {
				got["upstream.newest"] = lines(newest.upstream)
			}
			if *update {
				for name, text := range got {
					g.set(name, text)
				}
				if err := os.WriteFile(g.file, txtar.Format(g.archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			for name, text := range got {
				if diff := cmp.Diff(g.section(name), text); diff != "" {
					t.Errorf("%s (- wanted, + got):\n%s", name, diff)
				}
			}
		})
	}
}

// playUnknown plays the case with a token of which the server knows nothing: the
// answer and the calls are the same, and at most one round is added.
func (g *golden) playUnknown(t *testing.T, known outcome) {
	t.Helper()
	unknown := g.play(t, emulator.SinceNearest, false)
	if more := unknown.rounds - known.rounds; more < 0 || more > 1 {
		t.Errorf("%d rounds with a token that is not known, %d with one that is", unknown.rounds, known.rounds)
	}
	unknown.rounds = known.rounds
	if diff := cmp.Diff(known, unknown, cmp.AllowUnexported(outcome{})); diff != "" {
		t.Errorf("it matters whether the token is known (- known, + unknown):\n%s", diff)
	}
}

// lines is one call a line. A golden without a call has an empty section.
func lines(calls []string) string {
	if len(calls) == 0 {
		return "none\n"
	}
	return strings.Join(calls, "\n") + "\n"
}
