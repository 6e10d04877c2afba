package app

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/markdown"
	"mixcloud-graphql/mixcloud/emulator"
)

var updateReadme = flag.Bool("update-readme", false, "rewrite the responses in README.md and in docs")

// A documentTest runs the examples of a document in their order, as a reader
// does: on a server that was started with --demo, at its default address, and
// on an emulator of its own at port 8081. It runs in a synctest bubble, where a
// sleep takes no time.
//
// A block of GraphQL is sent without a token; "# 2 calls" as its first line is the number of its
// calls to Mixcloud. On a page, one without a response below it is an operation of a client, with
// variables, and is not sent. In a block of the language sh, curl, head -c and sleep are run, and
// the flags of this server's commands are parsed. A block of YAML is a file of --config, unless it
// has objects of Kubernetes. A block of JSON is the response to the block above it, a block of HTTP its head, for a curl -i, and a block
// of text a stream of events: the test compares them, and -update-readme rewrites them. All other
// responses must have no errors. Blocks with a comment before them are compared by
// [TestDocs_Recipes]. In the README every block must be one of these; pages may contain other
// blocks. At the end, the emulators must have no active faults.
type documentTest struct {
	path     string
	demo     *App
	emulator http.Handler
	files    map[string]int // names and sizes
	environ  map[string]string
	last     *httptest.ResponseRecorder // the response to the last request
}

