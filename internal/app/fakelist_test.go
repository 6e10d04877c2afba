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

// A fakeList simulates Mixcloud with one list, to which a test can add items between calls. Its
// paging follows recordings of Mixcloud. It shares no code with the emulator, so that an error in
// the emulator cannot hide one in the server.
type fakeList struct {
	connection string // such as "favorites"
	maxPage    int    // the maximum size of a page
	newest     bool   // since returns the newest items instead of those nearest to it
	byOffset   bool   // the list has no dates

	mu    sync.Mutex
	items []listItem // newest first
}

// A listItem is an item of a fakeList.
type listItem struct {
	n  int   // determines the key
	at int64 // the time at which it was added, in Unix seconds
}

// insert adds an item to the list, at index place among the items of its second.
func (r *fakeList) insert(f listItem, place int) {
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

// snapshot returns the current items.
func (r *fakeList) snapshot() []listItem {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.items)
}

// RoundTrip returns the owner or a page of the list.
func (r *fakeList) RoundTrip(req *http.Request) (*http.Response, error) {
	var body any
	switch req.URL.Path {
	case "/owner/":
		body = map[string]any{"key": "/owner/", "url": "https://www.mixcloud.com/owner/", "name": "Owner", "username": "owner"}
	case "/owner/" + r.connection + "/", "/" + r.connection + "/":
		body = r.page(req.URL)
	default:
		return nil, fmt.Errorf("unexpected call: %s", req.URL.Path)
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

// page returns the page that a URL requests.
func (r *fakeList) page(u *url.URL) any {
	query := u.Query()
	limit := 20
	if n, err := strconv.Atoi(query.Get("limit")); err == nil && n > 0 {
		limit = n
	}
	limit = min(limit, r.maxPage)
	items := r.snapshot()
	bound := func(name string) (int64, bool) {
		t, err := time.Parse(time.DateTime, query.Get(name))
		return t.Unix(), err == nil
	}
	until, hasUntil := bound("until")
	since, hasSince := bound("since")
	items = slices.DeleteFunc(items, func(f listItem) bool { return hasUntil && f.at >= until || hasSince && f.at <= since })

	paging := map[string]string{}
	link := func(name, parameter, value string) {
		q := url.Values{"limit": {strconv.Itoa(limit)}, parameter: {value}}
		paging[name] = "https://mixcloud.test" + u.Path + "?" + q.Encode()
	}
	format := func(at int64) string { return time.Unix(at, 0).UTC().Format(time.DateTime) }
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
			if hasSince && !hasUntil && !r.newest {
				items = items[len(items)-limit:]
			} else {
				items = items[:limit]
			}
		}
		if len(items) > 0 {
			link("previous", "since", format(items[0].at))
		}
		if len(items) == limit {
			link("next", "until", format(items[len(items)-1].at))
		}
	}
	response := map[string]any{"data": r.encode(items)}
	if len(paging) > 0 {
		response["paging"] = paging
	}
	return response
}

// encode returns items in the form of the REST API.
func (r *fakeList) encode(items []listItem) []any {
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

// key returns an item's key. In a list of listens several items have the same key.
func (r *fakeList) key(f listItem) string {
	switch r.connection {
	case "followers", "following":
		return fmt.Sprintf("/user%d/", f.n)
	case "comments":
		return fmt.Sprintf("/comments/cr/1/2/c%d/", f.n)
	case "feed":
		return fmt.Sprintf("/owner/feed/%d/", f.n)
	case "listens":
		return fmt.Sprintf("/owner/show-%d/", f.n%23) // 23 is more than the items of one second
	}
	return fmt.Sprintf("/owner/show-%d/", f.n)
}

// id returns a unique id of an item.
func (r *fakeList) id(f listItem) string {
	if r.connection == "listens" {
		return r.key(f) + "@" + time.Unix(f.at, 0).UTC().Format(time.RFC3339)
	}
	return r.key(f)
}
