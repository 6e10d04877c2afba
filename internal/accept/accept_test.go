package accept

import (
	"mime"
	"net/http"
	"testing"
)

// TestParseRange compares the results of the fast path with those of package mime.
func TestParseRange(t *testing.T) {
	t.Parallel()
	for _, part := range []string{
		JSON, " " + JSON + " ", "Application/JSON", JSON + ";q=0.5", JSON + " ; q=0.5 ", JSON + ";q=1.000", JSON + ";q=0", JSON + ";q=7",
		JSON + ";q=1.2.3", JSON + ";q=", JSON + ";q=-1", JSON + ";q=1e-1", JSON + ";q=x", JSON + ";Q=0.5", JSON + `;q="0.5"`, JSON + ";",
		JSON + ";charset=utf-8", JSON + ";charset=utf-8;q=0.5", JSON + ";q=0.5;charset=utf-8", JSON + ";q=0.5;q=0.6", "application/*;q=0.1", "*/*",
	} {
		wantMedia, params, err := mime.ParseMediaType(part)
		wantQ := quality(params["q"])
		media, q, ok := parseRange(part)
		if ok != (err == nil) || ok && (media != wantMedia || q != wantQ) {
			t.Errorf("parseRange(%q) = %q, %g, %t, want %q, %g, %t", part, media, q, ok, wantMedia, wantQ, err == nil)
		}
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]Types{
		"":                                  {},
		"*/*":                               {Media: JSON},
		"text/html":                         {Page: true},
		GraphQL + ", " + JSON:               {Media: GraphQL},
		JSON + ", " + GraphQL:               {Media: GraphQL},
		GraphQL + ";q=0.5, " + JSON:         {Media: JSON},
		"application/*, " + JSON + ";q=0.1": {Media: GraphQL},
		Events:                              {Events: true},
		Events + ", " + GraphQL:             {Media: GraphQL, Events: true},
		"text/html, " + JSON + ";q=0.9":     {Media: JSON, Page: true},
	} {
		if got := Of(&http.Request{Header: http.Header{"Accept": {header}}}); got != want {
			t.Errorf("Of for Accept: %s = %+v, want %+v", header, got, want)
		}
	}
}
