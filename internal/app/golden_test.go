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

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/mixcloud/emulator"
)

var update = flag.Bool("update", false, "write the results of the cases to testdata/golden and testdata/metered")

// A golden is a case in testdata/golden. Its first line describes the tested behavior. Then follow:
//
//	query.graphql    the document
//	variables.json   its variables, if any
//	files.json       the files of a multipart request in their order, if any
//	token            the bearer token, if any
//	code             a user name, if the variable "code" is an OAuth code of this
//	                 user; want.json then has TOKEN instead of the token
//	emulator.json    the emulator's setup: {"settings": …, "faults": […]} as in its
//	                 control API, and "broken": the names of rules that it breaks
//	status           the status of the response, if it is not 200
//	want.json        the response
//	upstream         the calls to Mixcloud, sorted, with "(token)" for a token
//	upstream.newest  the calls if since returns the newest items, if they differ
//	upstream.disabled the calls with --disable look-ahead, if they differ
//	projected        the number of values that were written from JSON, if any
//	rounds           the duration, in the latency of one call, with a token that
//	                 the server knows to be accepted by Mixcloud
//	written          the uploads and edits that Mixcloud received, if any
//
// A mutation runs once, with a separate copy of the emulator's data.
type golden struct {
	file      string
	archive   *txtar.Archive
	name      string
	query     string
	token     string
	emulator  emulatorSetup
	variables map[string]any
	files     []uploadFile
	writes    bool
}

type emulatorSetup struct {
	Settings map[string]any   `json:"settings"`
	Faults   []map[string]any `json:"faults"`
	Broken   []string         `json:"broken"`
}

var goldenSections = []string{
	"query.graphql", "variables.json", "files.json", "token", "code", "emulator.json",
	"status", "want.json", "upstream", "upstream.newest", "upstream.disabled", "rounds", "projected", "written",
}

// callLatency is the duration of a call to Mixcloud in the golden tests. Their clock is synthetic.
const callLatency = 100 * time.Millisecond

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

// goldens returns all cases. It reads the files only once.
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
			return nil, fmt.Errorf("unknown section %q", f.Name)
		}
		if slices.ContainsFunc(archive.Files[:i], func(e txtar.File) bool { return e.Name == f.Name }) {
			return nil, fmt.Errorf("section %q occurs twice", f.Name)
		}
	}
	if len(strings.TrimSpace(string(archive.Comment))) < 30 {
		return nil, fmt.Errorf("the first line must say what the case tests")
	}
	g.query, g.token = g.section("query.graphql"), strings.TrimSpace(g.section("token"))
	g.writes = strings.HasPrefix(g.query, "mutation")
	for name, into := range map[string]any{"variables.json": &g.variables, "files.json": &g.files, "emulator.json": &g.emulator} {
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

// An outcome is the result of a case.
type outcome struct {
	status   int
	body     string   // from normalizeBody
	upstream []string // the calls
	rounds   int
	written  string // from storedUploads
	// projected is the number of values that were written from JSON, without the executor.
	projected int64
}

// send sends the case's request.
func (g *golden) send(t testing.TB, s *testServer, token string) response {
	t.Helper()
	if g.files != nil {
		return s.upload(t, token, g.query, g.variables, g.files...)
	}
	return s.execute(t, token, g.query, g.variables)
}

// run sends the request to a new server twice. The second response must be identical, except for mutations and for faults
// that end. If verified is true, the server already knows whether Mixcloud accepts the token. Disable is the setting of
// --disable.
func (g *golden) run(t *testing.T, sinceOrder string, verified bool, disable ...string) (out outcome) {
	t.Helper()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		options := []emulator.Option{emulator.WithSettings(emulator.Settings{SinceOrder: sinceOrder, Latency: callLatency})}
		for _, rule := range g.emulator.Broken {
			options = append(options, emulator.WithBroken(rule))
		}
		s := newTestServer(t, serverOptions{config: config.Serve{Disable: disable}, writable: g.writes, emulator: options})
		g.setUpEmulator(t, s)
		if user := strings.TrimSpace(g.section("code")); user != "" {
			g.variables["code"] = signInCode(t, s.emulator, mixcloudURL, emulator.DemoClientID, appRedirect, user)
		}
		if verified && s.acceptsToken(g.token) {
			s.app.store.MarkVerified(g.token)
		}
		start := time.Now()
		first := g.send(t, s, g.token)
		took := time.Since(start)
		if took%callLatency != 0 {
			t.Errorf("duration = %v, want a multiple of the call latency %v", took, callLatency)
		}
		journal := s.emulator.Requests()
		out = outcome{first.status, g.maskToken(t, s, normalizeBody(t, first)), s.takeCalls(), int(took / callLatency), storedUploads(t, s.emulator), projected(s)}
		if len(journal) != len(out.upstream) {
			t.Errorf("emulator received %d requests, want %d as the transport sent", len(journal), len(out.upstream))
		}
		if g.writes || slices.ContainsFunc(g.emulator.Faults, func(f map[string]any) bool { return f["times"] != nil }) {
			return
		}
		again := g.send(t, s, g.token)
		if diff := cmp.Diff(out.body, normalizeBody(t, again)); diff != "" {
			t.Errorf("second response differs (- first, + second):\n%s", diff)
		}
	})
	return out
}

