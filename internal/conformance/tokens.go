package conformance

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// unknownToken is a token that no user has.
const unknownToken = "conformance-no-such-token"

// viewerPage fetches the chart with the access token.
func viewerPage(ctx context.Context, s *session) (page, error) {
	return cloudcastPage(parsePage(s.getAsViewer(ctx, "/popular/?limit=20")))
}

var tokenProbes = []probe{
	{
		name: "me-needs-a-token", section: "tokens", confidence: Observed, paths: []string{"/me/"},
		rule: "The error for /me/ without a token is \"An access_token is required to access this resource.\"",
		check: func(ctx context.Context, s *session) error {
			a, err := s.get(ctx, "/me/")
			if err != nil {
				return err
			}
			if a.doc == nil {
				return inconclusive("%s", a)
			}
			if got := a.apiError().message; got != "An access_token is required to access this resource." {
				return differs("%s, message %q", a, got)
			}
			return nil
		},
	},
	{
		name: "wrong-token-is-refused", section: "tokens", confidence: Documented, paths: []string{"/{user}/"},
		rule: "The error for an invalid token is \"An invalid access token was provided\", even where no token is needed.",
		check: func(ctx context.Context, s *session) error {
			a, err := s.get(ctx, "/"+exampleUser+"/?access_token="+unknownToken)
			if err != nil {
				return err
			}
			if a.doc == nil {
				return inconclusive("%s", a)
			}
			if got := a.apiError().message; got != "An invalid access token was provided" {
				return differs("%s, message %q", a, got)
			}
			return nil
		},
	},
	{
		name: "token-refusals-have-status-400", section: "unknown", confidence: Inferred, paths: []string{"/me/", "/{user}/"},
		rule: "The error for a missing or invalid token has status 400.",
		check: func(ctx context.Context, s *session) error {
			checked := false
			for _, ref := range []string{"/me/", "/" + exampleUser + "/?access_token=" + unknownToken} {
				a, err := s.get(ctx, ref)
				if err != nil {
					return err
				}
				if a.doc == nil || !strings.Contains(strings.ToLower(strings.ReplaceAll(a.apiError().message, "_", " ")), "access token") {
					continue
				}
				checked = true
				if a.status != http.StatusBadRequest {
					return differs("the response has %s", a)
				}
			}
			if !checked {
				return inconclusive("no token was refused")
			}
			return nil
		},
	},
	{
		name: "token-in-header-is-ignored", section: "tokens", confidence: ClientCode, paths: []string{"/me/"},
		rule: "A token in the Authorization header is ignored.",
		check: func(ctx context.Context, s *session) error {
			if s.token == "" {
				return errors.New("no access token is configured")
			}
			a, err := s.fetch(ctx, request{base: onAPI, ref: "/me/", header: "Bearer " + s.token})
			if err != nil {
				return err
			}
			if o, err := parseResource(a, nil); err == nil && has(o, "username") {
				return differs("the response is the user %s", text(o, "key"))
			}
			if a.doc == nil {
				return inconclusive("%s", a)
			}
			return nil
		},
	},
	{
		name: "me-has-the-users-key", section: "tokens", confidence: Observed, paths: []string{"/me/"},
		rule: "The key of the user at /me/ is the user's own key.",
		check: func(ctx context.Context, s *session) error {
			o, err := s.objectAsViewer(ctx, "/me/")
			if err == nil && text(o, "key") == "/me/" {
				return differs("the key is %q", text(o, "key"))
			}
			return err
		},
	},
	{
		name: "token-adds-members", section: "tokens", confidence: Observed, paths: []string{"/popular/"},
		rule: "A token adds following to users, and favorited, reposted and is_listen_later to cloudcasts.",
		check: func(ctx context.Context, s *session) error {
			p, err := viewerPage(ctx, s)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if lacking := missing(o, []string{"favorited", "reposted", "is_listen_later"}); len(lacking) > 0 {
					return differs("%s has no %s", text(o, "key"), strings.Join(lacking, ", "))
				}
				if u := member(o, "user"); !has(u, "following") {
					return differs("%s has no following", text(u, "key"))
				}
			}
			return nil
		},
	},
	{
		name: "follower-on-full-users-only", section: "tokens", confidence: Observed, paths: []string{"/popular/"},
		rule: "Nested users have no follower.",
		check: func(ctx context.Context, s *session) error {
			p, err := viewerPage(ctx, s)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if u := member(o, "user"); has(u, "follower") {
					return differs("%s has follower", text(u, "key"))
				}
			}
			return nil
		},
	},
	{
		name: "is-current-user-on-viewer-only", section: "tokens", confidence: Inferred, paths: []string{"/{user}/"},
		rule: "Only the viewer has is_current_user.",
		check: func(ctx context.Context, s *session) error {
			me, err := s.objectAsViewer(ctx, "/me/")
			if err != nil {
				return err
			}
			users, err := s.users(ctx)
			if err != nil {
				return err
			}
			users = slices.DeleteFunc(users, func(u string) bool { return strings.EqualFold(u, text(me, "username")) })
			for _, u := range users[:1] {
				o, err := s.objectAsViewer(ctx, "/"+u+"/")
				if err != nil {
					return err
				}
				if has(o, "is_current_user") {
					return differs("is_current_user is %v in %s", o["is_current_user"], text(o, "key"))
				}
			}
			return nil
		},
	},
	{
		name: "links-without-token", section: "unknown", confidence: Unknown, paths: []string{"/popular/"},
		rule: "Links do not repeat the token.",
		check: func(ctx context.Context, s *session) error {
			urls, err := links(viewerPage(ctx, s))
			if err != nil {
				return err
			}
			for _, u := range urls {
				if strings.Contains(u, "access_token") {
					return differs("the query of a link is %s", query(u))
				}
			}
			return nil
		},
	},
	{
		name: "viewer-has-listen-later", section: "unknown", confidence: ClientCode, paths: []string{"/me/listen-later/"},
		rule: "/me/listen-later/ lists cloudcasts.",
		check: func(ctx context.Context, s *session) error {
			a, err := s.getAsViewer(ctx, "/me/listen-later/?limit=5")
			if err != nil {
				return err
			}
			return checkItems(a, "cloudcasts", isCloudcast)
		},
	},
}
