// Package malformed generates malformed HTTP requests, for tests of a GraphQL server.
//
// A corpus starts with valid requests (a query as POST and GET, an upload, an event stream, a
// preflight) and applies one or more mutations to each: it changes bytes, replaces headers by unusual
// ones, generates malformed JSON, documents or forms, and truncates the request. The same seed
// generates the same requests in the same order, so that a failure can be reproduced by its number.
package malformed

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A Request is one request of a corpus.
type Request struct {
	Number    int    // in the corpus, from 0
	Mutations string // names of the mutations, for messages
	Raw       []byte // bytes of the request
	// Truncated reports that the client disconnects after Raw, and may get no response.
	Truncated bool
}

// A Corpus generates requests. It is not safe for concurrent use.
type Corpus struct {
	random *rand.Rand
	count  int
}

// New returns the corpus of a seed.
func New(seed uint64) *Corpus {
	return &Corpus{random: rand.New(rand.NewPCG(seed, seed))} //nolint:gosec // deterministic
}

// Next returns the next request. The corpus is infinite.
func (c *Corpus) Next() Request {
	d := c.base()
	var names []string
	for range 1 + c.random.IntN(3) {
		m := mutations[c.random.IntN(len(mutations))]
		m.apply(c, d)
		names = append(names, m.name)
	}
	r := Request{Number: c.count, Mutations: strings.Join(names, ", "), Raw: d.bytes()}
	c.count++
	switch c.random.IntN(8) {
	case 0:
		r.Raw, r.Truncated = r.Raw[:c.random.IntN(len(r.Raw))], true
		r.Mutations += ", truncated"
	case 1:
		c.changeBytes(r.Raw)
		r.Mutations += ", bytes changed"
		r.Truncated = true // its length may have changed
	default:
		r.Truncated = d.truncated
	}
	return r
}

// A draft is a request before it is serialized.
type draft struct {
	method, target, version string
	headers                 [][2]string
	body                    []byte
	length                  string // Content-Length; "" for the correct one, "-" for none
	truncated               bool   // the server may wait for more bytes
}

func (d *draft) bytes() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s %s\r\n", d.method, d.target, d.version)
	for _, h := range d.headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	switch {
	case d.length == "" && len(d.body) > 0:
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(d.body))
	case d.length != "" && d.length != "-":
		fmt.Fprintf(&b, "Content-Length: %s\r\n", d.length)
	}
	b.WriteString("Connection: close\r\n\r\n")
	b.Write(d.body)
	return b.Bytes()
}

// set replaces a header, or adds it.
func (d *draft) set(name, value string) {
	for i, h := range d.headers {
		if strings.EqualFold(h[0], name) {
			d.headers[i][1] = value
			return
		}
	}
	d.headers = append(d.headers, [2]string{name, value})
}

// base returns a valid request.
func (c *Corpus) base() *draft {
	d := &draft{method: "POST", target: "/graphql", version: "HTTP/1.1", headers: [][2]string{{"Host", "127.0.0.1"}, {"Content-Type", "application/json"}}}
	switch c.random.IntN(6) {
	case 0:
		d.method, d.target, d.headers = "GET", "/graphql?query=%7B__typename%7D", d.headers[:1]
	case 1:
		d.set("Content-Type", "multipart/form-data; boundary=X")
		d.set("GraphQL-Preflight", "1")
		d.body = []byte(form(upload, uploadMap, "ID3 bytes"))
	case 2:
		d.set("Accept", "text/event-stream")
		d.body = []byte(`{"query":"{ __typename }"}`)
	case 3:
		d.method, d.headers = "OPTIONS", d.headers[:1]
		d.set("Origin", "https://example.org")
		d.set("Access-Control-Request-Method", "POST")
	default:
		d.body = []byte(`{"query":"query Q($n: Int) { popular(first: $n) { nodes { name } } }","operationName":"Q","variables":{"n":2}}`)
	}
	return d
}

// The operation and the map of an upload.
const (
	upload    = `{"query":"mutation($in:UploadCloudcastInput!){uploadCloudcast(input:$in){changed userErrors{message}}}","variables":{"in":{"name":"x","mp3":null}}}`
	uploadMap = `{"0":["variables.in.mp3"]}`
)

// form returns a multipart body with a file.
func form(operations, files, content string) string {
	part := func(name, value string) string {
		return "--X\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	return part("operations", operations) + part("map", files) +
		"--X\r\nContent-Disposition: form-data; name=\"0\"; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n" + content + "\r\n--X--\r\n"
}

// changeBytes changes up to four bytes.
func (c *Corpus) changeBytes(b []byte) {
	for range 1 + c.random.IntN(4) {
		b[c.random.IntN(len(b))] = byte(c.random.IntN(256))
	}
}

func pick[T any](c *Corpus, all []T) T { return all[c.random.IntN(len(all))] }

// number returns an unusual number, as text.
func (c *Corpus) number() string {
	return pick(c, []string{"-1", "0", "1e3", "1e400", "0.5", "99999999999999999999", "2147483648", "NaN", strconv.Itoa(c.random.IntN(200))})
}
