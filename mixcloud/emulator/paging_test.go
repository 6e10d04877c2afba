package emulator_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// links returns the queries of the two links of a page, with times replaced by T, so
// that they can be compared with those of another list.
func links(page map[string]any) map[string]string {
	times := regexp.MustCompile(`\d{4}-\d\d-\d\d\+\d\d%3A\d\d%3A\d\d`)
	found := make(map[string]string)
	paging, _ := page["paging"].(map[string]any)
	for name, link := range paging {
		_, query, _ := strings.Cut(link.(string), "?")
		found[name] = times.ReplaceAllString(query, "T")
	}
	return found
}

// TestLinks_asRecorded compares the links with those of the recordings, except for
// times.
func TestLinks_asRecorded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ fixture, request string }{
		{"user_cloudcasts_date_page1_2018.json", "/demo/cloudcasts/"},
		{"user_cloudcasts_date_page1_2026_subset.json", "/demo/cloudcasts/"},
		{"user_comments_2018.json", "/demo/comments/"},
		{"user_followers_2018.json", "/demo/followers/"},
		{"user_following_2018.json", "/demo/following/"},
		{"user_favorites_metadata_2019.json", "/demo/favorites/?metadata=1"},
		{"user_listens_2018.json", "/demo/listens/"},
		{"user_cloudcasts_empty_2018.json", "/demo/cloudcasts/?until=1000000000"},
		{"user_cloudcasts_empty_2018.json", "/demo/cloudcasts/?since=" + url.QueryEscape("2030-01-01 00:00:00")},
		{"tag_popular_limit5_2021.json", "/discover/funk/popular/?limit=5"},
		{"search_user_2013.json", "/search/?q=spartacus&type=user"},
		{"search_tag_2013.json", "/search/?q=funky+house&type=tag"},
	} {
		t.Run(tt.fixture, func(t *testing.T) {
			t.Parallel()
			want, got := recorded(t, tt.fixture), getJSON(t, sharedEmulator(), tt.request)
			if diff := cmp.Diff(links(want), links(got)); diff != "" {
				t.Errorf("links of %s (-recorded +emulated):\n%s", tt.request, diff)
			}
		})
	}
}

// TestListNames_asRecorded compares the names of lists with those of the recordings,
// except for the user's name.
func TestListNames_asRecorded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ fixture, owner, request string }{
		{"user_cloudcasts_date_page1_2018.json", "Brooklyn Radio", "/demo/cloudcasts/"},
		{"user_cloudcasts_empty_2018.json", "ZANJ RADIO", "/demo/cloudcasts/?until=1000000000"},
		{"user_comments_2018.json", "Spartacus", "/demo/comments/"},
		{"user_followers_2018.json", "Spartacus", "/demo/followers/"},
		{"user_following_2018.json", "Spartacus", "/demo/following/"},
		{"user_favorites_metadata_2019.json", "Chris", "/demo/favorites/"},
		{"user_listens_2018.json", "Spartacus", "/demo/listens/"},
		{"user_feed_offset_last_page_2018_subset.json", "ZANJ RADIO", "/demo/feed/"},
		{"tag_popular_limit5_2021.json", "", "/genres/funk/popular/"},
		{"popular_with_token_2017.json", "", "/popular/"},
		{"new_2017.json", "", "/new/"},
		{"search_cloudcast_2022_data_only.json", "", "/search/?q=night&type=cloudcast"},
	} {
		t.Run(tt.fixture, func(t *testing.T) {
			t.Parallel()
			name := func(page map[string]any, owner string) string {
				name, ok := page["name"].(string)
				if !ok {
					return "(none)"
				}
				if owner != "" && !strings.Contains(name, owner) {
					t.Errorf("name of the list = %q, want it to contain the owner %q", name, owner)
				}
				return strings.ReplaceAll(name, owner, "X")
			}
			emulated := ""
			if tt.owner != "" {
				emulated = sharedWorld().User("demo").Name
			}
			if got, want := name(getJSON(t, sharedEmulator(), tt.request), emulated), name(recorded(t, tt.fixture), tt.owner); got != want {
				t.Errorf("GET %s: name of the list = %q, want %q", tt.request, got, want)
			}
		})
	}
}

