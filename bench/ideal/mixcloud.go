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

// A resource is what matters here of any object of the API: what it is, and the
// resources inside it.
type resource struct {
	Key     string
	Type    string // of an activity: what was done
	Current bool   `json:"is_current_user"`

	// Of these times, the first that is there is when an item came onto a dated list.
	Submitted time.Time `json:"submit_date"`  // comments
	Listened  time.Time `json:"listen_time"`  // listens
	Created   time.Time `json:"created_time"` // cloudcasts and activities

	User, Owner, From, Track, Artist         *resource
	Tags, Hosts, Users, Cloudcasts, Sections []*resource
}

// listed is when an item of a dated list came onto it.
func (r *resource) listed() time.Time {
	switch {
	case !r.Submitted.IsZero():
		return r.Submitted
	case !r.Listened.IsZero():
		return r.Listened
	}
	return r.Created
}

// inside gives the resources of a member, by the member's name in the graph,
// which for all of them but subjects is that of REST.
func (r *resource) inside(member string) []*resource {
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

// An answer is what a call gave: a resource, or a page of them.
type answer struct {
	resource
	Data   []*resource
	Paging struct{ Next string }

	found bool
}

// A library looks things up in a Mixcloud that does not change, each once.
type library struct {
	api   http.RoundTripper
	mu    sync.Mutex
	known map[string]*answer
}

// ask makes a call for the holder of token.
func (l *library) ask(c Call, token string) (*answer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	address := "http://mixcloud.test" + c.Path + "?" + c.Query
	if token != "" {
		address += "&access_token=" + token
	}
	if a := l.known[address]; a != nil {
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
	a := &answer{found: resp.StatusCode == http.StatusOK}
	switch {
	case !a.found && resp.StatusCode != http.StatusNotFound:
		return nil, fmt.Errorf("ideal: %s is answered with status %d", c.Path, resp.StatusCode)
	case a.found && !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"):
		if err := json.NewDecoder(resp.Body).Decode(a); err != nil && !c.opaque {
			return nil, fmt.Errorf("ideal: %s: %w", c.Path, err)
		}
	}
	l.known[address] = a
	return a, nil
}

// identity folds the spellings of one key: users' names in any case, and the
// three prefixes that a tag has had (observed).
func identity(key string) string {
	first, rest, _ := strings.Cut(strings.Trim(key, "/"), "/")
	switch first = strings.ToLower(first); {
	case rest == "":
		return "/" + first + "/"
	case first == "tag", first == "discover":
		first = "genres"
	}
	return "/" + first + "/" + rest + "/"
}

// pathOf reads a key, or the address of a page, as somebody pasted it.
func pathOf(pasted string) string {
	path := strings.TrimSpace(pasted)
	if _, rest, absolute := strings.Cut(path, "://"); absolute {
		_, path, _ = strings.Cut(rest, "/")
	}
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	return "/" + strings.Trim(path, "/") + "/"
}

// kindOf tells the type of a resource by the form of its key, "" for what is
// none.
func kindOf(path string) string {
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

// slug is the last part of the address of what has that name.
func slug(name string) string { return world.Escape(world.Slugify(name)) }
