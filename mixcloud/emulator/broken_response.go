package emulator

import (
	"bytes"
	"net/http"
	"strings"
)

// Deviations that change errors, embeds, and the status and headers of a response. See
// [rule].

// dropHeader removes a header.
func dropHeader(name string) deviation {
	return changeHeader(func(_ *call, h http.Header) { h.Del(name) })
}

// setHeader sets a header.
func setHeader(name, value string) deviation {
	return changeHeader(func(_ *call, h http.Header) { h.Set(name, value) })
}

// setStatus changes the status of the response.
func setStatus(status int) deviation {
	return changeHeader(func(c *call, _ http.Header) { c.status = status })
}

func jsonType(_ *call, h http.Header) {
	if h.Get("Content-Type") == javascript {
		h.Set("Content-Type", "application/json")
	}
}

func wholeLocation(c *call, h http.Header) {
	h.Set("Location", c.base+strings.TrimPrefix(h.Get("Location"), c.mount(c.request)))
}

func dropQuery(_ *call, h http.Header) {
	location, _, _ := strings.Cut(h.Get("Location"), "?")
	h.Set("Location", location)
}

func htmlBody(c *call, _ http.Header) { c.buf = append(c.buf, "<html>Moved</html>"...) }

// hasStatus applies to responses with a status.
func hasStatus(status int) func(*call) bool {
	return func(c *call) bool { return c.status == status }
}

// hasErrorType applies to errors of a type.
func hasErrorType(kind string) func(*call) bool {
	return func(c *call) bool { return c.failure != nil && c.failure.kind == kind }
}

// hasErrorMessage applies to errors with a message.
func hasErrorMessage(message string) func(*call) bool {
	return func(c *call) bool { return c.failure != nil && c.failure.message == message }
}

// changeError changes the error object of the response.
func changeError(f func(*call, *object)) deviation {
	return changeJSON(func(c *call, d *document) {
		if o := d.rootObject().object("error"); o != nil {
			f(c, o)
		}
	})
}

func unwrapError(_ *call, d *document) {
	root := d.rootObject()
	if o := root.object("error"); o != nil {
		root.delete("error")
		root.members = append(o.all(), root.members...)
	}
}

// encodeCompact and encodeRaw change how the document is encoded.

func encodeCompact(_ *call, d *document) { d.compact = true }
func encodeRaw(_ *call, d *document)     { d.raw = true }

// bareHTML replaces the body of an embed by its member html.
func bareHTML(_ *call, d *document) {
	if o := d.rootObject(); o.has("html") {
		d.root = o.get("html")
	}
}

// changeRoot changes the root object of the response.
func changeRoot(f func(*call, *object)) deviation {
	return changeJSON(func(c *call, d *document) {
		if o := d.rootObject(); o != nil {
			f(c, o)
		}
	})
}

// changeXML changes the lines of an XML body.
func changeXML(f func(line []byte) []byte) deviation {
	return changeHeader(func(c *call, h http.Header) {
		if !strings.HasPrefix(h.Get("Content-Type"), "text/xml") {
			return
		}
		var body []byte
		for line := range bytes.Lines(c.buf) {
			body = append(body, f(line)...)
		}
		c.buf = append(c.buf[:0], body...)
	})
}

func thumbnailLine(line []byte) []byte {
	return bytes.ReplaceAll(line, []byte("image>"), []byte("thumbnail_url>"))
}

func noAuthorLine(line []byte) []byte {
	if bytes.HasPrefix(line, []byte("  <author_")) {
		return nil
	}
	return line
}
