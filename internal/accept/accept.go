// Package accept negotiates the media type and the content coding of a response.
// It depends only on the headers Accept and Accept-Encoding, so that early errors, before
// the request is parsed, have the same type as the response.
package accept

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The two media types of a response. They differ in the status code: with the newer type the status
// reports the result of the operation; with the older type it is 200 for every well-formed request,
// as older clients expect.
const (
	GraphQL = "application/graphql-response+json"
	JSON    = "application/json"
)

// Events is the media type of a stream of responses.
const Events = "text/event-stream"

// Types are the media types that a client accepts.
type Types struct {
	Media  string // type of a single response: GraphQL or JSON, or "" if the client accepts neither
	Events bool   // the client explicitly accepts Events
	Page   bool   // the client prefers HTML, as a browser does for a URL that a user opens
}

// None reports whether the client accepts no supported media type.
func (t Types) None() bool { return t.Media == "" && !t.Events }

// MediaOrJSON returns the media type for an error. It is JSON if the client accepts no type
// of a single response.
func (t Types) MediaOrJSON() string {
	if t.Media == "" {
		return JSON
	}
	return t.Media
}

// Of returns the media types that the client of r accepts. A client that accepts any type
// gets JSON, as the specification recommends for clients from before 2025. A client that
// names both with the same quality gets GraphQL. Wildcards do not include Events.
func Of(r *http.Request) Types {
	header := r.Header.Values("Accept")
	if len(header) == 0 {
		return Types{Media: JSON}
	}
	graphql, json, events, page := preference{}, preference{}, preference{}, preference{}
	for part := range strings.SplitSeq(strings.Join(header, ","), ",") {
		media, q, ok := parseRange(part)
		if !ok {
			continue
		}
		switch media {
		case GraphQL:
			graphql.set(2, q)
		case JSON:
			json.set(2, q)
		case Events:
			events.set(2, q)
		case "text/html":
			page.set(2, q)
		case "application/*":
			graphql.set(1, q)
			json.set(1, q)
		case "*/*":
			graphql.set(0, q)
			json.set(0, q)
		}
	}
	types := Types{Media: JSON, Events: events.quality > 0, Page: page.quality > max(graphql.quality, json.quality, events.quality)}
	switch {
	case graphql.quality <= 0 && json.quality <= 0:
		types.Media = ""
	case graphql.quality > json.quality, graphql.quality == json.quality && graphql.precision == 2:
		types.Media = GraphQL
	}
	return types
}

// parseRange parses an element of Accept: a media type in lower case, and its quality.
func parseRange(part string) (media string, q float64, ok bool) {
	media, params, _ := strings.Cut(part, ";")
	media, params = strings.TrimSpace(media), strings.TrimSpace(params)
	if value, isQ := strings.CutPrefix(params, "q="); params == "" || isQ && value != "" && strings.Trim(value, "0123456789.") == "" {
		return strings.ToLower(media), quality(value), true // nearly always, and without an allocation
	}
	media, named, err := mime.ParseMediaType(part)
	return media, quality(named["q"]), err == nil
}

// A preference is the quality of a media type in an Accept header. The most specific range
// that matches the type counts, regardless of the order.
type preference struct {
	precision int // 2 for the type itself, 1 for "application/*", 0 for "*/*" or no match
	quality   float64
}

func (p *preference) set(precision int, quality float64) {
	if precision > p.precision || precision == p.precision && quality > p.quality {
		p.precision, p.quality = precision, quality
	}
}

func quality(s string) float64 {
	if s == "" {
		return 1
	}
	q, err := strconv.ParseFloat(s, 64)
	if err != nil || q < 0 || q > 1 {
		return 0
	}
	return q
}
