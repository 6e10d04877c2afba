package uploadhttp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/internal/uploadhttp"
)

// An endpoint handles forms like the GraphQL endpoint, but executes a function instead of an
// operation. The zero endpoint executes readFiles.
type endpoint struct {
	idle, timeout time.Duration
	send          func(context.Context) (string, error)
}

func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	form := uploadhttp.Open(w, r, uploadhttp.Options{HeadTimeout: 10 * time.Second, IdleTimeout: e.idle})
	defer form.Close()
	w = form.ResponseWriter()
	text, err := e.execute(r, form)
	if refused, ok := errors.AsType[*uploadhttp.Error](err); ok {
		gqlerr.Write(w, r, refused.Status, refused.Err)
		return
	}
	if err != nil {
		gqlerr.Write(w, r, http.StatusOK, err)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"send": text}})
}

func (e endpoint) execute(r *http.Request, form *uploadhttp.Request) (string, error) {
	if err := form.CheckHeader(); err != nil {
		return "", err
	}
	text, err := form.Operations(1<<20, func(r io.Reader) io.Reader { return r })
	if err != nil {
		return "", err
	}
	var operations struct{ Variables map[string]any }
	if err := json.Unmarshal(text, &operations); err != nil {
		return "", err
	}
	files, err := form.Files(&operations.Variables)
	if files == nil || err != nil {
		return "no files", err
	}
	if e.timeout == 0 {
		e.timeout = time.Minute
	}
	ctx, cancel := files.WithTimeout(r.Context(), e.timeout)
	defer cancel()
	if e.send == nil {
		e.send = readFiles
	}
	result, err := e.send(ctx)
	if fault := files.Fault(); fault != nil {
		return "", fault
	}
	return result, err
}

// readFiles reads the files of its request and describes them.
func readFiles(ctx context.Context) (string, error) {
	src, ok := upload.FromContext(ctx)
	if !ok {
		return "", errors.New("the context has no files")
	}
	var all []string
	for {
		part, err := src.Next(ctx)
		if errors.Is(err, io.EOF) {
			return strings.Join(all, ";"), nil
		}
		if err != nil {
			return "", err
		}
		body, err := io.ReadAll(part.Body)
		if err != nil {
			return "", err
		}
		all = append(all, fmt.Sprintf("%s=%s,%s,%s,%s", part.File.Path, part.File.Part, part.Filename, part.ContentType, body))
	}
}

// wait waits for the end of its context.
func wait(ctx context.Context) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

const (
	sendQuery = `{"query":"mutation($f: Upload) { send(file: $f) }","variables":{"f":null}}`
	sendMap   = `{"0":["variables.f"]}`
	formType  = "Content-Type: multipart/form-data; boundary=b"
	preflight = "GraphQL-Require-Preflight: 1"
)

// part returns a part of a form with the boundary b.
func part(headers, body string) string {
	return "--b\r\nContent-Disposition: form-data; " + headers + "\r\n\r\n" + body + "\r\n"
}

func file(name, body string) string {
	return part(`name="`+name+`"; filename="x.mp3"`+"\r\nContent-Type: audio/mpeg", body)
}

// formOf returns a form with operations, a map and files.
func formOf(operations, fileMap string, files ...string) string {
	return part(`name="operations"`, operations) + part(`name="map"`, fileMap) + strings.Join(files, "") + "--b--\r\n"
}

// request returns a form request; headers are "Name: value" lines.
func request(t *testing.T, body io.Reader, headers ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", body)
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ": ")
		if !ok {
			t.Fatalf("header %q is not of the form \"Name: value\"", h)
		}
		r.Header.Add(name, value)
	}
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// check compares a response. A refusal must have exactly one error, with a documented code, and
// no data.
func check(t *testing.T, rec *httptest.ResponseRecorder, status int, want string) {
	t.Helper()
	if rec.Code != status || !strings.Contains(rec.Body.String(), want) {
		t.Errorf("status %d, want %d; %s lacks %s", rec.Code, status, rec.Body, want)
	}
	var got struct {
		Data   json.RawMessage
		Errors []struct{ Extensions struct{ Code string } }
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
		t.Fatalf("response is not JSON: %v: %s", err, rec.Body)
	}
	if status < 400 {
		return
	}
	if got.Data != nil || len(got.Errors) != 1 {
		t.Fatalf("response has %d errors, want one error and no data: %s", len(got.Errors), rec.Body)
	}
	code := "BAD_USER_INPUT"
	if status == http.StatusRequestEntityTooLarge {
		code = "LIMIT_EXCEEDED"
	}
	if got.Errors[0].Extensions.Code != code {
		t.Errorf("error code = %s, want %s", got.Errors[0].Extensions.Code, code)
	}
}
