package malformed

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// A mutation changes a request in one way.
type mutation struct {
	name  string
	apply func(*Corpus, *draft)
}

var mutations = []mutation{
	{"method", func(c *Corpus, d *draft) {
		d.method = pick(c, []string{"GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "post", "PROPFIND", "G\tT", ""})
	}},
	{"path", func(c *Corpus, d *draft) { d.target = pick(c, targets) }},
	{"query string", func(c *Corpus, d *draft) { d.target = "/graphql?" + c.query() }},
	{"header", func(c *Corpus, d *draft) { h := pick(c, headers); d.set(h[0], h[1]) }},
	{"content type", func(c *Corpus, d *draft) { d.set("Content-Type", pick(c, contentTypes)) }},
	{"content length", func(c *Corpus, d *draft) { d.length, d.truncated = pick(c, lengths), true }},
	{"chunks", func(c *Corpus, d *draft) {
		d.set("Transfer-Encoding", "chunked")
		d.length, d.truncated = "-", true
		d.body = []byte(pick(c, []string{"", "0\r\n\r\n", "zz\r\n", "5\r\n{}\r\n0\r\n\r\n", "-1\r\n", "ffffffffffffffff\r\n", "2\r\n{}\r\n0\r\nTrailer: x\r\n\r\n"}))
	}},
	{"no host", func(_ *Corpus, d *draft) {
		d.headers = slices.DeleteFunc(d.headers, func(h [2]string) bool { return h[0] == "Host" })
	}},
	{"host", func(c *Corpus, d *draft) {
		d.set("Host", pick(c, []string{"", "a b", "[::1", "x:y:z", strings.Repeat("a", 300), "127.0.0.1:99999", "example.org/"}))
	}},
	{"body", func(c *Corpus, d *draft) { d.body = []byte(c.json()) }},
	{"body", func(c *Corpus, d *draft) { d.body = []byte(c.json()) }},
	{"document", func(c *Corpus, d *draft) { d.body = fmt.Appendf(nil, `{"query":%s}`, quote(c.document())) }},
	{"document", func(c *Corpus, d *draft) {
		d.method, d.target, d.body = "GET", "/graphql?query="+url.QueryEscape(c.document()), nil
	}},
	{"variables", func(c *Corpus, d *draft) {
		d.body = fmt.Appendf(nil, `{"query":%s,"variables":%s}`, quote(pick(c, documents)), c.json())
	}},
	{"extensions", func(c *Corpus, d *draft) {
		d.body = fmt.Appendf(nil, `{"query":"{__typename}","extensions":%s}`, pick(c, []string{
			"1", "[]", `"x"`, `{"persistedQuery":1}`, `{"persistedQuery":{"version":2,"sha256Hash":"x"}}`, `{"persistedQuery":{"version":1,"sha256Hash":12}}`,
			`{"persistedQuery":{"version":1,"sha256Hash":"` + strings.Repeat("0", 64) + `"}}`, c.json(),
		}))
	}},
	{"form", func(c *Corpus, d *draft) {
		d.method, d.target = "POST", "/graphql"
		d.set("Content-Type", "multipart/form-data; boundary=X")
		d.set("GraphQL-Preflight", "1")
		d.body = []byte(c.form())
	}},
	{"credentials", func(c *Corpus, d *draft) { d.set("Authorization", pick(c, credentials)) }},
	{"cookie", func(c *Corpus, d *draft) { d.set("Cookie", pick(c, cookies)) }},
	{"version", func(c *Corpus, d *draft) {
		d.version = pick(c, []string{"HTTP/1.0", "HTTP/0.9", "HTTP/1.2", "http/1.1", "HTTX/1.1", ""})
	}},
}

var targets = []string{
	"/", "/graphql/", "//graphql", "/graphql%00", "/GRAPHQL", "/graphql;a=b", "/graphql?%", "/%2e%2e/%2e%2e/etc/passwd", "/../../graphql", "*",
	"http://example.org/graphql", "http:///graphql", "graphql", "/livez?x", "/readyz", "/schema.graphql", "/schema.graphql?x=1", "/playground/..%2f", "/playground/nothing.js",
	"/oauth/login", "/oauth/login?return=//evil.example", "/oauth/callback", "/oauth/callback?code=x&state=y", "/oauth/callback?error=%00", "/oauth/logout",
	"/favicon.ico", "/" + strings.Repeat("a", 9000), "/graphql?query=" + strings.Repeat("%7B", 4000), "/\xff\xfe", "/a b",
}

var headers = [][2]string{
	{"Accept", "*/*;q=0"},
	{"Accept", "application/json;q=2"},
	{"Accept", "text/html"},
	{"Accept", ",,,;;;"},
	{"Accept", strings.Repeat("a/b,", 3000)},
	{"Accept", "text/event-stream"},
	{"Accept-Encoding", "zstd;q=0, gzip;q=0, identity;q=0"},
	{"Accept-Encoding", "gzip;q=x"},
	{"Accept-Encoding", "br, *"},
	{"Content-Encoding", "gzip"},
	{"Content-Encoding", "identity, identity"},
	{"Content-Encoding", "br"},
	{"Expect", "100-continue"},
	{"Expect", "the worst"},
	{"Transfer-Encoding", "identity"},
	{"Upgrade", "websocket"},
	{"Connection", "upgrade"},
	{"Origin", "null"},
	{"Origin", "\xff"},
	{"Origin", "https://a, https://b"},
	{"If-None-Match", "*"},
	{"If-None-Match", `W/"x", "y`},
	{"If-None-Match", strings.Repeat(`"a",`, 1000)},
	{"Cache-Control", "no-cache, max-age=-1"},
	{"Range", "bytes=0-"},
	{"Idempotency-Key", ""},
	{"Idempotency-Key", strings.Repeat("k", 400)},
	{"Idempotency-Key", "\x7f\xff"},
	{"X-Request-Id", strings.Repeat("r", 5000)},
	{"X-Request-Id", "a\"b"},
	{"X-GraphQL-Cost", "maybe"},
	{"X-GraphQL-Dry-Run", "true"},
	{"X-GraphQL-Dry-Run", "2"},
	{"X-GraphQL-Trace", "true"},
	{"X-Forwarded-For", "not, an, address"},
	{"Forwarded", `for="[::1`},
	{"X-Forwarded-Proto", "gopher"},
	{"Last-Event-ID", "\x00"},
	{"traceparent", "00-xyz"},
	{"Sec-Fetch-Site", "cross-site"},
	{"X-Large", strings.Repeat("x", 200_000)},
	{"Bad Name", "x"},
	{"", "x"},
	{"X-Folded", "a\r\n b"},
	{"X-Nul", "a\x00b"},
	{"Referer", "javascript:1"},
	{"Content-Type", "application/json"},
}

var contentTypes = []string{
	"", "application/json; charset=utf-16", "application/json;;;", "text/plain", "application/x-www-form-urlencoded", "application/graphql", "multipart/form-data",
	"multipart/form-data; boundary=", "multipart/form-data; boundary=" + strings.Repeat("b", 100), "multipart/form-data; boundary=\"a\x01b\"", "multipart/mixed; boundary=X",
	"application/json, application/json", "a/b/c", "\xff/\xff", "application/graphql-response+json", "application/JSON; charset=\"UTF-8\"",
}

var lengths = []string{"-", "0", "1", "-5", "+3", "0x10", "1, 1", "99", "1048577", "9223372036854775807", "99999999999999999999", "abc"}

var credentials = []string{
	"Bearer", "Bearer ", "bearer x", "Bearer a b", "Basic dXNlcjpwYXNz", "Bearer " + strings.Repeat("t", 9000), "Bearer \xff\xfe", "Bearer x\x00", "Digest x=\"", "Bearer demo-token, Bearer other", "",
}

var cookies = []string{
	"", "=", "mixcloud_graphql_session=", "mixcloud_graphql_session=x", "__Host-mixcloud_graphql_session=" + strings.Repeat("A", 3000), "a=\"b; c=d", strings.Repeat("x=1; ", 800), "\xff=\xff",
}

// query returns a malformed query string.
func (c *Corpus) query() string {
	switch c.random.IntN(7) {
	case 0:
		return "query=" + url.QueryEscape(c.document()) + "&variables=" + url.QueryEscape(c.json())
	case 1:
		return "query=%7B__typename%7D&query=%7Bx%7D"
	case 2:
		return "query=%zz&operationName=%"
	case 3:
		return "variables={}&extensions=" + url.QueryEscape(c.json())
	case 4:
		return "query=" + url.QueryEscape("mutation { follow(input: {username: \"a\"}) { __typename } }")
	case 5:
		return strings.Repeat("a=b&", 2000)
	default:
		return ";;&&==&query"
	}
}
