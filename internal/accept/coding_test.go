package accept

import (
	"net/http"
	"testing"
)

func TestGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"":                         false,
		"identity":                 false,
		"br":                       false,
		"gzip":                     true,
		"GZIP":                     true,
		"zstd":                     false,
		"gzip, deflate, br, zstd":  true,
		"gzip;q=0.5, zstd; q=1":    false,
		"gzip;q=0, zstd;q=0":       false,
		"gzip;q=x":                 false,
		"gzip;q=0.2, identity;q=1": true,
	} {
		if got := Gzip(&http.Request{Header: http.Header{"Accept-Encoding": {header}}}); got != want {
			t.Errorf("Gzip for Accept-Encoding: %s = %t, want %t", header, got, want)
		}
	}
}
