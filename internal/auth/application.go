package auth

import (
	"context"
	"slices"

	"mixcloud-graphql/mixcloud"
)

// An Application is what Mixcloud knows this server as, for apps that bring
// people to Mixcloud themselves and keep their tokens. It is safe for concurrent
// use.
type Application struct {
	oauth     *mixcloud.OAuth
	redirects []string
}

// NewApplication lets apps send people back to the redirect URIs given, and
// nowhere else.
func NewApplication(oauth *mixcloud.OAuth, redirectURIs []string) *Application {
	return &Application{oauth, slices.Clone(redirectURIs)}
}

// Allows reports whether people may be sent back to that address: one of those
// given, to the letter.
func (a *Application) Allows(redirectURI string) bool {
	return slices.Contains(a.redirects, redirectURI)
}

// AuthorizationURL is where people allow the application to act for them.
func (a *Application) AuthorizationURL(redirectURI string) string {
	return a.oauth.AuthorizationURL(redirectURI)
}

// Exchange turns the code that they came back with into a token. A code that
// Mixcloud refuses is a [*mixcloud.OAuthError].
func (a *Application) Exchange(ctx context.Context, code, redirectURI string) (string, error) {
	return a.oauth.Exchange(ctx, code, redirectURI)
}
