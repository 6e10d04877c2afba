package mixcloud

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"mixcloud-graphql/internal/show"
)

// canary is a token that differs in each of its encoded forms.
const canary = `cAnArY+tok/en="1&2%41`

// secretForms are the encoded forms of canary, none of which may occur in a
// result.
var secretForms = []string{canary, url.QueryEscape(canary), url.PathEscape(canary), "cAnArY"}

func containsToken(s string) bool {
	for _, form := range secretForms {
		if strings.Contains(s, form) {
			return true
		}
	}
	return false
}

// allFormats returns v in all formats in which it could be logged.
func allFormats(v any) string {
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	slog.New(slog.NewTextHandler(&b, nil)).Info("m", "v", v)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "v", v)
	if err, ok := v.(error); ok {
		for err != nil {
			fmt.Fprintf(&b, "%v %+v %#v\n", err, err, err)
			switch u := err.(type) {
			case interface{ Unwrap() error }:
				err = u.Unwrap()
			case interface{ Unwrap() []error }:
				for _, e := range u.Unwrap() {
					b.WriteString(allFormats(e))
				}
				err = nil
			default:
				err = nil
			}
		}
	}
	return b.String()
}

// TestNoTokenLeaks makes calls with a token whose responses echo it, and checks
// that no result, error or observed call contains the token.
func TestNoTokenLeaks(t *testing.T) {
	t.Parallel()
	sent := func(r *http.Request) string { return r.URL.Query().Get("access_token") }
	quoted := func(s string) string {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	transports := map[string]roundTrip{
		"a transport that quotes the URL": func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("dial %s: no", r.URL)
		},
		"a URL in the error": func(r *http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: &url.Error{Op: "proxy", URL: r.URL.String(), Err: io.EOF}}
		},
		"a message with the token": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 400, nil, strings.NewReader(`{"error":{"type":`+quoted("T "+sent(r))+`,"message":`+quoted("An invalid access token was provided: "+sent(r))+`}}`)), nil
		},
		"a message with the URL": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 500, nil, strings.NewReader(`{"error":{"message":`+quoted("failed: "+r.URL.String())+`}}`)), nil
		},
		"a message that is truncated inside the token": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 500, nil, strings.NewReader(`{"error":{"message":`+quoted(strings.Repeat("x", 490)+sent(r))+`}}`)), nil
		},
		"a page with the URL": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 502, nil, strings.NewReader("<html>"+r.URL.String())), nil
		},
		"a redirect with the token": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 302, http.Header{"Location": {"https://elsewhere.test/?" + r.URL.RawQuery}}, strings.NewReader("")), nil
		},
		"a broken redirect with the token": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 302, http.Header{"Location": {"http://%zz/" + sent(r)}}, strings.NewReader("")), nil
		},
		"an interrupted body with the token": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 200, nil, &brokenBody{strings.NewReader("{"), errors.New("reading " + r.URL.String())}), nil
		},
		"not JSON": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 200, nil, strings.NewReader(sent(r))), nil
		},
		"no key": func(r *http.Request) (*http.Response, error) {
			return newResponse(r, 200, nil, strings.NewReader(`{"name":`+quoted(sent(r))+`}`)), nil
		},
	}
	for name, transport := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen bytes.Buffer
			tokens := 0
			c := testClient(t, func(r *http.Request) (*http.Response, error) {
				if r.URL.Host != "api.test" {
					t.Errorf("a request was sent to %s, want only api.test", r.URL.Host)
				}
				if sent(r) == canary {
					tokens++
				}
				return transport(r)
			}, WithObserver(func(c Call) { seen.WriteString(allFormats(c) + allFormats(c.Err)) }),
				WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
					return roundTrip(func(r *http.Request) (*http.Response, error) {
						seen.WriteString(r.URL.String())
						resp, err := next.RoundTrip(r)
						if resp != nil {
							seen.WriteString(resp.Request.URL.String())
						}
						return resp, err
					})
				}))
			viewer := c.As(canary)
			seen.WriteString(allFormats(viewer) + allFormats(*viewer) + allFormats(struct{ c *Client }{viewer}) + allFormats(struct{ c Client }{*viewer}))
			_, err := viewer.User(t.Context(), "/bob/")
			if err == nil {
				t.Fatal("User returned no error, want one")
			}
			seen.WriteString(allFormats(err))
			_, err = viewer.Get(t.Context(), "/bob/", url.Values{"a": {"b"}})
			seen.WriteString(allFormats(err))
			_, err = viewer.UserFeed(t.Context(), "/bob/", Range{})
			seen.WriteString(allFormats(err))
			if tokens != 3 {
				t.Errorf("the token was sent %d times, want 3", tokens)
			}
			if containsToken(seen.String()) {
				t.Errorf("an error, a log or a formatted value contains the token:\n%s", seen.String())
			}
		})
	}
}