// maskToken checks that the access token in body belongs to the expected user, and replaces the
// token, because it differs in each run.
func (g *golden) maskToken(t *testing.T, s *testServer, body string) string {
	t.Helper()
	found := regexp.MustCompile(`"accessToken": "([^"]+)"`).FindStringSubmatch(body)
	if found == nil {
		return body
	}
	calls := s.takeCalls() // without those that follow
	var data struct{ Viewer struct{ Username string } }
	s.execute(t, found[1], "{ viewer { username } }", nil).decode(t, &data)
	s.takeCalls()
	s.recorder.calls = calls
	if want := strings.TrimSpace(g.section("code")); data.Viewer.Username != want {
		t.Errorf("viewer of the new token = %q, want %q", data.Viewer.Username, want)
	}
	return strings.ReplaceAll(body, found[1], "TOKEN")
}

// storedUploads returns the uploads and edits that the emulator received, as JSON.
func storedUploads(t *testing.T, e *emulator.Emulator) string {
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

// signInCode returns an OAuth code. It sends the requests of a browser whose user allows the application on the
// emulator's sign-in page.
func signInCode(t testing.TB, mixcloud http.Handler, base, client, redirect, user string) string {
	t.Helper()
	page := base + "/www/oauth/authorize?" + url.Values{"client_id": {client}, "redirect_uri": {redirect}}.Encode()
	get := httptest.NewRequest(http.MethodGet, page, nil)
	w := httptest.NewRecorder()
	mixcloud.ServeHTTP(w, get)
	form := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(w.Body.String())
	if form == nil {
		t.Fatalf("sign-in page has no form: status %d: %s", w.Code, w.Body)
	}
	post := httptest.NewRequest(http.MethodPost, page, strings.NewReader(url.Values{"form": {form[1]}, "choice": {"allow"}, "user": {user}}.Encode()))
	post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w = httptest.NewRecorder()
	mixcloud.ServeHTTP(w, post)
	back, err := url.Parse(w.Header().Get("Location"))
	if err != nil || back.Query().Get("code") == "" {
		t.Fatalf("Location = %q, want a code in it (error %v)", w.Header().Get("Location"), err)
	}
	return back.Query().Get("code")
}

// setUpEmulator sends the case's settings and faults to the control API of the emulator.
func (g *golden) setUpEmulator(t *testing.T, s *testServer) {
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
			t.Fatalf("POST %s %s: status = %s, want 200", path, text, resp.Status)
		}
	}
	if g.emulator.Settings != nil {
		post("settings", g.emulator.Settings)
	}
	for _, fault := range g.emulator.Faults {
		post("faults", fault)
	}
}

