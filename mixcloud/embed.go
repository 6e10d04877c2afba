package mixcloud

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// EmbedOptions are the options of a cloudcast's widget. Mixcloud chooses the
// options that are not set.
type EmbedOptions struct {
	Width  string // pixels or a percentage, such as "100%"
	Height *int   // pixels
	Color  string // six hex digits, with or without "#"
}

// EmbedHTML returns the HTML of a cloudcast's widget. It is not sanitized: use it
// only in pages that trust Mixcloud. No token is sent.
func (c *Client) EmbedHTML(ctx context.Context, key string, o EmbedOptions) (string, error) {
	r, err := c.embed("EmbedHTML", key, "embed-html/", o)
	if err != nil {
		return "", err
	}
	return c.fetchText(ctx, r, "text/html, */*;q=0.1", isHTML)
}

// EmbedJSON returns the widget as JSON: an object with a member "html" (observed
// 2016) and perhaps others. No token is sent.
func (c *Client) EmbedJSON(ctx context.Context, key string, o EmbedOptions) (json.RawMessage, error) {
	r, err := c.embed("EmbedJSON", key, "embed-json/", o)
	if err != nil {
		return nil, err
	}
	var raw json.RawMessage
	err = c.fetchJSON(ctx, r, func(v value) string {
		if v.member("html").first() != '"' {
			return "the object has no html"
		}
		raw = json.RawMessage(v.Raw())
		return ""
	})
	return raw, err
}

func (c *Client) embed(op, key, name string, o EmbedOptions) (request, error) {
	key, err := c.keyOf(key, KindCloudcast)
	if err != nil {
		return request{}, err
	}
	query := url.Values{}
	if o.Width != "" {
		if !widthForm.MatchString(o.Width) {
			return request{}, &InvalidError{Arg: "width", Reason: "must be a number of pixels or a percentage"}
		}
		query.Set("width", o.Width)
	}
	if err := setPixels(query, "height", o.Height); err != nil {
		return request{}, err
	}
	if err := setColor(query, o.Color); err != nil {
		return request{}, err
	}
	return request{op: op, base: c.api, path: key + name, query: query, anonymous: true}, nil
}

// Widths and colors are checked here because Mixcloud may write them into its
// HTML without escaping.
var (
	widthForm = regexp.MustCompile(`^[0-9]{1,5}%?$`)
	colorForm = regexp.MustCompile(`^#?[0-9a-fA-F]{6}$`)
)

func setPixels(query url.Values, name string, n *int) error {
	if n == nil {
		return nil
	}
	if *n < 0 {
		return &InvalidError{Arg: name, Reason: "is negative"}
	}
	query.Set(name, strconv.Itoa(*n))
	return nil
}

func setColor(query url.Values, color string) error {
	if color == "" {
		return nil
	}
	if !colorForm.MatchString(color) {
		return &InvalidError{Arg: "color", Reason: "must be six hexadecimal digits"}
	}
	query.Set("color", strings.TrimPrefix(color, "#"))
	return nil
}

// fetchText makes a call whose result is not JSON. A response with a JSON body is
// an error, with any status.
func (c *Client) fetchText(ctx context.Context, r request, accept string, fits func([]byte) bool) (string, error) {
	r.accept = accept
	var text string
	err := c.do(ctx, r, func(status int, header http.Header, body []byte) error {
		if status/100 == 2 && utf8.Valid(body) && fits(body) {
			text = string(body)
			return nil
		}
		if _, failed := readJSON(status, header, body); failed != nil {
			return failed
		}
		return &Error{Kind: ErrBadResponse}
	})
	return text, err
}

// isHTML reports whether a body is complete HTML, and not an error in JSON.
func isHTML(body []byte) bool {
	body = bytes.TrimSpace(body)
	return bytes.HasPrefix(body, []byte("<")) && bytes.HasSuffix(body, []byte(">"))
}
