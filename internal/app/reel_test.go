package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A reel is a Mixcloud with one list that changes under its readers. It pages
// as recordings show, and shares nothing with the emulator: what both get wrong
// alike would not be seen otherwise.
type reel struct {
	connection string // such as "favorites"
	cap        int    // largest page
	newest     bool   // since returns the newest items instead of those nearest to it
	byOffset   bool   // the list has no dates

	mu    sync.Mutex
	items []frame // newest first
}

// A frame is an item of a reel.
type frame struct {
	n  int   // makes the key
	at int64 // when it was listed
}

// insert puts an item onto the list. Place is where among the items of its
// second.
func (r *reel) insert(f frame, place int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := 0
	for i < len(r.items) && r.items[i].at > f.at {
		i++
	}
	for ; place > 0 && i < len(r.items) && r.items[i].at == f.at; place-- {
		i++
	}
	r.items = slices.Insert(r.items, i, f)
}

// all is the list as it stands.
func (r *reel) all() []frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.items)
}

// RoundTrip responds for the owner and for the list.
func (r *reel) RoundTrip(req *http.Request) (*http.Response, error) {
	var body any
	switch req.URL.Path {
	case "/owner/":
		body = map[string]any{"key": "/owner/", "url": "https://www.mixcloud.com/owner/", "name": "Owner", "username": "owner"}
	case "/owner/" + r.connection + "/", "/" + r.connection + "/":
		body = r.page(req.URL)
	default:
		return nil, fmt.Errorf("nothing at %s", req.URL.Path)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"text/javascript; charset=utf-8"}},
		Body:   io.NopCloser(strings.NewReader(string(text))), ContentLength: int64(len(text)),
	}, nil
}

func (r *reel) page(u *url.URL) any {
	query := u.Query()
	limit := 20
	if n, err := strconv.Atoi(query.Get("limit")); err == nil && n > 0 {
		limit = n
	}
	limit = min(limit, r.cap)
	items := r.all()
	bound := func(name string) (int64, bool) {
		t, err := time.Parse(time.DateTime, query.Get(name))
		return t.Unix(), err == nil
	}
	until, bounded := bound("until")
	since, fromBelow := bound("since")
	items = slices.DeleteFunc(items, func(f frame) bool { return bounded && f.at >= until || fromBelow && f.at <= since })

	paging := map[string]string{}
	link := func(name, parameter, value string) {
		q := url.Values{"limit": {strconv.Itoa(limit)}, parameter: {value}}
		paging[name] = "https://mixcloud.test" + u.Path + "?" + q.Encode()
	}
	clock := func(at int64) string { return time.Unix(at, 0).UTC().Format(time.DateTime) }
	if r.byOffset || query.Has("offset") {
		offset, _ := strconv.Atoi(query.Get("offset"))
		items = items[min(offset, len(items)):]
		items = items[:min(limit, len(items))]
		if len(items) == limit {
			link("next", "offset", strconv.Itoa(offset+limit))
		}
		if offset > 0 {
			link("previous", "offset", strconv.Itoa(max(0, offset-limit)))
		}
	} else {
		if len(items) > limit {
			if fromBelow && !bounded && !r.newest {
				items = items[len(items)-limit:]
			} else {
				items = items[:limit]
			}
		}
		if len(items) > 0 {
			link("previous", "since", clock(items[0].at))
		}
		if len(items) == limit {
			link("next", "until", clock(items[len(items)-1].at))
		}
	}
	envelope := map[string]any{"data": r.json(items)}
	if len(paging) > 0 {
		envelope["paging"] = paging
	}
	return envelope
}

func (r *reel) json(items []frame) []any {
	list := make([]any, len(items))
	for i, f := range items {
		key := r.key(f)
		item := map[string]any{"key": key, "url": "https://www.mixcloud.com" + key, "name": key}
		at := time.Unix(f.at, 0).UTC().Format(time.RFC3339)
		switch r.connection {
		case "cloudcasts":
			item["created_time"] = at
		case "listens":
			item["created_time"], item["listen_time"] = "2010-01-01T00:00:00Z", at
		case "comments":
			item["submit_date"], item["comment"] = at, "text"
		case "feed":
			item["created_time"], item["type"], item["title"] = at, "follow", "is now following"
		}
		list[i] = item
	}
	return list
}

// key is an item's key. One cloudcast can be listened to at many times.
func (r *reel) key(f frame) string {
	switch r.connection {
	case "followers", "following":
		return fmt.Sprintf("/user%d/", f.n)
	case "comments":
		return fmt.Sprintf("/comments/cr/1/2/c%d/", f.n)
	case "feed":
		return fmt.Sprintf("/owner/feed/%d/", f.n)
	case "listens":
		return fmt.Sprintf("/owner/show-%d/", f.n%23) // more than can share a second
	}
	return fmt.Sprintf("/owner/show-%d/", f.n)
}

// name distinguishes items.
func (r *reel) name(f frame) string {
	if r.connection == "listens" {
		return r.key(f) + "@" + time.Unix(f.at, 0).UTC().Format(time.RFC3339)
	}
	return r.key(f)
}
