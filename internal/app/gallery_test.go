package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"mixcloud-graphql/internal/playground"
)

// galleryURL is the base URL of the server in the examples. The page replaces it with its own.
const galleryURL = "http://127.0.0.1:8080"

// Each example of the gallery returns data without errors on the demo. They run in the order of the
// gallery, on one server. A subscription runs together with the upload that has its uploadId.
func TestGallery(t *testing.T) {
	t.Parallel()
	examples, err := playground.Examples()
	if err != nil {
		t.Fatal(err)
	}
	_, url := serveDemo(t)
	for i, e := range examples {
		t.Run(e.Title, func(t *testing.T) {
			variables := galleryVariables(t, e, url)
			if e.Kind != "subscription" {
				runExample(t, url, e, variables)
				return
			}
			id := variables["uploadId"]
			for _, upload := range examples[:i] {
				of := galleryVariables(t, upload, url)
				if len(upload.Files) == 0 || of["uploadId"] != id {
					continue
				}
				variables["uploadId"], of["uploadId"], of["name"] = "another-show", "another-show", "Another show"
				events := gallerySubscription(t, url, e, variables)
				events(`"phase":"CHECKING"`) // the state before the upload
				runExample(t, url, upload, of)
				events(`"phase":"DONE"`)
				return
			}
			t.Errorf("no upload has the uploadId %v of the response", id)
		})
	}
}

func galleryVariables(t *testing.T, e playground.Example, url string) map[string]any {
	t.Helper()
	variables := map[string]any{}
	if e.Variables != nil {
		text := bytes.ReplaceAll(e.Variables, []byte(galleryURL), []byte(url))
		if err := json.Unmarshal(text, &variables); err != nil {
			t.Fatal(err)
		}
	}
	return variables
}

// runExample sends an example with small files. The response must have data, and neither errors nor
// user errors.
func runExample(t *testing.T, url string, e playground.Example, variables map[string]any) {
	t.Helper()
	var r *http.Request
	if len(e.Files) > 0 {
		var files []uploadFile
		for _, name := range e.Files {
			f := uploadFile{Path: "variables." + name, Name: name + ".mp3", Type: "audio/mpeg", Head: mp3Head, Size: 20_000}
			if name == "picture" {
				f = uploadFile{Path: "variables." + name, Name: "cover.png", Type: "image/png", Head: "\x89PNG\r\n\x1a\n", Size: 2000}
			}
			variables[name] = nil
			files = append(files, f)
		}
		r = multipartRequest(t, e.Query, variables, files...)
	} else {
		r = galleryRequest(t, e, variables)
	}
	resp := sendGallery(t, url, r, e.Token)
	defer func() { _ = resp.Body.Close() }()
	var body struct {
		Data   map[string]any
		Errors []any
	}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || len(body.Errors) > 0 || len(body.Data) == 0 {
		t.Fatalf("status = %d, errors = %v, data = %v, want 200 and data without errors", resp.StatusCode, body.Errors, body.Data)
	}
	for name, value := range body.Data {
		if value == nil {
			t.Errorf("%s = null, want a value", name)
		}
		if list := emptyList(value); list != "" {
			t.Errorf("list %s is empty, want items", name+list)
		}
		if payload, ok := value.(map[string]any); ok && e.Kind == "mutation" {
			if problems, _ := payload["userErrors"].([]any); len(problems) > 0 || payload["message"] == nil {
				t.Errorf("payload of %s = %v, want no user errors", name, payload)
			}
		}
	}
}

// emptyList returns the path of an empty list in the objects of a value, or "". Objects in lists do not count: some of the
// demo's shows have no tags.
func emptyList(value any) string {
	object, ok := value.(map[string]any)
	if !ok {
		list, ok := value.([]any)
		if ok && len(list) == 0 {
			return " "
		}
		return ""
	}
	for name, inner := range object {
		if name == "userErrors" {
			continue
		}
		if path := emptyList(inner); path != "" {
			return "." + name + path
		}
	}
	return ""
}

func galleryRequest(t *testing.T, e playground.Example, variables map[string]any) *http.Request {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": e.Query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return r
}

// sendGallery sends a request to the server at url over its socket.
func sendGallery(t *testing.T, url string, r *http.Request, token bool) *http.Response {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(stop)
	out, err := http.NewRequestWithContext(ctx, r.Method, url+"/graphql", r.Body)
	if err != nil {
		t.Fatal(err)
	}
	out.Header, out.ContentLength = r.Header, r.ContentLength
	if token {
		out.Header.Set("Authorization", "Bearer demo-token")
	}
	resp, err := http.DefaultClient.Do(out)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// gallerySubscription starts a subscription. The function that it returns reads events until one contains a text.
func gallerySubscription(t *testing.T, url string, e playground.Example, variables map[string]any) func(text string) string {
	t.Helper()
	r := galleryRequest(t, e, variables)
	r.Header.Set("Accept", "text/event-stream")
	resp := sendGallery(t, url, r, e.Token)
	t.Cleanup(func() { _ = resp.Body.Close() })
	lines := bufio.NewScanner(resp.Body)
	return func(text string) string {
		t.Helper()
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && strings.Contains(data, text) {
				return data
			}
		}
		t.Fatalf("the stream ended before an event with %s: %v", text, lines.Err())
		return ""
	}
}
