package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"mixcloud-graphql/internal/config"
)

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// deployFiles are the files with settings, and how many each has at least.
var deployFiles = map[string]int{"Dockerfile": 1, "deploy/compose.yaml": 5, "deploy/mixcloud-graphql.service": 1, "docs/deployment.md": 9}

// The settings in the files for operators exist, and their values are valid.
func TestDeploy_Settings(t *testing.T) {
	t.Parallel()
	setting := regexp.MustCompile(`(MIXCLOUD_GRAPHQL_[A-Z_]+)(?:=|: |, value: )"?([^"}\n]*)`)
	secret := filepath.Join(t.TempDir(), "secret_key")
	if err := os.WriteFile(secret, bytes.Repeat([]byte("k"), 44), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range deployFiles {
		environ := []string{"MIXCLOUD_GRAPHQL_SECRET_KEY_FILE=" + secret}
		settings := setting.FindAllStringSubmatch(readText(t, name), -1)
		for _, s := range settings {
			value := strings.Fields(s[2])[0]
			if def, ok := strings.CutPrefix(value, "${PUBLIC_URL:-"); ok {
				value = def
			}
			if !strings.HasSuffix(s[1], "_FILE") {
				environ = append(environ, s[1]+"="+value)
			}
		}
		if len(settings) < want {
			t.Errorf("%s: found %d settings, want at least %d", name, len(settings), want)
		}
		if _, err := config.Parse(nil, environ, io.Discard); err != nil {
			t.Errorf("%s: the settings are not valid: %v", name, err)
		}
	}
}

// All YAML of the files for operators and of CI is valid.
func TestDeploy_YAML(t *testing.T) {
	t.Parallel()
	texts := map[string]string{}
	for _, name := range []string{"deploy/compose.yaml", ".github/workflows/ci.yml"} {
		texts[name] = readText(t, name)
	}
	for i, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readText(t, "docs/deployment.md"), -1) {
		for j, object := range strings.Split(block[1], "\n---\n") {
			texts[fmt.Sprintf("docs/deployment.md, block %d, object %d", i+1, j+1)] = object
		}
	}
	if len(texts) < 4 {
		t.Errorf("found %d YAML texts, want at least 4", len(texts))
	}
	for name, text := range texts {
		var value map[string]any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil || len(value) < 3 {
			t.Errorf("%s: %d members, error %v, want at least 3 and none", name, len(value), err)
		}
	}
}

// Releases and images are built with the same flags.
func TestDeploy_SameBuild(t *testing.T) {
	t.Parallel()
	for _, name := range []string{".ci/release", "Dockerfile"} {
		for _, flag := range []string{"CGO_ENABLED=0 ", " -trimpath -buildvcs=false ", `-ldflags "-s -w -X mixcloud-graphql/internal/app.release=$`} {
			if !strings.Contains(readText(t, name), flag) {
				t.Errorf("%s does not contain %q", name, flag)
			}
		}
	}
	version, _, _ := strings.Cut(strings.SplitAfter(readText(t, "go.mod"), "\ngo ")[1], "\n")
	if want := "golang:" + version + " AS build"; !strings.Contains(readText(t, "Dockerfile"), want) {
		t.Errorf("the Dockerfile does not contain %q, the version of go.mod", want)
	}
}

// startNginx starts nginx with the file for operators, in front of two replicas, and returns its address.
func startNginx(t *testing.T, replicas ...*process) string {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/nginx")
	}
	if ci := os.Getenv("CI"); err != nil && (ci == "" || ci == "0" || ci == "false") {
		t.Skip("nginx is not installed")
	} else if err != nil {
		t.Fatal("nginx is not installed")
	}
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	_ = ln.Close()
	dir, text := t.TempDir(), readText(t, "deploy/nginx.conf")
	for from, to := range map[string]string{
		"listen 8080;": "listen " + addr + ";", "worker_processes auto;": "worker_processes 1;", "/tmp/": dir + "/",
		"172.30.80.11:8080": strings.TrimPrefix(replicas[0].base, "http://"), "172.30.80.12:8080": strings.TrimPrefix(replicas[1].base, "http://"),
	} {
		if !strings.Contains(text, from) {
			t.Fatalf("deploy/nginx.conf does not contain %q", from)
		}
		text = strings.ReplaceAll(text, from, to)
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	directives := "daemon off;"
	if os.Getuid() == 0 {
		directives += " user root;"
	}
	var log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, "-p", dir, "-c", file, "-e", "stderr", "-g", directives)
	cmd.Stderr = &log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that it ends its worker
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if _ = cmd.Wait(); t.Failed() {
			t.Logf("nginx: %s", &log)
		}
	})
	for deadline := time.Now().Add(processTimeout); ; {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
		if err == nil {
			_ = conn.Close()
			return "http://" + addr
		}
		if time.Now().After(deadline) {
			t.Fatalf("nginx does not listen: %v", err)
		}
	}
}

