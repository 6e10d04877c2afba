package app

import (
	"net/http"
	"net/url"
	"strings"

	"mixcloud-graphql/internal/auth"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// demoPath is where --demo mounts the emulator.
const demoPath = "/emulator"

// newDemo makes the emulator that stands in for Mixcloud under the server's own
// base, and the options of a client of it. The client's addresses are those a
// browser would use, so that pasted ones are recognised and people get to its
// page for signing in, but its calls go straight to the emulator. Without an
// application in cfg it is the emulator's own, and without an address to send
// people back to, the server's, so that there is one to try.
func newDemo(cfg *config.Serve) (*emulator.Emulator, []mixcloud.Option, error) {
	root := strings.TrimSuffix(cfg.PublicURL, "/") + demoPath
	address, err := url.Parse(root)
	if err != nil {
		return nil, nil, err
	}
	opts := []emulator.Option{emulator.WithPublicURL(root)}
	if cfg.OAuthClientID == "" {
		cfg.OAuthClientID, cfg.OAuthClientSecret = emulator.DemoClientID, emulator.DemoClientSecret
	} else {
		opts = append(opts, emulator.WithOAuthClient(cfg.OAuthClientID, cfg.OAuthClientSecret.Reveal(), ""))
	}
	if len(cfg.OAuthRedirects) == 0 {
		cfg.OAuthRedirects = []string{strings.TrimSuffix(cfg.PublicURL, "/") + auth.CallbackPath}
	}
	e, err := emulator.New(opts...)
	if err != nil {
		return nil, nil, err
	}
	return e, []mixcloud.Option{
		mixcloud.WithAPIURL(root),
		mixcloud.WithSiteURL(root + "/www"),
		mixcloud.WithOEmbedURL(root + "/www/oembed/"),
		mixcloud.WithUserAgent(userAgent()),
		mixcloud.WithHTTPClient(&http.Client{Transport: stripped{address, e.Transport()}}),
		mixcloud.WithInsecureToken(), // they never leave the process
	}, nil
}

// stripped takes the path of root off a request, as http.StripPrefix does on
// the other side.
type stripped struct {
	root *url.URL
	next http.RoundTripper
}

func (s stripped) RoundTrip(req *http.Request) (*http.Response, error) {
	inner := req.Clone(req.Context())
	inner.URL.Path = strings.TrimPrefix(inner.URL.Path, s.root.Path)
	inner.URL.RawPath = strings.TrimPrefix(inner.URL.RawPath, s.root.EscapedPath())
	return s.next.RoundTrip(inner)
}
