package app

import (
	"net"
	"net/http"
	"strings"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// demoPath is where --demo mounts the emulator.
const demoPath = "/emulator"

// newDemo makes the emulator that stands in for Mixcloud under the server's own
// base, and the options of a client of it. The client's addresses are those a
// browser would use, so that pasted ones are recognised, but its calls go
// straight to the emulator.
func newDemo(base string) (*emulator.Emulator, []mixcloud.Option, error) {
	root := strings.TrimSuffix(base, "/") + demoPath
	e, err := emulator.New(emulator.WithPublicURL(root))
	if err != nil {
		return nil, nil, err
	}
	return e, []mixcloud.Option{
		mixcloud.WithAPIURL(root),
		mixcloud.WithSiteURL(root + "/www"),
		mixcloud.WithOEmbedURL(root + "/www/oembed/"),
		mixcloud.WithUserAgent(userAgent()),
		mixcloud.WithHTTPClient(&http.Client{Transport: stripped{e.Transport()}}),
		mixcloud.WithInsecureToken(), // they never leave the process
	}, nil
}

// stripped takes whatever stands before the emulator's own path off a request.
type stripped struct{ next http.RoundTripper }

func (s stripped) RoundTrip(req *http.Request) (*http.Response, error) {
	inner := req.Clone(req.Context())
	inner.URL.Path = below(inner.URL.Path)
	inner.URL.RawPath = below(inner.URL.RawPath)
	return s.next.RoundTrip(inner)
}

func below(path string) string {
	_, rest, _ := strings.Cut(path, demoPath)
	return rest
}

// localOnly lets only this machine through, and neither a proxy on it nor a
// page of another site in a browser on it.
func localOnly(next http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() || r.Header.Get("Forwarded") != "" || r.Header.Get("X-Forwarded-For") != "" {
			gqlerr.Write(w, r, http.StatusForbidden, &gqlerr.Error{
				Code: gqlerr.CodeForbidden, Message: "The demo can be controlled only from the machine it runs on.",
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}
