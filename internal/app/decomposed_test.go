package app

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// decomposedSite is a transport that simulates Mixcloud with decomposed keys: keys with the
// composed é do not exist.
type decomposedSite struct{}

func (decomposedSite) RoundTrip(r *http.Request) (*http.Response, error) {
	path := r.URL.Path
	status, body := http.StatusNotFound, `{"error": {"message": "Not there.", "type": "ResourceNotFoundException"}}`
	if link := r.URL.Query().Get("url"); link != "" { // oEmbed
		u, err := url.Parse(link)
		if err != nil {
			return nil, err
		}
		path = u.Path
	}
	if !strings.Contains(path, "\u00e9") {
		status = http.StatusOK
		switch {
		case r.Method == http.MethodPost:
			body = `{"result": {"success": true, "message": "Done."}}`
		case strings.HasSuffix(path, "/popular/"), strings.HasSuffix(path, "/latest/"):
			body = `{"data": [{"key": "/a/1/"}, {"key": "/a/2/"}], "paging": {"next": "https://mixcloud.test` + r.URL.EscapedPath() + `?limit=2&offset=2"}}`
			if r.URL.Query().Get("offset") == "2" {
				body = `{"data": [{"key": "/a/3/"}, {"key": "/a/4/"}]}`
			}
		case strings.Contains(r.URL.Path, "/oembed/"):
			body = `{"title": "found", "type": "rich", "version": "1.0"}`
		default:
			body = `{"key": "` + r.URL.EscapedPath() + `"}`
		}
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"text/javascript; charset=utf-8"}},
		Body: io.NopCloser(bytes.NewReader([]byte(body))), Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(body)),
	}, nil
}

// If Mixcloud returns 404 for the composed form of a key, the server looks it up once in the
// received form. A write is sent once, with the form that exists.
func TestDecomposed_ReceivedFormAfter404(t *testing.T) {
	t.Parallel()
	const text = "re\u0301mi"
	tests := map[string]struct {
		query, token string
		want         string // a part of the response
		calls        []string
	}{
		"user":      {query: `query ($t: String!) { user(username: $t) { key } }`, want: `"key":"/re%CC%81mi/"`, calls: []string{"GET /r%C3%A9mi/", "GET /re%CC%81mi/"}},
		"tag":       {query: `query ($t: String!) { tag(name: $t) { key } }`, want: `"key":"/genres/re%CC%81mi/"`, calls: []string{"GET /genres/r%C3%A9mi/", "GET /genres/re%CC%81mi/"}},
		"city":      {query: `query ($t: String!) { city(name: $t) { key } }`, want: `"key":"/genres/city:re%CC%81mi/"`, calls: []string{"GET /genres/city:r%C3%A9mi/", "GET /genres/city:re%CC%81mi/"}},
		"category":  {query: `query ($t: String!) { category(slug: $t) { key } }`, want: `"key":"/categories/re%CC%81mi/"`, calls: []string{"GET /categories/r%C3%A9mi/", "GET /categories/re%CC%81mi/"}},
		"resource":  {query: `query ($t: String!) { resource(key: $t) { key } }`, want: `"key":"/re%CC%81mi/"`, calls: []string{"GET /r%C3%A9mi/", "GET /re%CC%81mi/"}},
		"resources": {query: `query ($t: String!) { resources(keys: [$t, "/a/"]) { key } }`, want: `"key":"/re%CC%81mi/"`, calls: []string{"GET /a/", "GET /r%C3%A9mi/", "GET /re%CC%81mi/"}},
		"discovery": {
			query: `query ($t: String!) { discover(tags: [$t]) { popular(first: 2) { nodes { key } } } }`, want: `"key":"/a/1/"`,
			calls: []string{"GET /genres/r%C3%A9mi/popular/?limit=2", "GET /genres/re%CC%81mi/popular/?limit=2"},
		},
		"oembed": {
			query: `query ($t: String!) { oembed(url: $t) { title } }`, want: `"title":"found"`,
			calls: []string{
				"GET /www/oembed/?format=json&url=https%3A%2F%2Fwww.mixcloud.com%2Fr%25C3%25A9mi%2F",
				"GET /www/oembed/?format=json&url=https%3A%2F%2Fwww.mixcloud.com%2Fre%25CC%2581mi%2F",
			},
		},
		"write": {
			query: `mutation ($t: String!) { followUser(input: {username: $t}) { message userErrors { code } } }`, token: "some-token", want: `"message":"Done."`,
			calls: []string{"GET /r%C3%A9mi/ (token)", "GET /re%CC%81mi/ (token)", "POST /re%CC%81mi/follow/ (token)"},
		},
		"id": { // not composed, since its key comes from Mixcloud
			query: `{ node(id: "` + "MXUKL3JlJUNDJTgxbWkv" + `") { ... on User { key } } }`, want: `"key":"/re%CC%81mi/"`, calls: []string{"GET /re%CC%81mi/"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, serverOptions{mixcloud: decomposedSite{}})
			variables := map[string]any{"t": text}
			if !strings.Contains(test.query, "$t") {
				variables = nil
			}
			got := s.execute(t, test.token, test.query, variables)
			if !strings.Contains(string(got.body), test.want) {
				t.Errorf("response = %s, want it to contain %s", got.body, test.want)
			}
			calls := s.takeCalls()
			slices.Sort(calls)
			if !slices.Equal(calls, test.calls) {
				t.Errorf("calls = %q, want %q", calls, test.calls)
			}
		})
	}
}

// If a discovery exists under the received form, its cursors continue there.
func TestDecomposed_CursorsOfADiscovery(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, serverOptions{mixcloud: decomposedSite{}})
	query := `query ($t: String!, $after: String) { discover(tags: [$t]) { latest(first: 2, after: $after) { pageInfo { endCursor } nodes { key } } } }`
	var after any
	for range 2 {
		var data struct {
			Discover struct {
				Latest struct {
					PageInfo struct{ EndCursor string }
					Nodes    []struct{ Key string }
				}
			}
		}
		if errs := s.execute(t, "", query, map[string]any{"t": "re\u0301mi", "after": after}).decode(t, &data); len(errs) > 0 || len(data.Discover.Latest.Nodes) != 2 {
			t.Fatalf("errors = %+v, data = %+v, want 2 nodes", errs, data)
		}
		after = data.Discover.Latest.PageInfo.EndCursor
	}
}