// Through nginx, both replicas serve requests and know the client's address; uploads and events are not buffered; and
// one replica serves everything after the other has stopped.
func TestDeploy_Nginx(t *testing.T) {
	t.Parallel()
	args := []string{"--demo", "--addr=127.0.0.1:0", "--trusted-proxy=127.0.0.1"}
	replicas := []*process{start(t, args...), start(t, args...)}
	base := startNginx(t, replicas...)
	send := func(url, name string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"query":"query `+name+` { user(username: \"demo\") { name } }"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		r.Header.Set("Forwarded", "for=203.0.113.9")
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "Robin Hale") {
			t.Fatalf("%s: status = %s, body = %s (error %v), want 200 and the user", url, resp.Status, body, err)
		}
		return resp, string(body)
	}
	for range 20 {
		send(base+"/graphql", "Both")
	}
	replicas[0].signal(t)
	_, first := replicas[0].end(t)
	for range 20 {
		send(base+"/graphql", "One")
	}
	testStreaming(t, base)
	replicas[1].signal(t)
	_, second := replicas[1].end(t)
	for i, log := range []string{first, second} {
		if !strings.Contains(log, "name=Both") {
			t.Errorf("replica %d got no request while both ran:\n%s", i+1, log)
		}
		if strings.Contains(log, "203.0.113.9") || !strings.Contains(log, "client=127.0.0.1") {
			t.Errorf("replica %d does not log the address that nginx saw:\n%s", i+1, log)
		}
	}
	if n := strings.Count(second, "name=One"); n != 20 {
		t.Errorf("the second replica got %d requests after the first had stopped, want 20", n)
	}
}

// testStreaming uploads a file whose second half is sent only after an event has reported the first.
func testStreaming(t *testing.T, base string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), processTimeout)
	defer cancel()
	request := func(body io.Reader, contentType, accept string) *http.Request {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/graphql", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer demo-token")
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Accept", accept)
		return r
	}
	events, err := http.DefaultTransport.RoundTrip(request(strings.NewReader(`{"query":"subscription { uploadProgress(uploadId: \"x\") { phase bytesSent } }"}`), "application/json", "text/event-stream"))
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	lines := bufio.NewReader(events.Body)
	waitFor := func(event *regexp.Regexp) {
		t.Helper()
		for {
			line, err := lines.ReadString('\n')
			if event.MatchString(line) {
				return
			}
			if err != nil {
				t.Fatalf("the events end with %v before one matches %v", err, event)
			}
		}
	}
	body, pipe := io.Pipe()
	form := multipart.NewWriter(pipe)
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		resp, err := http.DefaultTransport.RoundTrip(request(body, form.FormDataContentType(), "application/json"))
		if err != nil {
			done <- result{"", err}
			return
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		done <- result{string(text), err}
	}()
	half := bytes.Repeat([]byte{0xff, 0xfb, 0x90, 0x64}, 256<<10)
	var file io.Writer
	for _, write := range []func() error{
		func() error {
			return form.WriteField("operations", `{"query":"mutation ($f: Upload!) { uploadCloudcast(input: {mp3: $f, name: \"Through nginx\", uploadId: \"x\"}) { cloudcast { key } userErrors { message } } }","variables":{"f":null}}`)
		},
		func() error { return form.WriteField("map", `{"0":["variables.f"]}`) },
		func() (err error) { file, err = form.CreateFormFile("0", "x.mp3"); return err },
		func() error { _, err := file.Write(half); return err },
		func() error { waitFor(regexp.MustCompile(`"phase":"SENDING","bytesSent":[1-9]`)); return nil },
		func() error { _, err := file.Write(half); return err },
		form.Close,
		pipe.Close,
	} {
		if err := write(); err != nil {
			t.Fatal(err)
		}
	}
	if r := <-done; r.err != nil || !strings.Contains(r.text, `/demo/through-nginx/`) {
		t.Errorf("the upload returned %s (error %v), want the key", r.text, r.err)
	}
	waitFor(regexp.MustCompile(`"phase":"DONE"`))
}
