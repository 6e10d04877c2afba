package graphhttp_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"mixcloud-graphql/internal/clientlimit"
	"mixcloud-graphql/internal/graphhttp"
)

// A stream of events is a request in flight until it ends or its client leaves.
func TestClientLimits_Inflight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limiter := clientlimit.New(clientlimit.Limits{Inflight: 1})
		name := func(r *http.Request) string { return r.Header.Get("X-Client") }
		var log strings.Builder
		h := graphhttp.ClientLimits(limiter, name, slog.New(slog.NewTextHandler(&log, nil)))(graphhttp.New(newStub(), graphhttp.Options{}))
		ctx, leave := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			r := request(t, http.MethodPost, "/graphql", `{"query":"{ wait }"}`, "Content-Type: application/json", "Accept: text/event-stream", "X-Client: a")
			serve(h, r.WithContext(ctx))
		}()
		synctest.Wait()
		for range 2 {
			rec := send(t, h, `{"query":"{ hello }"}`, "X-Client: a", newer)
			if rec.Code != http.StatusTooManyRequests || rec.Header().Get("Retry-After") != "1" || !strings.Contains(rec.Body.String(), `"limit":"client-inflight"`) || !strings.HasPrefix(rec.Header().Get("Content-Type"), "application/graphql-response+json") {
				t.Errorf("request above the limit: status %d, headers %v, want 429 as application/graphql-response+json with Retry-After 1; body %s, want the limit client-inflight", rec.Code, rec.Header(), rec.Body)
			}
		}
		if rec := serve(h, request(t, http.MethodOptions, "/graphql", "", "X-Client: a")); rec.Code != http.StatusNoContent {
			t.Errorf("OPTIONS above the limit: status %d, want 204", rec.Code)
		}
		if rec := send(t, h, `{"query":"{ hello }"}`, "X-Client: b"); rec.Body.String() != hello {
			t.Errorf("another client: status %d, want 200: %s", rec.Code, rec.Body)
		}
		leave()
		<-done
		if rec := send(t, h, `{"query":"{ hello }"}`, "X-Client: a"); rec.Body.String() != hello {
			t.Errorf("after the other operations ended: status %d, want 200: %s", rec.Code, rec.Body)
		}
		if got := log.String(); strings.Count(got, "request refused: client limit reached") != 1 {
			t.Errorf("log %s, want one refusal", got)
		}
	})
}
