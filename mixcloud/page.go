package mixcloud

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A Range selects a page of a list. The zero Range selects the first page, with
// Mixcloud's default size of 20 items.
type Range struct {
	// Limit is the size of the page; 0 means Mixcloud's default. Mixcloud returns
	// at most 100 items (observed).
	Limit int
	// Offset is the index of the first item, as in new(40). If it is set, even to 0, a
	// list that is otherwise paged by date is paged by offset.
	Offset *int
	// Since and Until select items of a list that is paged by date: those added
	// after Since and before Until, both exclusive (inferred), with a precision of
	// one second. The zero time means no limit.
	Since, Until time.Time
}

// A Page is one page of a list.
type Page[T any] struct {
	Object
	// Items are in the order of the list. Their keys are set. It is never nil.
	Items []T
	// Name is the title of the list in English, which contains a display name, or "". Do
	// not parse it.
	Name string
	// Previous and Next lead to the pages before and after this one; nil if
	// the response has no such link. A list that is paged by date has a Previous even on
	// its first page (observed).
	Previous, Next *Link
	// InvalidNext is true if the list has a next page, but its link has no offset
	// and no date, so that it cannot be followed. Next is nil then.
	InvalidNext bool
	// Dropped is the number of elements that are not in Items, because they were
	// not objects or had no key.
	Dropped int

	rawItems string // the JSON of the items, to detect a page that repeats the previous one
}

// A Link leads to the next or previous page of a list: call the method that returned the
// page again, with the Range of the link. Mixcloud sends these links as URLs. Only the
// parameters of the range are used.
type Link struct{ Range }

// values adds r to query in the form of the API's own paging links (observed 2011
// to 2026).
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
	// Times of items are whole seconds. Before 12:00:00.5 therefore means before
	// 12:00:01, and after 12:00:00.5 means after 12:00:00.
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
		return &InvalidError{Arg: name, Reason: "must be within the years 1 to 9999"}
	}
	query.Set(name, t.Format(time.DateTime))
	return nil
}

// readLink reads a paging link. It returns nil if the link has no offset and no
// date, because such a link cannot be followed.
func readLink(v value) *Link {
	_, query, _ := strings.Cut(v.text(), "?")
	query, _, _ = strings.Cut(query, "#")
	values, _ := url.ParseQuery(query) // invalid parameters are ignored
	var r Range
	found := false
	number := func(name string) (int, bool) {
		if !values.Has(name) { // fast path: the error of a failed parse allocates
			return 0, false
		}
		return parseInt(values.Get(name))
	}
	if n, ok := number("limit"); ok && n > 0 {
		r.Limit = n
	}
	if n, ok := number("offset"); ok && n >= 0 {
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

// decodePage decodes a page of a list. It returns false if v is not a page.
func decodePage[T any, P Decodable[T]](p *Page[T], v value) (ok bool) {
	p.json = v.Value
	for name, m := range v.members() {
		switch name {
		case "data":
			p.Items, p.Dropped = decodeList[T, P](m)
			p.rawItems, ok = m.Raw(), p.Items != nil
		case "name":
			p.Name = m.text()
		case "paging":
			p.Previous, p.Next = readLink(m.member("previous")), readLink(m.member("next"))
			p.InvalidNext = p.Next == nil && m.member("next").text() != ""
		}
	}
	return ok
}
