package mixcloud

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A Range asks for a part of a list. The zero Range asks for the server's
// default: its first 20 items.
type Range struct {
	// Limit is the size of the page; 0 leaves it to the server. 100 is the
	// most that was seen honoured.
	Limit int
	// Offset is the place of the first item. Not nil, even 0, it makes a list
	// page by offsets that otherwise pages by date.
	Offset *int
	// Since and Until bound a date-paged list: items after Since and before
	// Until, both excluded (inferred), by the time of the listing, to the whole
	// second. Zero is no bound.
	Since, Until time.Time
}

// A Page is one part of a list.
type Page[T any] struct {
	object
	// Items are in the list's order, at least their keys set; never nil.
	Items []T
	// Name is the list's title in English with a display name in it; "" when
	// absent. Do not parse it.
	Name string
	// Previous and Next say where the neighbouring pages are; nil when the
	// list names none. Date-paged lists have a Previous even on their first
	// page (observed).
	Previous, Next *Link
	// Astray says that the list names a next page by a link that leads nowhere: its
	// query says nothing of the range, or there is none. Next is nil then.
	Astray bool
	// Dropped counts what the list held besides and was left out: whatever is
	// no object or has no key.
	Dropped int

	data string // the untouched array, to tell a page that repeats itself
}

// A Link leads to a neighbouring page of the same list: call the method that
// gave the page with its Range. It holds what the paging link's query says and
// neither its host nor its path nor a token.
type Link struct{ Range }

// values writes r as the API's own paging links do (observed 2011 to 2026).
func (r Range) values(query url.Values) error {
	if r.Limit < 0 {
		return &InvalidError{Arg: "limit", Reason: "is negative"}
	}
	if r.Offset != nil && *r.Offset < 0 {
		return &InvalidError{Arg: "offset", Reason: "is negative"}
	}
	if r.Limit > 0 {
		query.Set("limit", strconv.Itoa(r.Limit))
	}
	if r.Offset != nil {
		query.Set("offset", strconv.Itoa(*r.Offset))
	}
	if err := setTime(query, "since", r.Since); err != nil {
		return err
	}
	until := r.Until
	// Items have whole seconds: those before 12:00:00.5 are those before
	// 12:00:01, as those after it are those after 12:00:00.
	if until.Nanosecond() > 0 {
		until = until.Truncate(time.Second).Add(time.Second)
	}
	return setTime(query, "until", until)
}

func setTime(query url.Values, name string, t time.Time) error {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	if !writable(t) {
		return &InvalidError{Arg: name, Reason: "is not within the years 1 to 9999"}
	}
	query.Set(name, t.Format(time.DateTime))
	return nil
}

// readLink reads a paging link. A link whose query says nothing of the range
// leads nowhere that we could follow, and is nil.
func readLink(v value) *Link {
	_, query, _ := strings.Cut(v.text(), "?")
	query, _, _ = strings.Cut(query, "#")
	values, _ := url.ParseQuery(query) // what it could read; the rest is not there
	var r Range
	found := false
	if n, ok := parseInt(values.Get("limit")); ok && n > 0 {
		r.Limit = n
	}
	if n, ok := parseInt(values.Get("offset")); ok && n >= 0 {
		r.Offset, found = &n, true
	}
	if t, ok := parseTime(values.Get("since")); ok {
		r.Since, found = t, true
	}
	if t, ok := parseTime(values.Get("until")); ok {
		r.Until, found = t, true
	}
	if !found {
		return nil
	}
	return &Link{r}
}

// decodePage reads a list's envelope; false if v is none.
func decodePage[T any, P decodable[T]](p *Page[T], v value) (ok bool) {
	p.raw = string(v)
	for name, m := range v.members() {
		switch name {
		case "data":
			p.Items, p.Dropped = decodeList[T, P](m)
			p.data, ok = string(m), p.Items != nil
		case "name":
			p.Name = m.text()
		case "paging":
			p.Previous, p.Next = readLink(m.member("previous")), readLink(m.member("next"))
			p.Astray = p.Next == nil && m.member("next").text() != ""
		}
	}
	return ok
}