// testDocument runs the examples of the document at path and returns their
// number. Then is called with the server at the end; it may be nil.
func testDocument(t *testing.T, path string, then func(t *testing.T, text string, demo *App)) (examples int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var updated []byte
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, time.December, 1, 12, 0, 0, 0, time.UTC)))
		d := newDocumentTest(t, path)
		defer func() {
			if err := d.demo.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		updated, examples = d.run(t, string(text))
		d.checkFaults(t)
		if then != nil {
			then(t, string(text), d.demo)
		}
	})
	if *updateReadme && !bytes.Equal(updated, text) {
		if err := os.WriteFile(path, updated, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return examples
}

func newDocumentTest(t *testing.T, path string) *documentTest {
	t.Helper()
	cmd, err := config.Parse([]string{"--demo"}, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	cfg := *cmd.(*config.Serve)
	cfg.PublicURL = "http://" + cfg.Addr
	demo, err := New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	mixcloud, err := emulator.New(emulator.WithPublicURL("http://127.0.0.1:8081"))
	if err != nil {
		t.Fatal(err)
	}
	return &documentTest{path: filepath.Base(path), demo: demo, emulator: mixcloud, files: map[string]int{}, environ: map[string]string{}}
}

// run runs all examples. It returns the text with the responses that it got.
func (d *documentTest) run(t *testing.T, text string) (updated []byte, examples int) {
	t.Helper()
	blocks := markdown.Blocks(text)
	end := 0
	for i, b := range blocks {
		if b.Comment != "" {
			continue
		}
		hasResponse := false
		if i+1 < len(blocks) {
			between := strings.TrimSpace(text[b.End:blocks[i+1].Start])
			next := blocks[i+1].Language
			hasResponse = between == "```\n\n```"+next && slices.Contains([]string{"json", "http", "text"}, next)
		}
		switch b.Language {
		case "graphql":
			if hasResponse || d.path == "README.md" {
				d.query(t, b)
				examples++
			}
			if !hasResponse && d.last != nil {
				checkComplete(t, b.Text, d.last.Body.Bytes())
			}
		case "sh":
			examples += d.shell(t, b, hasResponse)
		case "yaml":
			if !strings.HasPrefix(b.Text, "apiVersion:") { // objects of Kubernetes have a test of their own
				d.configFile(t, b)
			}
		case "text":
			if d.last == nil && d.path != "README.md" {
				break
			}
			fallthrough
		case "json", "http":
			if d.last == nil {
				t.Errorf("%s:%d: the block has no request before it", d.path, b.Line)
				continue
			}
			got := d.documented(t, b)
			if !*updateReadme && got != b.Text {
				t.Errorf("%s:%d: the response is\n%s\nwant (-update-readme rewrites it)\n%s", d.path, b.Line, got, b.Text)
			}
			updated = append(append(updated, text[end:b.Start]...), got...)
			end = b.End
		default:
			if d.path == "README.md" || b.Language == "" {
				t.Errorf("%s:%d: the test cannot run a block of the language %q", d.path, b.Line, b.Language)
			}
		}
		if !hasResponse {
			d.last = nil
		}
	}
	return append(updated, text[end:]...), examples
}

// documented returns the last response in the form of a block.
func (d *documentTest) documented(t *testing.T, block markdown.Block) string {
	t.Helper()
	switch block.Language {
	case "http":
		return responseHead(d.last, block.Text)
	case "json":
		return readable(t, d.last.Body.Bytes())
	}
	return strings.TrimSpace(d.last.Body.String()) + "\n"
}

// query sends a block of GraphQL, and checks the number of calls that it states.
func (d *documentTest) query(t *testing.T, block markdown.Block) {
	t.Helper()
	request, err := json.Marshal(map[string]string{"query": block.Text})
	if err != nil {
		t.Fatal(err)
	}
	calls := newCurl(t, []string{"http://127.0.0.1:8080/emulator/__emulator/requests"})
	before := bytes.Count(calls.send(t, d.demo, nil).Body.Bytes(), []byte(`"method"`))
	c := newCurl(t, []string{"http://127.0.0.1:8080/graphql", "-H", "Content-Type: application/json", "-d", string(request)})
	d.last = c.send(t, d.demo, nil)
	made := bytes.Count(calls.send(t, d.demo, nil).Body.Bytes(), []byte(`"method"`)) - before
	if stated := statedCalls.FindStringSubmatch(block.Text); stated != nil && stated[1] != strconv.Itoa(made) {
		t.Errorf("%s:%d: the query makes %d calls, but the text says %s", d.path, block.Line, made, stated[1])
	}
}

var statedCalls = regexp.MustCompile(`^# (\d+) calls?\n`)

// shell runs the commands of a block and returns the number of requests.
func (d *documentTest) shell(t *testing.T, block markdown.Block, hasResponse bool) (requests int) {
	t.Helper()
	commands, err := markdown.Commands(block.Text)
	if err != nil {
		t.Fatalf("%s:%d: cannot parse the commands: %v", d.path, block.Line, err)
	}
	for i, command := range commands {
		words := command.Words
		switch {
		case slices.Contains(installers, words[0]):
			// Of docker run, the arguments after the image are flags of the server.
			if i := slices.Index(words, "mixcloud-graphql"); strings.HasPrefix(command.Text, "docker run ") && i > 0 {
				d.parseFlags(t, words[i+1:])
			}
		case command.Operator != "" || command.Output != "" && words[0] != "head":
			t.Errorf("%s: the test cannot run %q", d.path, command.Text)
		case words[0] == "curl":
			requests++
			c := newCurl(t, words[1:])
			server := http.Handler(d.demo)
			if c.url.Port() == "8081" {
				server = d.emulator
			}
			d.last = c.send(t, server, d.files)
			if c.url.Path == "/graphql" && !c.showHead && !(hasResponse && i == len(commands)-1) {
				checkComplete(t, c.text, d.last.Body.Bytes())
			}
		case words[0] == "sleep" && len(words) == 2:
			pause, err := time.ParseDuration(words[1] + "s")
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(pause)
		case words[0] == "head" && len(words) == 4 && words[1] == "-c" && command.Output != "":
			size, err := strconv.Atoi(words[2])
			if err != nil {
				t.Fatal(err)
			}
			d.files[command.Output] = size
		case words[0] == "mixcloud-graphql":
			d.parseFlags(t, words[1:])
		case strings.HasPrefix(command.Text, "go run . "):
			d.parseFlags(t, words[3:])
		case words[0] == "export":
			for _, setting := range words[1:] {
				name, value, _ := strings.Cut(setting, "=")
				d.environ[name] = substitution.ReplaceAllString(value, strings.Repeat("x", 44))
			}
		case slices.Contains([]string{"go test", "go mod", "go run"}, strings.Join(words[:min(2, len(words))], " ")), words[0] == "jq":
			// These need a network, or are run by other tests.
		default:
			t.Errorf("%s: the test cannot run %q", d.path, command.Text)
		}
	}
	return requests
}

// installers are programs that build or install the server. The test does not run them.
var installers = []string{"docker", "install", "journalctl", "kubectl", "make", "openssl", "systemctl"}

// substitution matches the substitution of a command in a shell's word. The test replaces it with
// 44 letters.
var substitution = regexp.MustCompile(`\$\([^)]*\)`)

// checkFaults fails if a fault is left that the document does not end.
func (d *documentTest) checkFaults(t *testing.T) {
	t.Helper()
	for server, url := range map[http.Handler]string{
		d.demo: "http://127.0.0.1:8080/emulator/__emulator/faults", d.emulator: "http://127.0.0.1:8081/__emulator/faults",
	} {
		if left := newCurl(t, []string{url}).send(t, server, nil).Body.String(); strings.TrimSpace(left) != "[]" {
			t.Errorf("%s: faults after the examples are %s, want []", d.path, left)
		}
	}
}

// parseFlags fails if the server's command would not accept its flags.
func (d *documentTest) parseFlags(t *testing.T, args []string) {
	t.Helper()
	var environ []string
	for _, name := range slices.Sorted(maps.Keys(d.environ)) {
		environ = append(environ, name+"="+d.environ[name])
	}
	if _, err := config.Parse(args, environ, io.Discard); err != nil {
		t.Errorf("%s: the command mixcloud-graphql %s is not valid: %v", d.path, strings.Join(args, " "), err)
	}
}

// configFile fails if the server would not accept a block as the file of --config.
func (d *documentTest) configFile(t *testing.T, block markdown.Block) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "server.yaml")
	if err := os.WriteFile(file, []byte(block.Text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Parse([]string{"--config", file}, nil, io.Discard); err != nil {
		t.Errorf("%s:%d: the configuration file is not valid: %v", d.path, block.Line, err)
	}
}

// responseHead returns the status line and those headers of a response that are
// in the documented ones.
func responseHead(w *httptest.ResponseRecorder, documented string) string {
	var b strings.Builder
	b.WriteString("HTTP/1.1 " + strconv.Itoa(w.Code) + " " + http.StatusText(w.Code) + "\n")
	for _, line := range strings.Split(strings.TrimSpace(documented), "\n")[1:] {
		name, _, _ := strings.Cut(line, ":")
		b.WriteString(name + ": " + w.Header().Get(name) + "\n")
	}
	return b.String()
}

// TestDocs runs the examples of each page, on a new server for each page.
func TestDocs(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 15 {
		t.Fatalf("found %d pages, error %v, want at least 15", len(pages), err)
	}
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			var then func(*testing.T, string, *App)
			if filepath.Base(page) == "aiomixcloud.md" {
				then = func(t *testing.T, text string, demo *App) { testTable(t, text, demo, 44) }
			}
			examples := testDocument(t, page, then)
			if want := minExamples[filepath.Base(page)]; examples < want {
				t.Errorf("ran %d examples, want at least %d", examples, want)
			}
		})
	}
}

// minExamples contains the pages that must have examples, and the minimum number of them, so that a
// changed format cannot turn the test off.
var minExamples = map[string]int{
	"aiomixcloud.md": 2, "caching.md": 6, "costs.md": 4, "emulator.md": 6, "errors.md": 3,
	"persisted-queries.md": 3, "signing-in.md": 4, "uploads.md": 4,
}
