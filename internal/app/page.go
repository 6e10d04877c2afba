package app

import (
	"net/url"
	"strings"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/playground"
)

// The origins of Mixcloud's pictures and of its player. The site's page of a player redirects to
// the latter.
const (
	mixcloudPictures = "https://thumbnailer.mixcloud.com"
	mixcloudPlayer   = "https://player-widget.mixcloud.com"
)

// playerPath is the path of the player's page on Mixcloud's site (observed in embed codes).
const playerPath = "/widget/iframe/"

// pageOptions returns the options of the page at /. The demo's pictures and players have the
// origin of the server's public address, which is not the page's own if a browser uses another
// name of the machine.
func pageOptions(cfg config.Serve, authn authentication) playground.Options {
	o := playground.Options{SignIn: authn.cookies != nil, Demo: cfg.Demo, Trace: cfg.Traces(), Budget: cfg.OperationBudget}
	if cfg.Demo {
		o.Pictures = []string{originOf(cfg.PublicURL)}
		o.Players = o.Pictures
		o.Player = strings.TrimSuffix(cfg.PublicURL, "/") + demoPath + "/www" + playerPath
		return o
	}
	o.Pictures = []string{mixcloudPictures, originOf(cfg.SiteURL)}
	o.Players = []string{mixcloudPlayer, originOf(cfg.SiteURL)}
	o.Player = strings.TrimSuffix(cfg.SiteURL, "/") + playerPath
	return o
}

// originOf returns the origin of a URL that the configuration has validated.
func originOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