// TestLinks_byOffset compares the links by offset with those that were recorded at the
// offsets 0, 1, 800, 900 and 1000.
func TestLinks_byOffset(t *testing.T) {
	t.Parallel()
	n := len(sharedWorld().User("demo").Cloudcasts)
	for name, tt := range map[string]struct {
		query string
		items int
		want  map[string]string
	}{
		"first":                {"?offset=0&limit=20", 20, map[string]string{"next": "limit=20&offset=20"}},
		"middle":               {"?limit=20&offset=20", 20, map[string]string{"previous": "limit=20&offset=0", "next": "limit=20&offset=40"}},
		"one":                  {"?limit=1&offset=1", 1, map[string]string{"previous": "limit=1&offset=0", "next": "limit=1&offset=2"}},
		"below a page":         {"?limit=20&offset=5", 20, map[string]string{"previous": "limit=20&offset=0", "next": "limit=20&offset=25"}},
		"short last":           {fmt.Sprintf("?limit=20&offset=%d", n-3), 3, map[string]string{"previous": fmt.Sprintf("limit=20&offset=%d", n-23)}},
		"full last":            {fmt.Sprintf("?limit=20&offset=%d", n-20), 20, map[string]string{"previous": fmt.Sprintf("limit=20&offset=%d", n-40), "next": fmt.Sprintf("limit=20&offset=%d", n)}},
		"past the end":         {"?limit=100&offset=1000", 0, map[string]string{"previous": "limit=100&offset=900"}},
		"metadata is repeated": {"?metadata=1&offset=0", 20, map[string]string{"next": "limit=20&metadata=1&offset=20"}},
		"negative":             {"?offset=-5", 20, map[string]string{"next": "limit=20&offset=20"}},
		"not a number":         {"?offset=x", 20, map[string]string{"next": "limit=20&offset=20"}},
		"absurd":               {"?offset=99999999999999999999", 20, map[string]string{"next": "limit=20&offset=20"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := getJSON(t, sharedEmulator(), "/demo/cloudcasts/"+tt.query)
			if got := len(page["data"].([]any)); got != tt.items {
				t.Errorf("%d items, want %d", got, tt.items)
			}
			if diff := cmp.Diff(tt.want, links(page)); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	capped := newEmulator(t, emulator.WithSettings(emulator.Settings{PageCap: 10}))
	for name, tt := range map[string]struct {
		e     *emulator.Emulator
		query string
		want  int
	}{
		"default":        {sharedEmulator(), "", 20},
		"requested":      {sharedEmulator(), "?limit=7", 7},
		"most":           {sharedEmulator(), "?limit=100", 100},
		"above":          {sharedEmulator(), "?limit=200", 100},
		"zero":           {sharedEmulator(), "?limit=0", 20},
		"negative":       {sharedEmulator(), "?limit=-1", 20},
		"not a number":   {sharedEmulator(), "?limit=many", 20},
		"a lower cap":    {capped, "?limit=50", 10},
		"below that cap": {capped, "?limit=5", 5},
		"cap by default": {capped, "", 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := getJSON(t, tt.e, "/HarbourFM/followers/"+tt.query)
			if got := len(page["data"].([]any)); got != tt.want {
				t.Errorf("%d items, want %d", got, tt.want)
			}
			if next := links(page)["next"]; !strings.HasPrefix(next, "limit="+strconv.Itoa(tt.want)+"&") {
				t.Errorf("the next link %q does not have limit=%d", next, tt.want)
			}
		})
	}
}

// TestLinks_fullLastPage checks that a full last page has a next link to an empty page.
func TestLinks_fullLastPage(t *testing.T) {
	t.Parallel()
	page := getJSON(t, sharedEmulator(), "/petra_kolar/followers/")
	if len(page["data"].([]any)) != 20 {
		t.Fatalf("the user has %d followers on the first page, want 20", len(page["data"].([]any)))
	}
	page = getJSON(t, sharedEmulator(), strings.TrimPrefix(at(page, "paging.next").(string), host))
	if page["paging"] != nil || len(page["data"].([]any)) != 0 {
		t.Errorf("the next page is %v, want an empty page without paging", page)
	}
}

// TestBounds checks that since and until are exclusive, and are accepted in both
// documented formats.
func TestBounds(t *testing.T) {
	t.Parallel()
	casts := sharedWorld().User("demo").Cloudcasts
	third := casts[3].Created
	var want []string
	for _, c := range casts {
		if c.Created.Before(third) && c.Created.After(casts[7].Created) {
			want = append(want, c.Key())
		}
	}
	for _, form := range []func(time.Time) string{
		func(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) },
		func(at time.Time) string { return url.QueryEscape(at.UTC().Format(time.DateTime)) },
	} {
		page := getJSON(t, sharedEmulator(), "/demo/cloudcasts/?until="+form(third)+"&since="+form(casts[7].Created))
		if diff := cmp.Diff(want, keys(page)); diff != "" {
			t.Errorf("keys between since and until (-want +got):\n%s", diff)
		}
	}
	first := keys(getJSON(t, sharedEmulator(), "/demo/cloudcasts/"))
	if diff := cmp.Diff(first, keys(getJSON(t, sharedEmulator(), "/demo/cloudcasts/?until=yesterday"))); diff != "" {
		t.Errorf("keys with an invalid until, want it ignored (-want +got):\n%s", diff)
	}
}

// TestSinceOrder checks the items of a page with since alone, for both orders.
func TestSinceOrder(t *testing.T) {
	t.Parallel()
	casts := sharedWorld().User("demo").Cloudcasts
	since := "/demo/cloudcasts/?limit=3&since=" + strconv.FormatInt(casts[10].Created.Unix(), 10)
	for order, want := range map[string][]int{"": {7, 8, 9}, emulator.SinceNearest: {7, 8, 9}, emulator.SinceNewest: {0, 1, 2}} {
		e := newEmulator(t, emulator.WithSettings(emulator.Settings{SinceOrder: order}))
		var keysWanted []string
		for _, i := range want {
			keysWanted = append(keysWanted, casts[i].Key())
		}
		if diff := cmp.Diff(keysWanted, keys(getJSON(t, e, since))); diff != "" {
			t.Errorf("keys with SinceOrder %q (-want +got):\n%s", order, diff)
		}
	}
}

// TestLinks_asRequested checks that links have the requested path, and neither token
// nor callback.
func TestLinks_asRequested(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]string{
		"/DEMO/followers/?limit=1":                                            host + "/DEMO/followers/?limit=1&until=",
		"/me/followers/?limit=1&access_token=demo-token":                      host + "/me/followers/?limit=1&until=",
		"/tag/funk/popular/?limit=1":                                          host + "/tag/funk/popular/?limit=1&offset=1",
		"/demo/followers/?limit=1&until=1700000000&since=1400000000":          host + "/demo/followers/?limit=1&until=2",
		"/demo/followers/?limit=1&until=1700000000&since=1400000000&offset=0": host + "/demo/followers/?limit=1&offset=1&since=1400000000&until=1700000000",
		"/search/?q=late+night&limit=1&type=cloudcast&z=%C3":                  host + "/search/?limit=1&offset=1&q=late+night&type=cloudcast&z=%C3",
	} {
		next, _ := at(getJSON(t, sharedEmulator(), request), "paging.next").(string)
		if !strings.HasPrefix(next, want) || strings.Contains(next, "token") {
			t.Errorf("GET %s: next link %q, want it to start with %q and to contain no token", request, next, want)
		}
	}
}

