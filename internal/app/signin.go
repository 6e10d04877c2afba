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

// access is how a request gets a viewer.
type access struct {
	keys        *auth.Keys
	cookies     *auth.Cookies     // nil where nobody can sign in
	application *auth.Application // nil where this server is no application
	signIn      http.Handler      // of the paths under /oauth/
	exchanges   *exchanges        // the calls of signIn
}

// exchanges are the calls that turn codes into tokens when browsers sign in. Anybody
// can cause them, so they wait in the store's queue as all calls do.
type exchanges struct{ store *upstream.Store }

func (e *exchanges) make(ctx context.Context, call func(context.Context) (string, error)) (string, error) {
	session := e.store.SessionOf(upstream.Caller{Address: graphhttp.Address(ctx)})
	token, err := upstream.Once(ctx, session, "/oauth/access_token", func(ctx context.Context, _ *mixcloud.Client) (string, error) { return call(ctx) })
	e.store.MarkVerified(token)
	return token, err
}

// newAccess puts together what cfg says of keys and of the application. Shared
// may be nil.
func newAccess(cfg config.Serve, client *mixcloud.Client, shared *redis.Redis, log *slog.Logger) (access, error) {
	a := access{keys: auth.RandomKeys(), exchanges: new(exchanges)}
	if cfg.SecretKey != "" {
		var err error
		if a.keys, err = auth.NewKeys(cfg.SecretKey.Reveal()); err != nil {
			return access{}, err
		}
	}
	if cfg.OAuthClientID == "" {
		a.signIn = auth.NoSignIn("This server has no OAuth application. Whoever runs it can name one with --oauth-client-id.")
		return a, nil
	}
	oauth := client.OAuth(cfg.OAuthClientID, cfg.OAuthClientSecret.Reveal())
	a.application = auth.NewApplication(oauth, cfg.OAuthRedirects)
	var revocations auth.Revocations // and not a nil *redis.Revocations
	if shared != nil {
		revocations = shared.Revocations()
	}
	cookies, err := auth.NewCookies(a.keys, cfg.PublicURL, revocations)
	switch {
	case errors.Is(err, auth.ErrInsecure) && cfg.Demo: // the rest of the demo is worth showing
		log.Warn("nobody can sign in with a browser", "reason", err, "public", cfg.PublicURL)
		a.signIn = auth.NoSignIn("Browsers would send its cookie in the clear: give the demo a public address with https, or one on the machine itself.")
		return a, nil
	case err != nil:
		return access{}, err
	}
	if cfg.SecretKey == "" {
		log.Info("sign-ins end with this process, as there is no MIXCLOUD_GRAPHQL_SECRET_KEY")
	}
	a.cookies = cookies
	var nonces auth.Nonces // and not a nil *redis.Nonces
	if shared != nil {
		nonces = shared.Nonces()
	}
	a.signIn, err = auth.NewSignIn(auth.SignInOptions{
		Application: a.application,
		Cookies:     cookies,
		PublicURL:   cfg.PublicURL,
		Nonces:      nonces,
		Exchange:    a.exchanges.make,
		Timeout:     cfg.RequestTimeout,
		Log:         log,
	})
	return a, err
}