// TestTokenIsSentToTheAPIOnly checks that all calls send the token except those of
// embeds and oEmbed, and that anonymous calls do not.
func TestTokenIsSentToTheAPIOnly(t *testing.T) {
	t.Parallel()
	without := map[string]bool{"EmbedHTML": true, "EmbedJSON": true, "OEmbed": true, "OEmbedXML": true}
	for name, test := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, token := range []string{canary, ""} {
				var got []string
				c := testClient(t, func(r *http.Request) (*http.Response, error) {
					got = r.URL.Query()["access_token"]
					query := r.URL.Query()
					query.Del("access_token")
					want := test.want[strings.IndexByte(test.want+"?", '?'):]
					if encoded := query.Encode(); "?"+encoded != want && encoded != want {
						t.Errorf("without the token the query is %q, want %q", encoded, want)
					}
					if r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" || r.Header.Get("Referer") != "" {
						t.Errorf("header %v, want no Authorization, Cookie and Referer", r.Header)
					}
					return newResponse(r, 200, http.Header{"Set-Cookie": {"session=1"}}, strings.NewReader(bodyFor(r.URL))), nil
				}).As(token)
				for range 2 { // the second call would send a stored cookie
					if err := test.call(t.Context(), c); err != nil {
						t.Fatal(err)
					}
				}
				if token == "" || without[name] {
					if len(got) > 0 {
						t.Errorf("tokens %q were sent, want none", got)
					}
				} else if len(got) != 1 || got[0] != canary {
					t.Errorf("tokens %q were sent, want one", got)
				}
			}
		})
	}
}

func TestTokenAndPlainHTTP(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"https://api.mixcloud.com":  true,
		"http://api.mixcloud.com":   false,
		"http://10.0.0.1:8081":      false,
		"http://emulator:8081":      false,
		"http://127.0.0.1:8081":     true,
		"http://[::1]:8081/x":       true,
		"http://localhost:8081":     true,
		"http://api.localhost":      true,
		"http://api.test":           true,
		"http://notlocalhost":       false,
		"http://127.0.0.1.evil.com": false,
		"http://localhost.evil.com": false,
	}
	for base, private := range tests {
		for _, insecure := range []bool{false, true} {
			sent := 0
			opts := []Option{WithAPIURL(base), WithHTTPClient(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				sent++
				return newResponse(r, 200, nil, strings.NewReader(`{"key":"/bob/"}`)), nil
			})})}
			if insecure {
				opts = append(opts, WithInsecureToken())
			}
			c, err := New(opts...)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.User(t.Context(), "/bob/"); err != nil {
				t.Errorf("%s: User without a token: %v", base, err)
			}
			_, err = c.As(canary).User(t.Context(), "/bob/")
			if want := private || insecure; (err == nil) != want || (sent == 2) != want || err != nil && !errors.Is(err, ErrInvalid) {
				t.Errorf("%s, insecure tokens allowed %t: error %v, %d calls; want a call with the token: %t, else ErrInvalid", base, insecure, err, sent, want)
			}
		}
	}
}

// newServer serves h on a loopback address, and returns a client of this server
// whose base URL has a path.
func newServer(t *testing.T, h http.HandlerFunc, opts ...Option) (*Client, *httptest.Server) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.StripPrefix("/base", h))
	s.Start()
	t.Cleanup(s.Close)
	c, err := New(append([]Option{WithAPIURL(s.URL + "/base")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

// TestRedirectsAreNotFollowed checks that no redirect is followed, to the same or
// to another host, and that the error has the key of another user.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	for _, to := range []string{other.URL + "/bob/", "/base/alice/", "//" + strings.TrimPrefix(other.URL, "http://")} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			requests := 0
			c, _ := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				requests++
				http.Redirect(w, r, to, status)
			}, WithHTTPClient(&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}))
			_, err := c.As(canary).User(t.Context(), "/bob/")
			var e *Error
			want := ""
			if to == "/base/alice/" {
				want = "/alice/"
			}
			if !errors.Is(err, ErrMoved) || !errors.As(err, &e) || e.Status != status || requests != 1 || e.Location != want {
				t.Errorf("status %d to %s: error %v after %d requests, want ErrMoved to %q after 1", status, to, err, requests, want)
			}
		}
	}
	if n := elsewhere.Load(); n > 0 {
		t.Errorf("%d requests followed a redirect to another host, want 0", n)
	}
}