// followLinks follows the links of a direction from a path, which must have a query,
// and returns all keys. It adds the token to every link.
func followLinks(t testing.TB, path, direction string, token ...string) (seen []string) {
	t.Helper()
	for range 1000 {
		page := getJSON(t, sharedEmulator(), path+strings.ReplaceAll(strings.Join(token, ""), "?", "&"))
		seen = append(seen, keys(page)...)
		next, ok := at(page, "paging."+direction).(string)
		if !ok {
			return seen
		}
		path = strings.TrimPrefix(next, host)
	}
	t.Fatalf("a page still has the link %q after 1000 pages", direction)
	return nil
}

// TestNextLinks_property checks that the next links by offset lead to every item once,
// in order, and that those by date skip only items after a page that have the same
// time as its last item.
func TestNextLinks_property(t *testing.T) {
	t.Parallel()
	w := sharedWorld()
	rapid.Check(t, func(rt *rapid.T) {
		u := w.User(rapid.SampledFrom([]string{"demo", "HarbourFM", "ParallaxRadio", "tidewrack", "petra_kolar", "SundayMatinee", "OldFolksAtHome"}).Draw(rt, "user"))
		limit := rapid.SampledFrom([]int{7, 19, 20, 21, 50, 100}).Draw(rt, "limit")
		connection := rapid.SampledFrom([]string{"followers", "following", "cloudcasts", "comments"}).Draw(rt, "connection")
		var all []string
		var times []time.Time
		add := func(key string, at time.Time) { all, times = append(all, key), append(times, at) }
		switch connection {
		case "followers":
			for _, e := range u.Followers {
				add(e.User.Key(), e.At)
			}
		case "following":
			for _, e := range u.Following {
				add(e.User.Key(), e.At)
			}
		case "cloudcasts":
			for _, c := range u.Cloudcasts {
				add(c.Key(), c.Created)
			}
		case "comments":
			for _, c := range u.Comments {
				add(fmt.Sprintf("/comments/cr/%s/c%d/", c.Thread, c.ID), c.At)
			}
		}
		path := fmt.Sprintf("%s%s/?limit=%d", u.Key(), connection, limit)
		if diff := cmp.Diff(all, followLinks(t, path+"&offset=0", "next")); diff != "" {
			rt.Errorf("keys of all pages by offset (-want +got):\n%s", diff)
		}
		var reachable []string
		for i := 0; i < len(all); {
			end := min(i+limit, len(all))
			reachable = append(reachable, all[i:end]...)
			for i = end; i < len(all) && times[i].Equal(times[end-1]); i++ { // skipped after the page
			}
		}
		if diff := cmp.Diff(reachable, followLinks(t, path, "next")); diff != "" {
			rt.Errorf("keys of all pages by date (-want +got):\n%s", diff)
		}
	})
}

