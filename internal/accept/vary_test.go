package accept

import (
	"net/http"
	"strings"
	"testing"
)

func TestVary(t *testing.T) {
	t.Parallel()
	shared := []string{"Origin"}
	for name, tt := range map[string]struct {
		before, names []string
		want          string
	}{
		"nothing":        {nil, nil, ""},
		"the first":      {nil, []string{"Accept", "Cookie"}, "Accept, Cookie"},
		"more":           {[]string{"Origin"}, []string{"Accept"}, "Origin, Accept"},
		"known":          {[]string{"Origin, accept"}, []string{"Accept", "Cookie"}, "Origin, accept, Cookie"},
		"several lines":  {[]string{"Origin", "Accept-Encoding"}, []string{"Accept"}, "Origin, Accept-Encoding, Accept"},
		"lines to merge": {[]string{"Origin", "Accept-Encoding", "origin"}, nil, "Origin, Accept-Encoding"},
		"shared":         {shared, []string{"Accept"}, "Origin, Accept"},
	} {
		h := http.Header{}
		if tt.before != nil {
			h["Vary"] = tt.before
		}
		Vary(h, strings.Join(tt.names, ", "))
		if got := h.Get("Vary"); got != tt.want || len(h["Vary"]) > 1 {
			t.Errorf("%s: Vary is %q, want the line %q", name, h["Vary"], tt.want)
		}
	}
	if shared[0] != "Origin" {
		t.Errorf("Vary changed the caller's list to %q, want it unchanged", shared)
	}
}
