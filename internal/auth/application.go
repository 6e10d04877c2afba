package auth

import (
	"context"
	"slices"

	"mixcloud-graphql/mixcloud"
)

// An Application is this server's OAuth application at Mixcloud, for client apps that run the
// authorization flow and store the tokens themselves. It is safe for concurrent use.
type Application struct {
	oauth     *mixcloud.OAuth
	redirects []string
}

// NewApplication returns an Application that accepts only the given redirect URIs.
func NewApplication(oauth *mixcloud.OAuth, redirectURIs []string) *Application {
	return &Application{oauth, slices.Clone(redirectURIs)}
}

// Allows reports whether redirectURI is exactly one of the accepted redirect URIs.
func (a *Application) Allows(redirectURI string) bool {
	return slices.Contains(a.redirects, redirectURI)
}

// AuthorizationURL returns the URL of the page on which a user authorizes the application.
func (a *Application) AuthorizationURL(redirectURI string) string {
	return a.oauth.AuthorizationURL(redirectURI)
}

// Exchange exchanges an authorization code for a token. If Mixcloud refuses the code the error
// is a [*mixcloud.OAuthError].
func (a *Application) Exchange(ctx context.Context, code, redirectURI string) (string, error) {
	return a.oauth.Exchange(ctx, code, redirectURI)
}