// normalizeBody returns the response body with indentation. Errors are sorted by path, since fields that run in parallel
// fail in any order.
func normalizeBody(t testing.TB, resp response) string {
	t.Helper()
	var whole struct {
		Errors     []json.RawMessage `json:"errors,omitempty"`
		Data       json.RawMessage   `json:"data,omitempty"`
		Extensions json.RawMessage   `json:"extensions,omitempty"`
	}
	if err := json.Unmarshal(resp.body, &whole); err != nil {
		t.Fatalf("response with status %d is not JSON: %v:\n%s", resp.status, err, resp.body)
	}
	slices.SortStableFunc(whole.Errors, func(a, b json.RawMessage) int {
		var x, y responseError
		if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
			t.Fatalf("cannot decode one of the errors %s and %s", a, b)
		}
		return strings.Compare(pathText(x), pathText(y))
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

// TestGolden runs every case with both values of the emulator's setting sinceOrder. The response must not depend on it.
//
// The rounds are those with a verified token. The first call with an unverified token runs alone
// (ADR 22). The scheduler determines which call is the first, and therefore whether the operation
// takes one more round.
func TestGolden(t *testing.T) {
	t.Parallel()
	all, err := goldens()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range all {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			nearest := g.run(t, emulator.SinceNearest, true)
			newest := nearest
			if !g.writes {
				newest = g.run(t, emulator.SinceNewest, true)
			}
			if g.token != "" && !g.writes {
				g.checkUnverified(t, nearest)
			}
			disabled := g.runWithoutLookAhead(t, nearest)
			g.runWithoutProjection(t, nearest)
			if diff := cmp.Diff(nearest.body, newest.body); diff != "" {
				t.Errorf("response depends on sinceOrder (- nearest, + newest):\n%s", diff)
			}
			got := map[string]string{
				"status":    "",
				"want.json": nearest.body,
				"upstream":  callLines(nearest.upstream),
				"rounds":    strconv.Itoa(nearest.rounds) + "\n",
				"projected": "",
				"written":   nearest.written,
			}
			if nearest.projected > 0 {
				got["projected"] = strconv.FormatInt(nearest.projected, 10) + "\n"
			}
			if nearest.status != http.StatusOK {
				got["status"] = strconv.Itoa(nearest.status) + "\n"
			}
			got["upstream.newest"] = ""
			if !slices.Equal(nearest.upstream, newest.upstream) {
				got["upstream.newest"] = callLines(newest.upstream)
			}
			got["upstream.disabled"] = ""
			if !slices.Equal(nearest.upstream, disabled.upstream) {
				got["upstream.disabled"] = callLines(disabled.upstream)
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
					t.Errorf("%s differs (- want, + got):\n%s", name, diff)
				}
			}
		})
	}
}

// runWithoutLookAhead runs the case with --disable look-ahead. The response must be the same. The operation takes at
// least as long, with the same calls or fewer.
func (g *golden) runWithoutLookAhead(t *testing.T, enabled outcome) outcome {
	t.Helper()
	disabled := g.run(t, emulator.SinceNearest, true, config.LookAhead)
	if disabled.rounds < enabled.rounds || len(disabled.upstream) > len(enabled.upstream) {
		t.Errorf("without look-ahead %d rounds and %d calls, with it %d and %d", disabled.rounds, len(disabled.upstream), enabled.rounds, len(enabled.upstream))
	}
	compared := disabled
	compared.rounds, compared.upstream, compared.projected = enabled.rounds, enabled.upstream, enabled.projected
	if diff := cmp.Diff(enabled, compared, cmp.AllowUnexported(outcome{})); diff != "" {
		t.Errorf("outcome depends on look-ahead (- with, + without):\n%s", diff)
	}
	return disabled
}

// runWithoutProjection runs the case with --disable projection. The outcome must be the same.
func (g *golden) runWithoutProjection(t *testing.T, enabled outcome) {
	t.Helper()
	disabled := g.run(t, emulator.SinceNearest, true, config.Projection)
	disabled.projected = enabled.projected
	if diff := cmp.Diff(enabled, disabled, cmp.AllowUnexported(outcome{})); diff != "" {
		t.Errorf("outcome depends on the projection (- with, + without):\n%s", diff)
	}
}

// projected returns the number of values that a server has written from JSON.
func projected(s *testServer) int64 {
	if s.app.graph.projection == nil {
		return 0
	}
	written, _ := s.app.graph.projection.Counts()
	return written
}

// checkUnverified runs the case with a token that the server has not verified, and therefore without look-ahead. Response
// and calls must be the same, and at most two rounds are added.
func (g *golden) checkUnverified(t *testing.T, verified outcome) {
	t.Helper()
	unverified := g.run(t, emulator.SinceNearest, false)
	if more := unverified.rounds - verified.rounds; more < 0 || more > 2 {
		t.Errorf("rounds with an unverified token = %d, want %d or up to two more", unverified.rounds, verified.rounds)
	}
	unverified.rounds, unverified.projected = verified.rounds, verified.projected
	if diff := cmp.Diff(verified, unverified, cmp.AllowUnexported(outcome{})); diff != "" {
		t.Errorf("outcome depends on whether the token is verified (- verified, + unverified):\n%s", diff)
	}
}

// callLines returns one call per line, or "none" without calls.
func callLines(calls []string) string {
	if len(calls) == 0 {
		return "none\n"
	}
	return strings.Join(calls, "\n") + "\n"
}
