package accept

import (
	"net/http"
	"slices"
	"strings"
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
	var all []string
	for _, line := range append(slices.Clone(lines), names...) {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.TrimSpace(name)
			if name != "" && !slices.ContainsFunc(all, func(known string) bool { return strings.EqualFold(known, name) }) {
				all = append(all, name)
			}
		}
	}
	h["Vary"] = []string{strings.Join(all, ", ")}
}
