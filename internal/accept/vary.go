package accept

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Vary adds names of request headers, separated by commas, to the Vary header of a response, which stays one line: nginx reads the first line alone.
func Vary(h http.Header, names string) {
	lines := h["Vary"]
	if len(lines) == 0 && names == "" {
		return
	}
	addition := addition{strings.Join(lines, ", "), names}
	known.RLock()
	line := known.merged[addition]
	known.RUnlock()
	if line == nil {
		line = []string{merge(addition.line + "," + addition.names)}
		known.Lock()
		known.merged[addition] = line
		known.Unlock()
	}
	h["Vary"] = line
}

// An addition is of names to a line.
type addition struct{ line, names string }

// known has the lines that were merged before. The names are the server's own, so there are few.
var known = struct {
	sync.RWMutex

	merged map[addition][]string
}{merged: map[addition][]string{}}

// merge returns a list of names without those that are in it already.
func merge(text string) string {
	var all []string
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if name != "" && !slices.ContainsFunc(all, func(known string) bool { return strings.EqualFold(known, name) }) {
			all = append(all, name)
		}
	}
	return strings.Join(all, ", ")
}
