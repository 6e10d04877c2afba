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
	// Allows reports whether a redirect URI is configured.
	Allows(redirectURI string) bool
	// AuthorizationURL returns the URL at which users authorize the application.
	AuthorizationURL(redirectURI string) string
	// Exchange exchanges an authorization code for a token. It returns a
	// *mixcloud.OAuthError if Mixcloud refuses the code.
	Exchange(ctx context.Context, code, redirectURI string) (string, error)
}

func (r *Resolver) authorizationURL(redirectURI string) (*string, error) {
	switch {
	case r.oauth == nil:
		return nil, nil
	case !r.oauth.Allows(redirectURI):
		return nil, gqlerr.Invalid("redirectUri", "is not one of the redirect URIs in this server's configuration")
	}
	link := r.oauth.AuthorizationURL(redirectURI)
	return &link, nil
}

// codeRefused lists all reasons for a refusal, because the site's error codes are
// not documented.
const codeRefused = "Mixcloud refused the code: it is unknown, used, too old, or was issued for another redirect URI; or Mixcloud does not accept this server's application."

// exchange exchanges an authorization code for a token. A refused code is a user error.
func (r *Resolver) exchange(ctx context.Context, input model.ExchangeOAuthCodeInput) (*model.ExchangeOAuthCodePayload, error) {
	out := model.NewPayload(input.ClientMutationID.Value(), nil)
	switch {
	case r.oauth == nil:
		out.Refuse(model.UserErrorCodeForbidden, "This server has no OAuth application.")
	case !r.oauth.Allows(input.RedirectURI):
		out.Refuse(model.UserErrorCodeInvalid, "This is not one of the redirect URIs in this server's configuration.", "redirectUri")
	case input.Code == "":
		out.Refuse(model.UserErrorCodeRequired, "The code is empty: send the code that Mixcloud added to the redirect URI.", "code")
	}
	payload := &model.ExchangeOAuthCodePayload{ClientMutationID: out.ClientMutationID}
	if !out.Refused() {
		// upstream.Write would store the result, in case the client repeats the request. A token
		// must not be stored.
		token, err := upstream.WriteNoReplay(ctx, loaders.From(ctx).Session(), "/oauth/access_token", func(ctx context.Context, _ *mixcloud.Client) (string, error) {
			return r.oauth.Exchange(ctx, input.Code, input.RedirectURI)
		})
		_, refused := errors.AsType[*mixcloud.OAuthError](err)
		switch {
		case refused: // the site's message is only logged
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
