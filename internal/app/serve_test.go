package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mixcloud-graphql/internal/connlimit"
)

// A blockingServer is a server whose handler waits for the test.
type blockingServer struct {
	base     string
	stop     context.CancelFunc // ends the context of serve
	inFlight chan struct{}      // receives a value for each request in flight
	finish   chan struct{}      // closed to let requests finish
	canceled chan error         // receives the error of a request's context
	stopping chan struct{}      // closed when draining begins
	served   chan error         // receives the result of serve
}

func newBlockingServer(t *testing.T, drain time.Duration) *blockingServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	h := &blockingServer{
		base: "http://" + ln.Addr().String(), stop: stop,
		inFlight: make(chan struct{}), finish: make(chan struct{}), canceled: make(chan error, 1),
		stopping: make(chan struct{}), served: make(chan error, 1),
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.inFlight <- struct{}{}
		select {
		case <-h.finish:
			_, _ = io.WriteString(w, "finished")
		case <-r.Context().Done():
			h.canceled <- r.Context().Err()
		}
	})
	go func() {
		h.served <- serve(ctx, ln, handler, nil, connlimit.New(1000, slog.New(slog.DiscardHandler)), drain, slog.New(slog.DiscardHandler), func() { close(h.stopping) })
	}()
	t.Cleanup(stop)
	return h
}

// get sends a request. The channel receives the response, or "error: " and the error.
func (h *blockingServer) get(t *testing.T) chan string {
	t.Helper()
	response := make(chan string, 1)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	go func() {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, h.base, nil)
		if err != nil {
			response <- err.Error()
			return
		}
		resp, err := client.Do(r)
		if err != nil {
			response <- "error: " + err.Error()
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			response <- "error: " + err.Error()
			return
		}
		response <- string(body)
	}()
	return response
}

// When ctx ends, serve waits for the requests in flight and accepts no new ones.
func TestServe_FinishesInFlightRequests(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	h := newBlockingServer(t, time.Minute)
	response := h.get(t)
	<-h.inFlight
	h.stop()
	<-h.stopping
	select {
	case err := <-h.served:
		t.Fatalf("serve returned while a request was in flight: %v", err)
	default:
	}
	close(h.finish)
	if got := <-response; got != "finished" {
		t.Errorf("response to the request in flight = %q, want finished", got)
	}
	if err := <-h.served; err != nil {
		t.Errorf("serve returned the error %v, want none", err)
	}
	if got := <-h.get(t); !strings.HasPrefix(got, "error:") {
		t.Errorf("request after draining: got %q, want an error", got)
	}
}

// After the drain timeout, requests in flight are canceled and serve returns an error.
func TestServe_DrainTimeout(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	h := newBlockingServer(t, time.Millisecond)
	response := h.get(t)
	<-h.inFlight
	h.stop()
	err := <-h.served
	if err == nil || !strings.Contains(err.Error(), "still in flight 1ms after") {
		t.Errorf("error = %v, want \"still in flight 1ms after\"", err)
	}
	if got := <-h.canceled; !errors.Is(got, context.Canceled) {
		t.Errorf("error of the request's context = %v, want canceled", got)
	}
	if got := <-response; !strings.HasPrefix(got, "error:") {
		t.Errorf("canceled request: got %q, want an error", got)
	}
}

func TestServe_BrokenListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	err = serve(t.Context(), ln, http.NotFoundHandler(), nil, connlimit.New(1000, slog.New(slog.DiscardHandler)), 0, slog.New(slog.DiscardHandler), func() { t.Error("stopping was called") })
	if !errors.Is(err, net.ErrClosed) {
		t.Errorf("error = %v, want %v", err, net.ErrClosed)
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	ln, base, err := listen(t.Context(), "127.0.0.1:0", "http")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if want := "http://" + ln.Addr().String(); base != want {
		t.Errorf("base URL = %q, want %q", base, want)
	}
	_, _, err = listen(t.Context(), ln.Addr().String(), "http")
	if err == nil || !strings.Contains(err.Error(), "cannot listen on "+ln.Addr().String()) || !strings.Contains(err.Error(), "--addr") {
		t.Errorf("error for an address in use = %v, want \"cannot listen\" with a hint to --addr", err)
	}
	all, base, err := listen(t.Context(), ":0", "https")
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	if !strings.HasPrefix(base, "https://127.0.0.1:") {
		t.Errorf("base URL for :0 = %q, want https://127.0.0.1:PORT", base)
	}
}
