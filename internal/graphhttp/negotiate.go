package graphhttp

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The two media types of an answer. They differ in the status code: the newer
// one has the status speak about the operation, the older one says 200 to
// whatever was a well-formed request, as clients of old expect.
const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
)

// mediaEvents is the type of an answer that comes bit by bit.
const mediaEvents = "text/event-stream"

// accepted is what a client takes for an answer.
type accepted struct {
	media  string // of an answer that comes at once; "" if none is acceptable
	events bool   // whether it asks for events by their name
}

// negotiate picks the media type of the answer. A client that names neither
// type gets JSON, as the specification advises for clients from before 2025;
// one that names both alike gets the newer. Events are sent only where they
// are asked for by name, and where nothing else is taken or would do: clients
// name all they know with every query.
func negotiate(r *http.Request) accepted {
	accept := r.Header.Values("Accept")
	if len(accept) == 0 {
		return accepted{media: mediaJSON}
	}
	graphql, json, events := wish{}, wish{}, wish{}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		media, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		q := quality(params["q"])
		switch media {
		case mediaGraphQL:
			graphql.take(2, q)
		case mediaJSON:
			json.take(2, q)
		case mediaEvents:
			events.take(2, q)
		case "application/*":
			graphql.take(1, q)
			json.take(1, q)
		case "*/*":
			graphql.take(0, q)
			json.take(0, q)
		}
	}
	to := accepted{media: mediaJSON, events: events.q > 0}
	switch {
	case graphql.q <= 0 && json.q <= 0:
		to.media = ""
	case graphql.q > json.q, graphql.q == json.q && graphql.named == 2:
		to.media = mediaGraphQL
	}
	return to
}

// none reports that nothing that is sent is taken.
func (a accepted) none() bool { return a.media == "" && !a.events }

// A wish is how much a client wants a media type. A range that names it more
// precisely counts, whatever its order.
type wish struct {
	named int // 2 by name, 1 by "application/*", 0 by "*/*" or not at all
	q     float64
}

func (w *wish) take(named int, q float64) {
	if named > w.named || named == w.named && q > w.q {
		w.named, w.q = named, q
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

// isJSON tells whether a request body is JSON in UTF-8, the only kind read.
// Forms and plain text are what a page of another site can send without asking
// the browser's user, so they are refused.
func isJSON(r *http.Request) bool {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != mediaJSON {
		return false
	}
	charset := params["charset"]
	return charset == "" || strings.EqualFold(charset, "utf-8")
}
