package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"mixcloud-graphql/bench/synthetic"
)

// A mixcloud emulates the part of Mixcloud's API that the queries need, for any name, so that each
// request can have another name. The data of mixcloud/emulator is finite: after some requests the
// cache of this server would contain all of it.
type mixcloud struct {
	server  *http.Server
	url     string
	latency atomic.Int64
	calls   atomic.Int64
}

func startMixcloud(ctx context.Context) (*mixcloud, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &mixcloud{url: "http://" + ln.Addr().String()}
	m.server = &http.Server{Handler: m, ReadHeaderTimeout: time.Minute}
	go func() { _ = m.server.Serve(ln) }() // until close
	return m, nil
}

func (m *mixcloud) close() { _ = m.server.Close() }

// ServeHTTP implements [http.Handler].
func (m *mixcloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.calls.Add(1)
	if latency := time.Duration(m.latency.Load()); latency > 0 {
		time.Sleep(latency)
	}
	status, body := respond(r.URL)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the server has disconnected
}

// RoundTrip implements [http.RoundTripper] without a connection, for plans. It does not count the call.
func (m *mixcloud) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := respond(r.URL)
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

// respond returns the response for a URL.
func respond(u *url.URL) (status int, body []byte) {
	names := strings.Split(strings.Trim(u.Path, "/"), "/")
	query := u.Query()
	switch last := names[len(names)-1]; {
	case len(names) == 1 && last == "popular":
		return http.StatusOK, list(u, 1<<30, func(b []byte, i int) []byte {
			return synthetic.AppendCloudcast(b, fmt.Sprint("host", i/20*7+i%20%7), fmt.Sprint("show-", i%20)) // seven owners on each page of 20
		})
	case len(names) == 1 && last == "search":
		owner := query.Get("q")
		return http.StatusOK, list(u, 200, func(b []byte, i int) []byte { return synthetic.AppendCloudcast(b, owner, fmt.Sprint("show-", i)) })
	case len(names) == 1 && last != "":
		return http.StatusOK, synthetic.AppendFullUser(nil, last)
	case len(names) == 2 && last == "cloudcasts":
		return http.StatusOK, list(u, 150, func(b []byte, i int) []byte { return synthetic.AppendCloudcast(b, names[0], fmt.Sprint("show-", i)) })
	case len(names) == 2 && last == "followers":
		return http.StatusOK, list(u, 500, func(b []byte, i int) []byte { return synthetic.AppendUser(b, fmt.Sprint(names[0], "-fan-", i)) })
	case len(names) == 2:
		return http.StatusOK, synthetic.AppendFullCloudcast(nil, names[0], last)
	case len(names) == 3 && last == "comments":
		return http.StatusOK, list(u, 40, func(b []byte, i int) []byte { return comment(b, names[0], names[1], i) })
	}
	return http.StatusNotFound, []byte(`{"error": {"type": "HttpNotFound", "message": "The requested resource was not found"}}`)
}

// comment appends the ith comment on a cloudcast. All comments on the cloudcasts of an owner are by 25 users.
func comment(b []byte, owner, slug string, i int) []byte {
	show, _ := strconv.Atoi(strings.TrimPrefix(slug, "show-"))
	key := fmt.Sprintf("/comments/cr/%s/%s-%d/", owner, slug, i)
	b = fmt.Appendf(b, `{"key": "%[1]s", "url": "https://www.mixcloud.com%[1]s", "comment": "Played this %[2]d times, and again tonight.", "submit_date": "2026-01-02T03:04:05Z", "user": `, key, i+2)
	b = synthetic.AppendUser(b, fmt.Sprint(owner, "-fan-", (4*show+i)%25))
	return append(b, '}')
}

// list returns the requested page of a list with a number of items.
func list(u *url.URL, items int, appendItem func(b []byte, i int) []byte) []byte {
	query := u.Query()
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil {
		limit = 20
	}
	offset, _ := strconv.Atoi(query.Get("offset"))
	end := min(offset+min(limit, 100), items)
	body := []byte(`{"data": [`)
	for i := offset; i < end; i++ {
		if i > offset {
			body = append(body, ",\n"...)
		}
		body = appendItem(body, i)
	}
	body = append(body, `], "paging": {`...)
	if end < items {
		query.Set("offset", strconv.Itoa(end))
		body = fmt.Appendf(body, `"next": "https://api.mixcloud.com%s?%s"`, u.Path, query.Encode())
	}
	return append(body, `}, "name": "A list"}`...)
}