// TestAs_SendsTheOwnToken checks that concurrent derived clients send their own
// tokens.
func TestAs_SendsTheOwnToken(t *testing.T) {
	t.Parallel()
	var observed atomic.Int64
	client, _ := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		token := r.URL.Query().Get("access_token")
		fmt.Fprintf(w, `{"key":"/%s/","is_current_user":true}`, token)
	}, WithObserver(func(Call) { observed.Add(1) }))
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			token := fmt.Sprintf("viewer-%d", i)
			viewer := client.As("another").As(token)
			for range 20 {
				me, err := viewer.Me(t.Context())
				if err != nil || me.Username != token {
					t.Errorf("Me with the token %s = %v, %v; want the user of the token", token, show.Value(me), err)
				}
			}
			if _, err := viewer.As("").Me(t.Context()); !errors.Is(err, ErrBadResponse) && err != nil {
				t.Errorf("Me without a token: error %v, want nil or ErrBadResponse", err)
			}
		})
	}
	wait.Wait()
	if n := observed.Load(); n != 16*21 {
		t.Errorf("the observer received %d calls, want %d", n, 16*21)
	}
}

// TestConnectionsAreReused checks that connections are reused after responses that
// were read to the end.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	status, body := 200, ""
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c, err := New(WithAPIURL(s.URL), WithMaxBody(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		status int
		body   string
	}{
		{200, `{"key":"/bob/"}`},
		{200, `{"key":`},
		{200, `{"key":"/bob/"}` + strings.Repeat(" ", 100_000)},
		{404, `{"error":{}}`},
		{502, strings.Repeat("<html>", 10_000)},
		{301, ""},
		{200, `{"key":"/bob/"}`},
	} {
		status, body = test.status, test.body
		_, _ = c.User(t.Context(), "/bob/")
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections were opened for sequential calls, want 1", n)
	}
}

// TestCompression checks that compression is requested, and that the maximum size
// applies to the decompressed body.
func TestCompression(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprintf(z, `{"key":"/bob/"}%s`, strings.Repeat(" ", 2<<20))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Errorf("Accept-Encoding = %q, want gzip", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	}
	c, _ := newServer(t, handler)
	if user, err := c.User(t.Context(), "/bob/"); err != nil || user.Key.String() != "/bob/" {
		t.Errorf("User with a gzip body = %v, %v; want /bob/", show.Value(user), err)
	}
	c, _ = newServer(t, handler, WithMaxBody(1<<20))
	if _, err := c.User(t.Context(), "/bob/"); !errors.Is(err, ErrBadResponse) || !errors.Is(err, errTooLarge) {
		t.Errorf("gzip body of %d bytes, above the maximum when decompressed: error %v, want ErrBadResponse and errTooLarge", packed.Len(), err)
	}
}

// TestObserver checks the description of each call that the observer receives.
func TestObserver(t *testing.T) {
	t.Parallel()
	var got []Call
	c := testClient(t, func(r *http.Request) (*http.Response, error) {
		return newResponse(r, 200, nil, strings.NewReader(`{"data":[]}`)), nil
	}, WithObserver(func(c Call) {
		if c.Duration < 0 {
			t.Errorf("Duration = %v, want 0 or more", c.Duration)
		}
		c.Duration = 0
		got = append(got, c)
	}))
	if _, err := c.As(canary).UserFollowers(context.Background(), "/bob/", Range{Limit: 5}); err != nil {
		t.Fatal(err)
	}
	want := Call{Op: "UserFollowers", Method: "GET", Path: "/bob/followers/", Query: "limit=5", Status: 200, Bytes: 11}
	if len(got) != 1 || got[0] != want {
		t.Errorf("observed %+v, want %+v", got, want)
	}
}
