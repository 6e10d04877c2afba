package resolvers

import (
	"context"
	"errors"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// OAuth is the application that this server is registered as at Mixcloud.
type OAuth interface {
	// Allows reports whether people may be sent back to that address.
	Allows(redirectURI string) bool
	// AuthorizationURL is where people allow the application to act for them.
	AuthorizationURL(redirectURI string) string
	// Exchange turns the code they came back with into a token. A code that
	// Mixcloud refuses is a *mixcloud.OAuthError.
	Exchange(ctx context.Context, code, redirectURI string) (string, error)
}

func (r *Resolver) authorizationURL(redirectURI string) (*string, error) {
	switch {
	case r.oauth == nil:
		return nil, nil
	case !r.oauth.Allows(redirectURI):
		return nil, gqlerr.Invalid("redirectUri", "is none of those that this server is configured with")
	}
	address := r.oauth.AuthorizationURL(redirectURI)
	return &address, nil
}

// codeRefused names all reasons that a code can be refused for: the site tells them
// apart in words that are not documented.
const codeRefused = "Mixcloud refused the code: it is unknown, used, too old, or was issued for another redirect URI; or Mixcloud does not accept this server's application."

// exchange turns a code into a token. A code that is no good is a user error.
func (r *Resolver) exchange(ctx context.Context, input model.ExchangeOAuthCodeInput) (*model.ExchangeOAuthCodePayload, error) {
	out := model.NewOutcome(input.ClientMutationID.Value(), nil)
	switch {
	case r.oauth == nil:
		out.Refuse(model.UserErrorCodeForbidden, "This server has no OAuth application.")
	case !r.oauth.Allows(input.RedirectURI):
		out.Refuse(model.UserErrorCodeInvalid, "This is none of the redirect URIs that this server is configured with.", "redirectUri")
	case input.Code == "":
		out.Refuse(model.UserErrorCodeRequired, "The code that Mixcloud has given is missing.", "code")
	}
	payload := &model.ExchangeOAuthCodePayload{ClientMutationID: out.ClientMutationID}
	if !out.Refused() {
		// Not as a write: what came of those is kept for clients that ask again,
		// and a token is kept nowhere.
		token, err := upstream.WriteNoReplay(ctx, loaders.From(ctx).Session(), "/oauth/access_token", func(ctx context.Context, _ *mixcloud.Client) (string, error) {
			return r.oauth.Exchange(ctx, input.Code, input.RedirectURI)
		})
		_, refused := errors.AsType[*mixcloud.OAuthError](err)
		switch {
		case refused: // the site's words are for the log
			out.Refuse(model.UserErrorCodeRefused, codeRefused, "code")
		case err != nil:
			return nil, err
		default:
			loaders.From(ctx).Session().Store().MarkVerified(token)
			payload.AccessToken = &token
		}
	}
	payload.UserErrors = out.UserErrors
	return payload, nil
}
