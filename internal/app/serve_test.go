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

// A hall is a server whose handler waits for the test to let it go.
type hall struct {
	base     string
	stop     context.CancelFunc // the signal to stop
	entered  chan struct{}      // a request is in flight
	leave    chan struct{}      // closed to let requests finish
	gone     chan error         // why a request's context ended
	stopping chan struct{}
	served   chan error
}

func newHall(t *testing.T, drain time.Duration) *hall {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	h := &hall{
		base: "http://" + ln.Addr().String(), stop: stop,
		entered: make(chan struct{}), leave: make(chan struct{}), gone: make(chan error, 1),
		stopping: make(chan struct{}), served: make(chan error, 1),
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.entered <- struct{}{}
		select {
		case <-h.leave:
			_, _ = io.WriteString(w, "finished")
		case <-r.Context().Done():
			h.gone <- r.Context().Err()
		}
	})
	go func() {
		h.served <- serve(ctx, ln, handler, nil, connlimit.New(1000, slog.New(slog.DiscardHandler)), drain, slog.New(slog.DiscardHandler), func() { close(h.stopping) })
	}()
	t.Cleanup(stop)
	return h
}

// get sends a request and returns a channel for its response, or for "error: " and the error.
func (h *hall) get(t *testing.T) chan string {
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

func TestServe_FinishesInFlightRequests(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	h := newHall(t, time.Minute)
	response := h.get(t)
	<-h.entered
	h.stop()
	<-h.stopping
	select {
	case err := <-h.served:
		t.Fatalf("it returned with a request in flight: %v", err)
	default:
	}
	close(h.leave)
	if got := <-response; got != "finished" {
		t.Errorf("the request in flight got %q", got)
	}
	if err := <-h.served; err != nil {
		t.Errorf("drained with %v", err)
	}
	if got := <-h.get(t); !strings.HasPrefix(got, "error:") {
		t.Errorf("a request after draining got %q", got)
	}
}

func TestServe_DrainTimeout(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	h := newHall(t, time.Millisecond)
	response := h.get(t)
	<-h.entered
	h.stop()
	err := <-h.served
	if err == nil || !strings.Contains(err.Error(), "still in flight 1ms after") {
		t.Errorf("got %v", err)
	}
	if got := <-h.gone; !errors.Is(got, context.Canceled) {
		t.Errorf("the request's context ended with %v", got)
	}
	if got := <-response; !strings.HasPrefix(got, "error:") {
		t.Errorf("the request that was cut off got %q", got)
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
	err = serve(t.Context(), ln, http.NotFoundHandler(), nil, connlimit.New(1000, slog.New(slog.DiscardHandler)), 0, slog.New(slog.DiscardHandler), func() { t.Error("it drains") })
	if !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
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
		t.Errorf("base %q, want %q", base, want)
	}
	_, _, err = listen(t.Context(), ln.Addr().String(), "http")
	if err == nil || !strings.Contains(err.Error(), "cannot listen on "+ln.Addr().String()) || !strings.Contains(err.Error(), "--addr") {
		t.Errorf("an address in use: error %v", err)
	}
	all, base, err := listen(t.Context(), ":0", "https")
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	if !strings.HasPrefix(base, "https://127.0.0.1:") {
		t.Errorf("listening everywhere, the base is %q", base)
	}
}
