package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// A Verdict is what a probe found.
type Verdict string

// The verdicts.
const (
	Agrees       Verdict = "agrees"         // the rule holds where it was looked at
	Differs      Verdict = "differs"        // something else was seen
	CouldNotTell Verdict = "could not tell" // nothing was seen that shows it
)

// A Confidence is how this project knows a fact before it asks.
type Confidence string

// The confidences, from the surest down.
const (
	Documented Confidence = "documented"  // Mixcloud's developer page says so
	Observed   Confidence = "observed"    // a recorded answer of the live service shows it
	ClientCode Confidence = "client code" // a public client relies on it
	Inferred   Confidence = "inferred"    // a conclusion from the others
	Unknown    Confidence = "unknown"     // nobody has told; what is expected is the emulator's choice
)

// A Report is everything that one run found and saw.
type Report struct {
	APIURL     string     `json:"apiURL"`
	SiteURL    string     `json:"siteURL"`
	OEmbedURL  string     `json:"oembedURL"`
	Started    time.Time  `json:"started"`
	Viewer     bool       `json:"viewer"`   // whether there was an access token
	Requests   int        `json:"requests"` // how many were sent, repeated ones counted
	Probes     []Result   `json:"probes"`
	Exchanges  []Exchange `json:"exchanges"`
	Incomplete bool       `json:"incomplete,omitempty"` // the run ended before the last probe
}

// A Result is what one probe found.
type Result struct {
	Name       string     `json:"name"`
	Rule       string     `json:"rule"`    // one sentence
	Section    string     `json:"section"` // where the rule stands, a path of this project with its fragment
	Confidence Confidence `json:"confidence"`
	Verdict    Verdict    `json:"verdict"`
	Seen       string     `json:"seen,omitempty"` // what differs, or why nothing can be told; shortened
	Asked      []int      `json:"asked"`          // the answers looked at, as indices of Exchanges; probes share answers
}

// An Exchange is a request with its answer, complete enough to become a
// recorded answer: Body is what came, byte for byte unless it was no UTF-8 or
// held the access token, which is replaced.
type Exchange struct {
	Method  string      `json:"method"`
	URL     string      `json:"url"`   // without the access token
	Token   bool        `json:"token"` // whether the access token was sent
	Status  int         `json:"status,omitempty"`
	Header  http.Header `json:"header,omitempty"`
	Body    string      `json:"body,omitempty"`
	Failure string      `json:"failure,omitempty"` // why there was no answer
}

// Differs says whether any rule was seen not to hold.
func (r Report) Differs() bool {
	for _, p := range r.Probes {
		if p.Verdict == Differs {
			return true
		}
	}
	return false
}

func (r Report) write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(r)
}

// A table prints a line for each probe.
type table struct {
	out   io.Writer
	width int
}

func newTable(out io.Writer, list []probe) table {
	t := table{out: out}
	for _, p := range list {
		t.width = max(t.width, len(p.name))
	}
	return t
}

func (t table) row(r Result) error {
	line := fmt.Sprintf("%-*s  %-*s  %s", len(CouldNotTell), r.Verdict, t.width, r.Name, r.Seen)
	_, err := fmt.Fprintln(t.out, strings.TrimRight(line, " "))
	return err
}

func (t table) sum(r Report) error {
	count := make(map[Verdict]int, 3)
	for _, p := range r.Probes {
		count[p.Verdict]++
	}
	end := ""
	if r.Incomplete {
		end = "; the run ended before the last probe"
	}
	_, err := fmt.Fprintf(t.out, "\n%d probes, %d requests: %d agree, %d differ, %d could not tell%s\n",
		len(r.Probes), r.Requests, count[Agrees], count[Differs], count[CouldNotTell], end)
	return err
}

const longest = 200 // characters of what was seen

// shorten makes a text one line of bounded length.
func shorten(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	if utf8.RuneCountInString(s) <= longest {
		return s
	}
	return string([]rune(s)[:longest-1]) + "…"
}
