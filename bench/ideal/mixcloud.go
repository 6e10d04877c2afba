package ideal

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// A resource contains the relevant members of any object of the API: its identity and the resources
// in it.
type resource struct {
	Key     string
	Type    string // of an activity, such as "upload"
	Current bool   `json:"is_current_user"`

	// The first of these times that is set is the time at which an item was added to its list.
	Submitted time.Time `json:"submit_date"`  // comments
	Listened  time.Time `json:"listen_time"`  // listens
	Created   time.Time `json:"created_time"` // cloudcasts and activities

	User, Owner, From, Track, Artist         *resource
	Tags, Hosts, Users, Cloudcasts, Sections []*resource
}

// listedAt returns the time at which an item was added to its list.
func (r *resource) listedAt() time.Time {
	switch {
	case !r.Submitted.IsZero():
		return r.Submitted
	case !r.Listened.IsZero():
		return r.Listened
	}
	return r.Created
}

// nested returns the resources in a member, by the member's name in the schema. Except for subjects
// the name in REST is the same.
func (r *resource) nested(member string) []*resource {
	one := func(r *resource) []*resource {
		if r == nil {
			return nil
		}
		return []*resource{r}
	}
	switch member {
	case "user":
		return one(r.User)
	case "owner":
		return one(r.Owner)
	case "from":
		return one(r.From)
	case "track":
		return one(r.Track)
	case "artist":
		return one(r.Artist)
	case "tags":
		return r.Tags
	case "hosts":
		return r.Hosts
	case "users":
		return r.Users
	case "cloudcasts":
		return r.Cloudcasts
	case "subjects":
		return slices.Concat(r.Cloudcasts, r.Users)
	case "sections":
		return r.Sections
	}
	return nil
}

// A response is the result of a call: a resource, or a page of them.
type response struct {
	resource
	Data   []*resource
	Paging struct{ Next string }

	found bool
}

// A cachedAPI makes calls to an API whose data does not change, each call once.
type cachedAPI struct {
	api       http.RoundTripper
	mu        sync.Mutex
	responses map[string]*response
}

// get makes a call with a token, or returns its response if it was made before.
func (l *cachedAPI) get(c Call, token string) (*response, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	address := "http://mixcloud.test" + c.Path + "?" + c.Query
	if token != "" {
		address += "&access_token=" + token
	}
	if a := l.responses[address]; a != nil {
		return a, nil
	}
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	resp, err := l.api.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	a := &response{found: resp.StatusCode == http.StatusOK}
	switch {
	case !a.found && resp.StatusCode != http.StatusNotFound:
		return nil, fmt.Errorf("ideal: %s: status %d", c.Path, resp.StatusCode)
	case a.found && !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"):
		if err := json.NewDecoder(resp.Body).Decode(a); err != nil && !c.opaque {
			return nil, fmt.Errorf("ideal: %s: %w", c.Path, err)
		}
	}
	l.responses[address] = a
	return a, nil
}

// canonicalKey returns one key for all spellings: user names in any case, and the three prefixes
// that tags have had (observed).
func canonicalKey(key string) string {
	first, rest, _ := strings.Cut(strings.Trim(key, "/"), "/")
	switch first = strings.ToLower(first); {
	case rest == "":
		return "/" + first + "/"
	case first == "tag", first == "discover":
		first = "genres"
	}
	return "/" + first + "/" + rest + "/"
}

// pathOf returns the path of a key or of a page's URL.
func pathOf(keyOrURL string) string {
	path := strings.TrimSpace(keyOrURL)
	if _, rest, absolute := strings.Cut(path, "://"); absolute {
		_, path, _ = strings.Cut(rest, "/")
	}
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	return "/" + strings.Trim(path, "/") + "/"
}

// typeOf returns the type of a resource, which the form of its key determines, or "" if the key is
// not valid.
func typeOf(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch first := strings.ToLower(parts[0]); {
	case len(parts) == 2 && (first == "genres" || first == "discover" || first == "tag"):
		if strings.HasPrefix(parts[1], "city:") && !strings.Contains(parts[1], "+") {
			return "City"
		}
		return "Tag"
	case len(parts) == 2 && first == "categories":
		return "Category"
	case len(parts) == 2 && first == "artist":
		return "Artist"
	case len(parts) == 3 && first == "track":
		return "Track"
	case len(parts) == 3 && parts[1] == "playlists":
		return "Playlist"
	case len(parts) == 2:
		return "Cloudcast"
	case len(parts) == 1 && parts[0] != "":
		return "User"
	}
	return ""
}

// slug returns the last path segment of a tag or city with a name.
func slug(name string) string { return world.Escape(world.Slugify(name)) }
