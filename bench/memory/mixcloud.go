package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"mixcloud-graphql/bench/synthetic"
)

// A mixcloud simulates Mixcloud and responds to any name. Its objects have the members and the size
// of real ones. Each item of a list is derived from the list's name and the item's number, so that
// no two pages are equal.
type mixcloud struct {
	server *http.Server
	url    string
	sent   atomic.Int64 // bytes of all responses
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
	body := respond(r.URL.Path, r.URL.Query())
	m.sent.Add(int64(len(body)))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // an error means that the server has disconnected
}

// respond returns the response for a path: a list if the query has a limit, a cloudcast for two names, a user for one.
// A user whose name begins with "small" has only the members that are in every user.
func respond(path string, query url.Values) []byte {
	names := strings.Split(strings.Trim(path, "/"), "/")
	limit, _ := strconv.Atoi(query.Get("limit"))
	offset, _ := strconv.Atoi(query.Get("offset"))
	switch {
	case strings.HasPrefix(names[0], "small"):
		return fmt.Appendf(nil, `{"key": "/%[1]s/", "url": "https://www.mixcloud.com/%[1]s/", "name": "%[1]s", "username": "%[1]s"}`, names[0])
	case limit > 0:
		return list(names, offset, limit)
	case len(names) > 1:
		return synthetic.AppendFullCloudcast(nil, names[0], names[1])
	default:
		return synthetic.AppendFullUser(nil, names[0])
	}
}

func list(names []string, offset, limit int) []byte {
	name := names[len(names)-1]
	body := []byte(`{"data": [`)
	for i := offset; i < offset+limit; i++ {
		if i > offset {
			body = append(body, ",\n"...)
		}
		id := names[0] + "-" + strconv.Itoa(i)
		if name == "followers" {
			body = synthetic.AppendUser(body, id)
		} else {
			body = synthetic.AppendCloudcast(body, id, "show")
		}
	}
	return fmt.Appendf(body, `], "paging": {"next": "https://api.mixcloud.com/%s/?limit=%d&offset=%d"}, "name": "%s"}`, strings.Join(names, "/"), limit, offset+limit, name)
}
