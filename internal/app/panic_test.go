package app

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/resolvers"
	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// A panicTransport is a transport that panics for one path.
type panicTransport struct {
	next http.RoundTripper
	path string
}

func (p panicTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == p.path {
		panic("a secret of the transport")
	}
	return p.next.RoundTrip(r)
}

// If the goroutine of a loader panics, the fields that needed its result have an INTERNAL error with the request's id. Other fields are
// not affected, the log contains the panic, and the server continues.
func TestPanicInALoader(t *testing.T) {
	t.Parallel()
	mixcloud := newEmulator(t)
	s := newTestServer(t, serverOptions{mixcloud: panicTransport{mixcloud.Transport(), "/spartacus/"}})
	query := `{ cloudcast(key: "/spartacus/party-time/") { name user { name biog city } } nodes(ids: ["MXUKL3NwYXJ0YWN1cy8"]) { id } }`
	for range 2 {
		resp := s.execute(t, "", query, nil)
		var data map[string]any
		errs := resp.decode(t, &data)
		want := []responseError{
			internalError("cloudcast", "user", "biog"), internalError("cloudcast", "user", "city"), internalError("nodes", 0.0),
		}
		if diff := cmp.Diff(want, errs); diff != "" {
			t.Errorf("errors differ (-want +got):\n%s", diff)
		}
		if valueAt(data, []any{"cloudcast", "user", "name"}) != "Spartacus" {
			t.Errorf("response = %s, want values for the other fields", resp.body)
		}
		if bytes.Contains(resp.body, []byte("secret")) {
			t.Errorf("response contains the panic's value: %s", resp.body)
		}
	}
	if log := s.log.String(); !strings.Contains(log, "a secret of the transport") || !strings.Contains(log, "panicTransport.RoundTrip") || !strings.Contains(log, "test-request") {
		t.Errorf("log = %s, want the panic, its stack and the request's id", log)
	}
}

// internalError returns the INTERNAL error at a path.
func internalError(path ...any) responseError {
	return responseError{
		Message:    "Internal server error. Report it with the request id in extensions.requestId.",
		Path:       path,
		Extensions: map[string]any{"code": "INTERNAL", "requestId": "test-request"},
	}
}

// If a resolver panics, only its field has an INTERNAL error. Here it panics because it has no store.
func TestPanicInAResolver(t *testing.T) {
	t.Parallel()
	log := new(logBuffer)
	logger := slog.New(slog.NewJSONHandler(log, nil))
	client, err := mixcloud.New()
	if err != nil {
		t.Fatal(err)
	}
	store := upstream.NewStore(client, upstream.Options{})
	t.Cleanup(func() { _ = store.Close(context.WithoutCancel(t.Context())) })
	session := store.Session("")
	schema := executable(resolvers.New(nil, logger, nil, new(upload.Hub)))
	handler := graphhttp.Chain(graphhttp.New(schema, graphhttp.Options{
		Log: logger,
		Around: func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			return next(loaders.Into(ctx, loaders.New(ctx, session)))
		},
	}), graphhttp.RequestID)
	s := &testServer{app: &App{handler: handler, log: logger}, log: log, recorder: new(callRecorder)}
	resp := s.execute(t, "", `{ cloudcast(key: "/spartacus/party-time/") { name } discover { key } }`, nil)
	var data map[string]any
	if diff := cmp.Diff([]responseError{internalError("cloudcast")}, resp.decode(t, &data)); diff != "" {
		t.Errorf("errors differ (-want +got):\n%s", diff)
	}
	if valueAt(data, []any{"discover", "key"}) != "/genres/all/" {
		t.Errorf("response = %s, want values for the other fields", resp.body)
	}
	if !strings.Contains(log.String(), "panic in a resolver") || !strings.Contains(log.String(), "ParseRef") && !strings.Contains(log.String(), "resolvers") {
		t.Errorf("log = %s, want the panic and its stack", log)
	}
}
