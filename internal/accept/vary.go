package accept

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Vary adds names of request headers, separated by commas, to the Vary header of a response.
// The header stays one line, because nginx reads only the first line.
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

// An addition is an existing line with the names to add.
type addition struct{ line, names string }

// known caches merged lines. There are few, because the names are constants of this server.
var known = struct {
	sync.RWMutex

	merged map[addition][]string
}{merged: map[addition][]string{}}

// merge removes duplicate names from a list.
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
