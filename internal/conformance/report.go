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

// A Verdict is the result of a probe.
type Verdict string

// The verdicts.
const (
	Agrees       Verdict = "agrees"       // the rule holds in all checked responses
	Differs      Verdict = "differs"      // a response contradicts the rule
	Inconclusive Verdict = "inconclusive" // no response shows whether the rule holds
)

// A Confidence is the source of a rule.
type Confidence string

// The confidences, from the highest to the lowest.
const (
	Documented Confidence = "documented"  // Mixcloud's developer page states it
	Observed   Confidence = "observed"    // a recorded response of the live service shows it
	ClientCode Confidence = "client code" // a public client relies on it
	Inferred   Confidence = "inferred"    // it follows from other facts
	Unknown    Confidence = "unknown"     // no source; the rule is the emulator's behavior
)

// A Report is the result of a run.
type Report struct {
	APIURL     string     `json:"apiURL"`
	SiteURL    string     `json:"siteURL"`
	OEmbedURL  string     `json:"oembedURL"`
	Started    time.Time  `json:"started"`
	Viewer     bool       `json:"viewer"`   // whether an access token was configured
	Requests   int        `json:"requests"` // number of requests, including repeated ones
	Probes     []Result   `json:"probes"`
	Exchanges  []Exchange `json:"exchanges"`
	Incomplete bool       `json:"incomplete,omitempty"` // the run ended before the last probe
}

// A Result is the result of a probe.
type Result struct {
	Name       string     `json:"name"`
	Rule       string     `json:"rule"`    // one sentence
	Section    string     `json:"section"` // the documentation of the rule: a path of this project with a fragment
	Confidence Confidence `json:"confidence"`
	Verdict    Verdict    `json:"verdict"`
	Detail     string     `json:"detail,omitempty"` // the difference, or why the result is inconclusive; shortened
	Exchanges  []int      `json:"exchanges"`        // indexes of the used Exchanges; probes share them
}

// An Exchange is a request and its response. A recording can be made from it: Body is the exact
// body, except that invalid UTF-8 and the access token are replaced.
type Exchange struct {
	Method  string      `json:"method"`
	URL     string      `json:"url"`   // without the access token
	Token   bool        `json:"token"` // whether the access token was sent
	Status  int         `json:"status,omitempty"`
	Header  http.Header `json:"header,omitempty"`
	Body    string      `json:"body,omitempty"`
	Failure string      `json:"failure,omitempty"` // the error if there was no response
}

// Differs reports whether any rule does not hold.
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
	line := fmt.Sprintf("%-*s  %-*s  %s", len(Inconclusive), r.Verdict, t.width, r.Name, r.Detail)
	_, err := fmt.Fprintln(t.out, strings.TrimRight(line, " "))
	return err
}

func (t table) summary(r Report) error {
	count := make(map[Verdict]int, 3)
	for _, p := range r.Probes {
		count[p.Verdict]++
	}
	end := ""
	if r.Incomplete {
		end = "; the run ended before the last probe"
	}
	_, err := fmt.Fprintf(t.out, "\n%d probes, %d requests: %d agree, %d differ, %d inconclusive%s\n",
		len(r.Probes), r.Requests, count[Agrees], count[Differs], count[Inconclusive], end)
	return err
}

const maxMessage = 200 // characters

// shorten returns a text as one line of limited length.
func shorten(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	if utf8.RuneCountInString(s) <= maxMessage {
		return s
	}
	return string([]rune(s)[:maxMessage-1]) + "…"
}