// TestPreviousLinks checks that the previous links lead back to the start of the list,
// and then to an empty page.
func TestPreviousLinks(t *testing.T) {
	t.Parallel()
	casts := sharedWorld().User("SundayMatinee").Cloudcasts
	oldest := casts[len(casts)-1].Created
	pages := followLinks(t, "/SundayMatinee/cloudcasts/?limit=5&since="+strconv.FormatInt(oldest.Unix(), 10), "previous")
	var want []string
	for from := len(casts) - 1; from > 0; from -= 5 {
		for i := max(0, from-5); i < from; i++ {
			want = append(want, casts[i].Key())
		}
	}
	if diff := cmp.Diff(want, pages); diff != "" {
		t.Errorf("keys of the pages from the oldest show on (-want +got):\n%s", diff)
	}
}

// TestCategoryLists_unpaged checks that the lists of categories have no pages.
func TestCategoryLists_unpaged(t *testing.T) {
	t.Parallel()
	g := sharedWorld().Category("ambient")
	var want []string
	for _, c := range g.Cloudcasts {
		want = append(want, c.Key())
	}
	page := getJSON(t, sharedEmulator(), "/categories/ambient/cloudcasts/?limit=3&offset=7")
	if diff := cmp.Diff(want, keys(page)); diff != "" || page["paging"] != nil {
		t.Errorf("list with limit and offset: paging %v, want none; keys (-want +got):\n%s", page["paging"], diff)
	}
}

// TestJoinedTags checks that tags joined by + select the shows that have all of them.
func TestJoinedTags(t *testing.T) {
	t.Parallel()
	all := sharedWorld().Latest
	show := all[slices.IndexFunc(all, func(c *world.Cloudcast) bool { return len(c.Tags) > 1 })]
	one, two := world.Escape(show.Tags[0].Slug), world.Escape(show.Tags[1].Slug)
	others := followLinks(t, "/genres/"+two+"/latest/?limit=100", "next")
	var want []string
	for _, key := range followLinks(t, "/genres/"+one+"/latest/?limit=100", "next") {
		if slices.Contains(others, key) {
			want = append(want, key)
		}
	}
	if !slices.Contains(want, show.Key()) {
		t.Fatalf("%s is not in the lists of both tags, want it in each", show.Key())
	}
	if diff := cmp.Diff(want, followLinks(t, "/genres/"+one+"+"+two+"/latest/?limit=100", "next")); diff != "" {
		t.Errorf("keys of the shows with both tags (-want +got):\n%s", diff)
	}
	cities := sharedWorld().Cities
	city := cities[slices.IndexFunc(cities, func(c *world.City) bool { return len(c.Cloudcasts) > 0 })]
	newest := keys(getJSON(t, sharedEmulator(), "/discover/city:"+world.Escape(city.Slug)+"/latest/?limit=1"))
	if diff := cmp.Diff([]string{city.Cloudcasts[0].Key()}, newest); diff != "" {
		t.Errorf("the newest show of %s (-want +got):\n%s", city.Name, diff)
	}
}
