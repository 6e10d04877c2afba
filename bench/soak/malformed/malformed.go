// Package malformed makes HTTP requests that no client should send, for tests of
// a GraphQL server's handling of bad input.
//
// A corpus begins with requests that are right (a query as POST and GET, an
// upload, an event stream, a preflight) and breaks each of them once or more:
// bytes of the request are changed, headers are replaced by odd ones, the JSON
// body, the document or the form is put together wrongly, and the connection is
// cut off in the middle. The same seed gives the same requests in the same order,
// so that a failure can be repeated by its number.
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
	Mutations string // what is wrong with it, for messages
	Raw       []byte // what is written to the connection
	// Cut says that the client leaves when it has sent Raw, and that there may be
	// no response.
	Truncated bool
}

// A Corpus makes requests. It is not safe for concurrent use.
type Corpus struct {
	random *rand.Rand
	count  int
}

// New returns the corpus of a seed.
func New(seed uint64) *Corpus {
	return &Corpus{random: rand.New(rand.NewPCG(seed, seed))} //nolint:gosec // chance that can be repeated
}

// Next returns the next request. There is always one.
func (c *Corpus) Next() Request {
	d := c.base()
	var what []string
	for range 1 + c.random.IntN(3) {
		m := mutations[c.random.IntN(len(mutations))]
		m.apply(c, d)
		what = append(what, m.name)
	}
	r := Request{Number: c.count, Mutations: strings.Join(what, ", "), Raw: d.bytes()}
	c.count++
	switch c.random.IntN(8) {
	case 0:
		r.Raw, r.Truncated = r.Raw[:c.random.IntN(len(r.Raw))], true
		r.Mutations += ", cut off"
	case 1:
		c.changeBytes(r.Raw)
		r.Mutations += ", bytes changed"
		r.Truncated = true // its length may be another one now
	default:
		r.Truncated = d.truncated
	}
	return r
}

// A draft is a request that is not yet bytes.
type draft struct {
	method, target, version string
	headers                 [][2]string
	body                    []byte
	length                  string // of Content-Length; "" for the right one, "-" for none
	truncated               bool   // the server may wait for more
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

// base returns a request that is right.
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

// The operation of an upload, and where its file belongs.
const (
	upload    = `{"query":"mutation($in:UploadCloudcastInput!){uploadCloudcast(input:$in){changed userErrors{message}}}","variables":{"in":{"name":"x","mp3":null}}}`
	uploadMap = `{"0":["variables.in.mp3"]}`
)

// form is a multipart request with a file.
func form(operations, files, content string) string {
	part := func(name, value string) string {
		return "--X\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	return part("operations", operations) + part("map", files) +
		"--X\r\nContent-Disposition: form-data; name=\"0\"; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n" + content + "\r\n--X--\r\n"
}

// scramble changes up to four bytes.
func (c *Corpus) changeBytes(b []byte) {
	for range 1 + c.random.IntN(4) {
		b[c.random.IntN(len(b))] = byte(c.random.IntN(256))
	}
}

func pick[T any](c *Corpus, all []T) T { return all[c.random.IntN(len(all))] }

// number is a number that is no sensible one, as text.
func (c *Corpus) number() string {
	return pick(c, []string{"-1", "0", "1e3", "1e400", "0.5", "99999999999999999999", "2147483648", "NaN", strconv.Itoa(c.random.IntN(200))})
}
