package graphhttp_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/graphhttp"
)

const eventStream = "Accept: text/event-stream"

func TestEvents(t *testing.T) {
	t.Parallel()
	const asJSON = "Content-Type: application/json"
	tests := map[string]struct {
		method, query string
		headers       []string
		status        int
		want          string
	}{
		"subscription": {
			"POST", "subscription { count(to: 2) }",
			[]string{asJSON, eventStream},
			200,
			":\n\nevent: next\ndata: {\"data\":{\"count\": 1}}\n\nevent: next\ndata: {\"data\":{\"count\": 2}}\n\nevent: complete\ndata: \n\n",
		},
		"subscription without events": {"POST", "subscription { count(to: 0) }", []string{asJSON, eventStream}, 200, ":\n\nevent: complete\ndata: \n\n"},
		"refused subscription": {
			"POST", "subscription { broken }",
			[]string{asJSON, eventStream},
			200,
			":\n\nevent: next\ndata: {\"errors\":[{\"message\":\"Sign in.\",\"extensions\":{\"code\":\"UNAUTHENTICATED\"}}]}\n\nevent: complete\ndata: \n\n",
		},
		"panic in a subscription": {"POST", "subscription { panics }", []string{asJSON, eventStream}, 200, ":\n\nevent: complete\ndata: \n\n"},
		"subscription with GET (EventSource)": {
			"GET", "subscription { count(to: 1) }",
			[]string{eventStream},
			200,
			":\n\nevent: next\ndata: {\"data\":{\"count\": 1}}\n\nevent: complete\ndata: \n\n",
		},
		"all media types accepted": {
			"POST", "subscription { count(to: 0) }",
			[]string{asJSON, "Accept: application/graphql-response+json, application/json, text/event-stream"},
			200,
			":\n\nevent: complete\ndata: \n\n",
		},
		"a query": {
			"POST", "{ hello }",
			[]string{asJSON, eventStream},
			200,
			":\n\nevent: next\ndata: {\"data\":{\"hello\":\"you\"}}\n\nevent: complete\ndata: \n\n",
		},
		"subscription without Accept": {
			"POST", "subscription { count(to: 2) }",
			[]string{asJSON, newer},
			406,
			`{"errors":[{"message":"A subscription returns a stream of events. Send the header Accept: text/event-stream.","extensions":{"code":"BAD_USER_INPUT"}}]}` + "\n",
		},
		"mutation": {
			"POST", "mutation { set }",
			[]string{asJSON, eventStream},
			406,
			`{"errors":[{"message":"A mutation does not return a stream of events. Send the header Accept: application/graphql-response+json or application/json.","extensions":{"code":"BAD_USER_INPUT"}}]}` + "\n",
		},
		"mutation with GET": {
			"GET", "mutation { set }",
			[]string{eventStream},
			405,
			`{"errors":[{"message":"Only queries and subscriptions can be sent with GET. Send a mutation with POST.","extensions":{"code":"BAD_USER_INPUT"}}]}` + "\n",
		},
		"unknown field": {
			"POST", "subscription { nope }",
			[]string{asJSON, eventStream},
			400,
			`{"errors":[{"message":"Cannot query field \"nope\" on type \"Subscription\".","locations":[{"line":1,"column":16}],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`,
		},
		"syntax error": {
			"GET", "subscription {",
			[]string{eventStream},
			400,
			`{"errors":[{"message":"Expected Name, found \u003cEOF\u003e","locations":[{"line":1,"column":15}],"extensions":{"code":"GRAPHQL_PARSE_FAILED"}}]}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				target, body := "/graphql", `{"query":"`+tt.query+`"}`
				if tt.method == http.MethodGet {
					target, body = target+"?query="+url.QueryEscape(tt.query), ""
				}
				rec := serve(graphhttp.New(newStub(), graphhttp.Options{}), request(t, tt.method, target, body, tt.headers...))
				if diff := cmp.Diff(tt.want, rec.Body.String()); diff != "" || rec.Code != tt.status {
					t.Errorf("status %d, want %d; (-want +got):\n%s", rec.Code, tt.status, diff)
				}
				want := map[bool]string{true: "text/event-stream", false: "json; charset=utf-8"}[tt.status == 200]
				if got := rec.Header().Get("Content-Type"); !strings.HasSuffix(got, want) {
					t.Errorf("Content-Type = %q, want suffix %q", got, want)
				}
			})
		})
	}
}

// An idle stream sends keep-alive comments.
func TestEvents_keepAlive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		s.fields["hello"] = func(context.Context, map[string]any) (any, error) {
			time.Sleep(29 * time.Second)
			return "late", nil
		}
		rec := serve(graphhttp.New(s, graphhttp.Options{}), request(t, http.MethodPost, "/graphql", `{"query":"{ hello }"}`, "Content-Type: application/json", eventStream))
		if want := ":\n\n:\n\nevent: next\ndata: {\"data\":{\"hello\":\"late\"}}\n\nevent: complete\ndata: \n\n"; rec.Body.String() != want {
			t.Errorf("stream = %q, want %q", rec.Body.String(), want)
		}
	})
}

// The timeout of operations applies to queries, not to subscriptions.
func TestEvents_timeout(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{"subscription { count(to: 60) }": `"count": 60`, "{ wait }": "UPSTREAM_TIMEOUT"} {
		synctest.Test(t, func(t *testing.T) {
			rec := serve(graphhttp.New(newStub(), graphhttp.Options{Timeout: 5 * time.Second}), request(t, http.MethodPost, "/graphql", `{"query":"`+query+`"}`, "Content-Type: application/json", eventStream))
			if !strings.Contains(rec.Body.String(), want) {
				t.Errorf("stream %s lacks %s", rec.Body, want)
			}
		})
	}
}

// When the client leaves, its subscription ends.
func TestEvents_clientLeaves(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	h := graphhttp.New(newStub(), graphhttp.Options{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		close(ended)
	}))
	defer srv.Close()
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/graphql?query="+url.QueryEscape("subscription { count(to: 1000000) }"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 3)
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != ":\n\n" {
		t.Fatalf("stream begins with %q, want a keep-alive comment (error %v)", first, err)
	}
	leave()
	<-ended
}

// A server that starts to shut down ends subscriptions, and completes queries.
func TestEvents_stop(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"subscription { count(to: 1000) }": ":\n\nevent: next\ndata: {\"data\":{\"count\": 1}}\n\nevent: complete\ndata: \n\n",
		"{ hello }":                        ":\n\nevent: next\ndata: {\"data\":{\"hello\":\"late\"}}\n\nevent: complete\ndata: \n\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newStub()
			s.fields["hello"] = func(context.Context, map[string]any) (any, error) {
				time.Sleep(3 * time.Second)
				return "late", nil
			}
			stop := make(chan struct{})
			time.AfterFunc(1500*time.Millisecond, func() { close(stop) })
			rec := serve(graphhttp.New(s, graphhttp.Options{Stop: stop}), request(t, http.MethodPost, "/graphql", `{"query":"`+query+`"}`, "Content-Type: application/json", eventStream))
			if diff := cmp.Diff(want, rec.Body.String()); diff != "" {
				t.Errorf("streams differ (-want +got):\n%s", diff)
			}
		})
	}
}
