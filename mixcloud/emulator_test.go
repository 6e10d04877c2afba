package mixcloud_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// seededWorld is the data set that tests clone.
var seededWorld = sync.OnceValue(func() *world.World { return world.New(1) })

// startEmulator returns an emulator with a copy of the seeded data set, the copy,
// and a client of the emulator.
func startEmulator(t testing.TB, opts ...mixcloud.Option) (*emulator.Emulator, *world.World, *mixcloud.Client) {
	t.Helper()
	w := seededWorld().Clone()
	e, err := emulator.New(emulator.WithWorld(w))
	if err != nil {
		t.Fatal(err)
	}
	c, err := mixcloud.New(append([]mixcloud.Option{
		mixcloud.WithAPIURL("http://mixcloud.test"),
		mixcloud.WithSiteURL("http://mixcloud.test/www"),
		mixcloud.WithOEmbedURL("http://mixcloud.test/www/oembed/"),
		mixcloud.WithHTTPClient(&http.Client{Transport: e.Transport()}),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return e, w, c
}

// sampleKeys contains the keys that replace the variables in the paths of
// endpoints. All lists of these resources have items.
type sampleKeys struct {
	user, cloudcast, playlist, category, artist, track, tags string
}

func findSampleKeys(t *testing.T, w *world.World) sampleKeys {
	t.Helper()
	first := func(what string, n int, ok func(int) bool) int {
		for i := range n {
			if ok(i) {
				return i
			}
		}
		t.Fatalf("the data set has no suitable %s, want one", what)
		return 0
	}
	shows := w.Latest
	show := shows[first("show", len(shows), func(i int) bool {
		s := shows[i]
		return len(s.Comments) > 0 && len(s.Favorites) > 0 && len(s.Listeners) > 0 && len(s.Similar) > 0 && len(s.Tags) > 0
	})]
	user := w.Users[first("user", len(w.Users), func(i int) bool {
		u := w.Users[i]
		return len(u.Cloudcasts) > 0 && len(u.Favorites) > 0 && len(u.Listens) > 0 && !u.HideListens && len(u.Followers) > 0 &&
			len(u.Following) > 0 && len(u.Comments) > 0 && len(u.Feed) > 0 && len(u.Playlists) > 0 && len(u.ListenLater) > 0 &&
			len(u.Playlists[0].Cloudcasts) > 0
	})]
	track := shows[first("tracklist", len(shows), func(i int) bool {
		return len(shows[i].Sections) > 0 && shows[i].Sections[0].Track != nil
	})].Sections[0].Track
	category := w.Categories[first("category", len(w.Categories), func(i int) bool {
		c := w.Categories[i]
		return len(c.Cloudcasts) > 0 && len(c.Users) > 0 && len(c.UserpickCloudcasts) > 0 && len(c.UserpickUsers) > 0
	})]
	tags, err := mixcloud.TagKey(show.Tags[0].Slug)
	if err != nil {
		t.Fatal(err)
	}
	return sampleKeys{
		user: user.Key(), cloudcast: show.Key(), playlist: user.Playlists[0].Key(),
		category: "/categories/" + category.Slug + "/", artist: track.Artist.Key(), track: track.Key(), tags: tags,
	}
}

func errOf[T any](_ T, err error) error { return err }

// call calls the method op for an endpoint with the given path. The arguments of a
// method that reads are chosen by their types and the path.
func (p sampleKeys) call(ctx context.Context, c *mixcloud.Client, op, path string) error {
	method := reflect.ValueOf(c).MethodByName(op)
	if !method.IsValid() {
		return fmt.Errorf("mixcloud.Client has no method %s", op)
	}
	values := map[reflect.Type]reflect.Value{}
	for _, v := range []any{
		p.owner(path), mixcloud.Range{Limit: 3}, mixcloud.EmbedOptions{Height: new(60)}, mixcloud.OEmbedOptions{MaxHeight: new(60)},
	} {
		values[reflect.TypeOf(v)] = reflect.ValueOf(v)
	}
	in := []reflect.Value{reflect.ValueOf(ctx)}
	for i := 1; i < method.Type().NumIn(); i++ {
		v, ok := values[method.Type().In(i)]
		if !ok {
			return p.write(ctx, c, op)
		}
		in = append(in, v)
	}
	if !strings.HasPrefix(method.Type().Out(0).String(), "*mixcloud.Page[") {
		if method.Type().Out(0) == reflect.TypeFor[*mixcloud.Result]() {
			return p.write(ctx, c, op)
		}
		err, _ := reflect.TypeAssert[error](method.Call(in)[1])
		return err
	}
	out := method.Call(in)
	if err, _ := reflect.TypeAssert[error](out[1]); err != nil {
		return err
	}
	if out[0].Elem().FieldByName("Items").Len() == 0 {
		return errors.New("the page is empty")
	}
	if n := out[0].Elem().FieldByName("Dropped").Int(); n > 0 {
		return fmt.Errorf("%d items were dropped", n)
	}
	return nil
}

// owner returns the string argument of the method that reads a path: the key of
// the resource, or the query of a search.
func (p sampleKeys) owner(path string) string {
	tags := strings.TrimPrefix(p.tags, "/genres/")
	switch {
	case path == "/search/":
		return "a"
	case strings.Contains(path, "{playlist}"):
		return p.playlist
	case strings.Contains(path, "{cloudcast}"), path == "/oembed/":
		return p.cloudcast
	case strings.HasPrefix(path, "/me/"):
		return "/me/"
	case strings.HasPrefix(path, "/categories/"):
		return p.category
	case strings.HasPrefix(path, "/artist/"):
		return p.artist
	case strings.HasPrefix(path, "/track/"):
		return p.track
	case strings.Contains(path, "{tags}"):
		prefix, _, _ := strings.Cut(path, "{tags}")
		return prefix + tags
	default:
		return p.user
	}
}

// write calls a method that changes data. The endpoints are called in the order of
// the table, so that each action is done before it is undone.
func (p sampleKeys) write(ctx context.Context, c *mixcloud.Client, op string) error {
	sent := func(r *mixcloud.Result, err error) error {
		if err == nil && (!r.Success || r.Message == "") {
			return fmt.Errorf("the write was refused: %+v", r)
		}
		return err
	}
	fields := mixcloud.UploadFields{Name: new("New here")}
	switch op {
	case "Follow":
		return sent(c.Follow(ctx, "/spartacus/"))
	case "Unfollow":
		return sent(c.Unfollow(ctx, "/spartacus/"))
	case "Favorite":
		return sent(c.Favorite(ctx, p.cloudcast))
	case "Unfavorite":
		return sent(c.Unfavorite(ctx, p.cloudcast))
	case "Repost":
		return sent(c.Repost(ctx, p.cloudcast))
	case "Unrepost":
		return sent(c.Unrepost(ctx, p.cloudcast))
	case "AddToListenLater":
		return sent(c.AddToListenLater(ctx, p.cloudcast))
	case "RemoveFromListenLater":
		return sent(c.RemoveFromListenLater(ctx, p.cloudcast))
	case "Upload":
		return sent(c.Upload(ctx, fields, &oneFile{field: "mp3", body: "sound"}))
	case "Edit":
		return sent(c.Edit(ctx, p.user+"new-here/", fields, nil))
	}
	return fmt.Errorf("add a call of %s to this test", op)
}

// oneFile is a Files of one file.
type oneFile struct{ field, body string }

func (f *oneFile) Next(context.Context) (*mixcloud.FilePart, error) {
	if f.field == "" {
		return nil, io.EOF
	}
	part := &mixcloud.FilePart{Field: f.field, Body: strings.NewReader(f.body)}
	f.field = ""
	return part, nil
}

// TestEndpoints calls every endpoint of the table through its method. The emulator
// must have received exactly one request, and responded with status 200. A missing
// slash, for example, would be a redirect.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	var ops []string
	e, w, c := startEmulator(t, mixcloud.WithObserver(func(c mixcloud.Call) { ops = append(ops, c.Op) }))
	p := findSampleKeys(t, w)
	ref, err := c.ParseRef(p.user)
	if err != nil {
		t.Fatal(err)
	}
	viewer := c.As(strings.Trim(ref.Key.String(), "/") + "-token")
	for _, endpoint := range mixcloud.Endpoints() {
		e.ClearRequests()
		ops = nil
		if err := p.call(t.Context(), viewer, endpoint.Op, endpoint.Path); err != nil {
			t.Errorf("%s with path %s: %v", endpoint.Op, endpoint.Path, err)
			continue
		}
		requests := e.Requests()
		if len(requests) != 1 || requests[0].Method != endpoint.Method || requests[0].Status != 200 || !matchesPattern(endpoint.Path, requests[0].Path) {
			t.Errorf("%s made the requests %+v, want one successful %s %s", endpoint.Op, requests, endpoint.Method, endpoint.Path)
		}
		if diff := cmp.Diff([]string{endpoint.Op}, ops); diff != "" {
			t.Errorf("%s: observed operations (-want +got):\n%s", endpoint.Path, diff)
		}
	}
}

var braces = regexp.MustCompile(`\\\{[a-z]+\\\}`)

// matchesPattern reports whether a requested path matches the path of an endpoint.
func matchesPattern(pattern, path string) bool {
	form := braces.ReplaceAllString(regexp.QuoteMeta(pattern), `[^/]+`)
	return regexp.MustCompile(`^(/www)?` + form + `$`).MatchString(path)
}

// routesWithoutMethod are the emulator's routes that have no method, with the
// reason. The routes of OAuth are not included: their methods are those of OAuth.
var routesWithoutMethod = map[string]string{
	"/{user}/listen-later/": "only the owner can read it, with ListenLater or Cloudcasts",
}

// TestEndpoints_AreTheEmulatorsRoutes checks that every route has an endpoint, and
// every endpoint a route.
func TestEndpoints_AreTheEmulatorsRoutes(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`\{[a-z]+\}`)
	bare := func(pattern string) string { return named.ReplaceAllString(strings.TrimPrefix(pattern, "/www"), "{}") }
	routes := map[string]bool{}
	for _, r := range emulator.Routes() {
		if _, skip := routesWithoutMethod[r.Pattern]; !skip && !strings.HasPrefix(r.Pattern, "/www/oauth/") {
			routes[r.Method+" "+bare(r.Pattern)] = true
		}
	}
	endpoints := map[string]bool{}
	for _, e := range mixcloud.Endpoints() {
		endpoints[e.Method+" "+bare(e.Path)] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(routes)), slices.Sorted(maps.Keys(endpoints))); diff != "" {
		t.Errorf("routes of mixcloud/emulator/routes.go and lists.go (-), endpoints of mixcloud/endpoint.go and connection.go (+); add the missing ones:\n%s", diff)
	}
}
