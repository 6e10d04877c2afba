package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
)

func TestHealthcheck(t *testing.T) {
	t.Parallel()
	files := newCertFiles(t)
	s := newTestServer(t, serverOptions{config: config.Serve{TLSCert: files.cert, TLSKey: files.key, DrainTimeout: 10 * time.Second}})
	_, port, _ := strings.Cut(strings.TrimPrefix(listenAndServe(t, s.app, "https"), "https://"), ":")
	respond := func(status int) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet || r.URL.Path != "/livez" {
				status = http.StatusNotFound
			}
			w.WriteHeader(status)
		}))
		t.Cleanup(server.Close)
		return strings.TrimPrefix(server.URL, "http://")
	}
	blocked, release := make(chan struct{}), make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(blocked); <-release }))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(release) })

	for name, tt := range map[string]struct {
		config config.Healthcheck
		err    string // a part of it, or "" if the check succeeds
	}{
		"success":         {config.Healthcheck{Addr: respond(http.StatusOK)}, ""},
		"TLS":             {config.Healthcheck{Addr: ":" + port, TLSCert: files.cert}, ""},
		"TLS, all hosts":  {config.Healthcheck{Addr: "0.0.0.0:" + port, TLSCert: files.cert}, ""},
		"HTTP instead":    {config.Healthcheck{Addr: "127.0.0.1:" + port}, "/livez returned status 400, want 200"},
		"another status":  {config.Healthcheck{Addr: respond(http.StatusServiceUnavailable)}, "/livez returned status 503, want 200"},
		"redirect":        {config.Healthcheck{Addr: respond(http.StatusFound)}, "/livez returned status 302, want 200"},
		"no server":       {config.Healthcheck{Addr: "127.0.0.1:1"}, "no response from http://127.0.0.1:1/livez"},
		"no response yet": {config.Healthcheck{Addr: strings.TrimPrefix(silent.URL, "http://"), Timeout: 50 * time.Millisecond}, "context deadline exceeded"},
	} {
		var out strings.Builder
		if tt.config.Timeout == 0 {
			tt.config.Timeout = time.Minute
		}
		switch err := runHealthcheck(t.Context(), tt.config, &out); {
		case tt.err == "" && (err != nil || out.String() != "ok\n"):
			t.Errorf("%s: got output %q and error %v, want ok", name, &out, err)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("%s: got error %v, want one with %q", name, err, tt.err)
		}
	}
	<-blocked
}
