package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"mixcloud-graphql/internal/auth"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/redis"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// authentication holds the parts that determine the principal of a request.
type authentication struct {
	keys        *auth.Keys
	cookies     *auth.Cookies     // nil if browsers cannot sign in
	application *auth.Application // nil without an OAuth application
	signIn      http.Handler      // serves the paths under /oauth/
	exchanges   *exchanges        // makes the calls of signIn
}

// exchanges makes the calls that exchange OAuth codes for tokens when browsers sign in. Any client can cause them, so they
// use the store's queue and rate limits like all other calls.
type exchanges struct{ store *upstream.Store }

func (e *exchanges) exchange(ctx context.Context, call func(context.Context) (string, error)) (string, error) {
	session := e.store.SessionOf(upstream.Caller{Address: graphhttp.Address(ctx)})
	token, err := upstream.WriteNoReplay(ctx, session, "/oauth/access_token", func(ctx context.Context, _ *mixcloud.Client) (string, error) { return call(ctx) })
	e.store.MarkVerified(token)
	return token, err
}

// newAuthentication builds the authentication from the secret key and the OAuth application in cfg. Shared may be nil.
func newAuthentication(cfg config.Serve, client *mixcloud.Client, shared *redis.Redis, log *slog.Logger) (authentication, error) {
	a := authentication{keys: auth.RandomKeys(), exchanges: new(exchanges)}
	if cfg.SecretKey != "" {
		var err error
		if a.keys, err = auth.NewKeys(cfg.SecretKey.Reveal()); err != nil {
			return authentication{}, err
		}
	}
	if cfg.OAuthClientID == "" {
		a.signIn = auth.NoSignIn("This server has no OAuth application. Its operator can set one with --oauth-client-id.")
		return a, nil
	}
	oauth := client.OAuth(cfg.OAuthClientID, cfg.OAuthClientSecret.Reveal())
	a.application = auth.NewApplication(oauth, cfg.OAuthRedirects)
	var revocations auth.Revocations // not *redis.Revocations: without Redis the interface itself must be nil
	if shared != nil {
		revocations = shared.Revocations()
	}
	cookies, err := auth.NewCookies(a.keys, cfg.PublicURL, revocations)
	switch {
	case errors.Is(err, auth.ErrInsecure) && cfg.Demo: // the rest of the demo works without it
		log.Warn("sign-in with a browser is disabled", "reason", err, "public", cfg.PublicURL)
		a.signIn = auth.NoSignIn("Sign-in is disabled: its cookie would be sent without encryption. Set --public-url of the demo to an https URL or to a URL of this machine.")
		return a, nil
	case err != nil:
		return authentication{}, err
	}
	if cfg.SecretKey == "" {
		log.Info("MIXCLOUD_GRAPHQL_SECRET_KEY is not set: sessions will be lost on restart")
	}
	a.cookies = cookies
	var nonces auth.Nonces // not *redis.Nonces: without Redis the interface itself must be nil
	if shared != nil {
		nonces = shared.Nonces()
	}
	a.signIn, err = auth.NewSignIn(auth.SignInOptions{
		Application: a.application,
		Cookies:     cookies,
		PublicURL:   cfg.PublicURL,
		Nonces:      nonces,
		Exchange:    a.exchanges.exchange,
		Timeout:     cfg.RequestTimeout,
		Log:         log,
	})
	return a, err
}
