package emulator

import (
	"net/url"
	"strings"
	"sync"
)

// journalSize is the maximum number of requests in the journal.
const journalSize = 100_000

// A Request is an entry of the journal.
type Request struct {
	Method string `json:"method"`
	Path   string `json:"path"`   // escaped, below the mount prefix
	Query  string `json:"query"`  // as sent, without tokens and secrets
	Status int    `json:"status"` // 0 before the response, or if the connection was reset
}

// A journal records the requests to the API in the order of their arrival.
type journal struct {
	mu      sync.Mutex
	entries []*Request // a ring buffer when full
	oldest  int
}

// An entry sets the status of a request in the journal.
type entry struct {
	journal *journal
	request *Request
}

func (j *journal) add(method, path, query string) entry {
	r := &Request{Method: method, Path: path, Query: withoutSecrets(query)}
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.entries) < journalSize {
		j.entries = append(j.entries, r)
	} else {
		j.entries[j.oldest] = r
		j.oldest = (j.oldest + 1) % journalSize
	}
	return entry{j, r}
}

func (e entry) setStatus(status int) {
	e.journal.mu.Lock()
	defer e.journal.mu.Unlock()
	e.request.Status = status
}

// Requests returns a copy of the journal, oldest first: every request to the API
// and to oEmbed since the last [Emulator.ClearRequests], at most the last
// 100,000. Pages, pictures and the control API are not in it.
func (e *Emulator) Requests() []Request {
	j := &e.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	list := make([]Request, 0, len(j.entries))
	for i := range j.entries {
		list = append(list, *j.entries[(j.oldest+i)%len(j.entries)])
	}
	return list
}

// ClearRequests empties the journal.
func (e *Emulator) ClearRequests() {
	e.journal.mu.Lock()
	defer e.journal.mu.Unlock()
	e.journal.entries, e.journal.oldest = nil, 0
}

// withoutSecrets removes secret parameters from a raw query, and does not change the
// others.
func withoutSecrets(query string) string {
	var rest string
	for part := range strings.SplitSeq(query, "&") {
		if part == "" || isSecret(part) {
			continue
		}
		if rest == "" {
			rest = part
		} else {
			rest += "&" + part
		}
	}
	return rest
}

func isSecret(part string) bool {
	name, _, _ := strings.Cut(part, "=")
	name, err := url.QueryUnescape(name)
	return err != nil || name == "access_token" || name == "client_secret" || name == "code"
}
