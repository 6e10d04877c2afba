package accept

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Vary adds names of request headers to the Vary header of a response, which stays one line: nginx reads the first line alone.
func Vary(h http.Header, names ...string) {
	lines := h["Vary"]
	switch {
	case len(lines)+len(names) == 0:
		return
	case len(lines) == 0:
		h["Vary"] = []string{strings.Join(names, ", ")}
		return
	}
	text := strings.Join(lines, ", ") + ", " + strings.Join(names, ", ")
	line, known := merged.Load(text)
	if !known {
		line, _ = merged.LoadOrStore(text, []string{merge(text)})
	}
	h["Vary"] = line.([]string)
}

// merged has the lines that were merged before. The names are the server's own, so there are few.
var merged sync.Map // of string to []string

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
