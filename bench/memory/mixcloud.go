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
)

// A mixcloud is a Mixcloud that responds to any name. Its objects have the members and the size of the real ones. Each
// item of a list is derived from the list's name and the item's number, so that no two pages are equal.
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
		return cloudcast(nil, names[0], names[1], `, "description": "`+strings.Repeat("All night long. ", 30)+`"`)
	default:
		return user(nil, names[0], `, "biog": "`+strings.Repeat("Plays records. ", 20)+`", "city": "London", "country": "United Kingdom",
			"created_time": "2012-03-04T05:06:07Z", "updated_time": "2026-03-04T05:06:07Z", "follower_count": 1000, "following_count": 20,
			"cloudcast_count": 30, "favorite_count": 40, "listen_count": 50, "is_pro": false, "is_premium": false`)
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
			body = user(body, id, "")
		} else {
			body = cloudcast(body, id, "show", "")
		}
	}
	return fmt.Appendf(body, `], "paging": {"next": "https://api.mixcloud.com/%s/?limit=%d&offset=%d"}, "name": "%s"}`, strings.Join(names, "/"), limit, offset+limit, name)
}

var pictureSizes = []string{"small", "thumbnail", "medium_mobile", "medium", "large", "320wx320h", "extra_large", "640wx640h", "768wx768h", "1024wx1024h"}

func pictures(b []byte, of string) []byte {
	b = append(b, `"pictures": {`...)
	for i, size := range pictureSizes {
		if i > 0 {
			b = append(b, ",\n            "...)
		}
		b = fmt.Appendf(b, `"%s": "https://thumbnailer.mixcloud.com/unsafe/300x300/extaudio/a/b/c/d/aaaa-bbbb-cccc-dddd-%s-%d"`, size, of, i)
	}
	return append(b, '}')
}

// user appends a user with more members.
func user(b []byte, name, more string) []byte {
	b = fmt.Appendf(b, `{"key": "/%[1]s/", "url": "https://www.mixcloud.com/%[1]s/", "name": "The name of %[1]s", "username": "%[1]s", `, name)
	b = pictures(b, name)
	return append(append(b, more...), '}')
}

// cloudcast appends a cloudcast with more members.
func cloudcast(b []byte, owner, slug, more string) []byte {
	b = fmt.Appendf(b, `{"key": "/%[1]s/%[2]s/", "url": "https://www.mixcloud.com/%[1]s/%[2]s/", "name": "A show of %[1]s", "slug": "%[2]s",
		"tags": [{"key": "/genres/funk/", "url": "https://www.mixcloud.com/genres/funk/", "name": "Funk"}, {"key": "/genres/soul/", "url": "https://www.mixcloud.com/genres/soul/", "name": "Soul"}],
		"created_time": "2026-01-01T00:00:00Z", "updated_time": "2026-01-01T00:00:00Z", "play_count": 1000, "favorite_count": 200, "comment_count": 30,
		"listener_count": 400, "repost_count": 5, "audio_length": 3600, "hosts": [], `, owner, slug)
	b = pictures(b, owner)
	b = append(b, `, "user": `...)
	b = user(b, owner, "")
	return append(append(b, more...), '}')
}
