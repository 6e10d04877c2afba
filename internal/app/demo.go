package app

import (
	"net/http"
	"net/url"
	"strings"

	"mixcloud-graphql/internal/auth"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/trace"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// demoPath is where --demo mounts the emulator.
const demoPath = "/emulator"

// newDemo returns the emulator that replaces Mixcloud in the demo, and the options for its client.
// The client's URLs are those that a browser uses, so that pasted URLs are recognized and the
// sign-in page can be opened, but its calls reach the emulator without a socket. If cfg has no
// OAuth application, newDemo sets the emulator's; if it has no redirect URI, newDemo sets the
// server's callback.
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
		mixcloud.WithHTTPClient(&http.Client{Transport: stripPrefix{address, e.Transport()}}),
		mixcloud.WithMiddleware(trace.Transport),
		mixcloud.WithInsecureToken(), // tokens never leave the process
	}, nil
}

// stripPrefix removes the path of root from a request. It is http.StripPrefix for a transport.
type stripPrefix struct {
	root *url.URL
	next http.RoundTripper
}

func (s stripPrefix) RoundTrip(req *http.Request) (*http.Response, error) {
	inner := req.Clone(req.Context())
	inner.URL.Path = strings.TrimPrefix(inner.URL.Path, s.root.Path)
	inner.URL.RawPath = strings.TrimPrefix(inner.URL.RawPath, s.root.EscapedPath())
	return s.next.RoundTrip(inner)
}
