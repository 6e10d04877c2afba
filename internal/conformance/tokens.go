package conformance

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// wrongToken is nobody's.
const wrongToken = "conformance-no-such-token"

// viewerPage is the chart as the viewer sees it.
func viewerPage(ctx context.Context, s *session) (page, error) {
	return showing(listed(s.getAsViewer(ctx, "/popular/?limit=20")))
}

var tokenProbes = []probe{
	{
		name: "me-needs-a-token", section: "tokens", sure: Observed, asks: []string{"/me/"},
		rule: "/me/ without a token is refused with \"An access_token is required to access this resource.\"",
		judge: func(ctx context.Context, s *session) error {
			a, err := s.get(ctx, "/me/")
			if err != nil {
				return err
			}
			if a.doc == nil {
				return unsure("%s", a)
			}
			if got := a.failure().message; got != "An access_token is required to access this resource." {
				return differs("%s says: %s", a, got)
			}
			return nil
		},
	},
	{
		name: "wrong-token-is-refused", section: "tokens", sure: Documented, asks: []string{"/{user}/"},
		rule: "A wrong token is refused with \"An invalid access token was provided\", also where none is needed.",
		judge: func(ctx context.Context, s *session) error {
			a, err := s.get(ctx, "/"+example+"/?access_token="+wrongToken)
			if err != nil {
				return err
			}
			if a.doc == nil {
				return unsure("%s", a)
			}
			if got := a.failure().message; got != "An invalid access token was provided" {
				return differs("%s says: %s", a, got)
			}
			return nil
		},
	},
	{
		name: "token-refusals-have-status-400", section: "unknown", sure: Inferred, asks: []string{"/me/", "/{user}/"},
		rule: "A missing or wrong token is answered with status 400.",
		judge: func(ctx context.Context, s *session) error {
			looked := false
			for _, ref := range []string{"/me/", "/" + example + "/?access_token=" + wrongToken} {
				a, err := s.get(ctx, ref)
				if err != nil {
					return err
				}
				if a.doc == nil || !strings.Contains(strings.ToLower(strings.ReplaceAll(a.failure().message, "_", " ")), "access token") {
					continue
				}
				looked = true
				if a.status != http.StatusBadRequest {
					return differs("%s", a)
				}
			}
			if !looked {
				return unsure("no token was refused")
			}
			return nil
		},
	},
	{
		name: "token-in-header-is-ignored", section: "tokens", sure: ClientCode, asks: []string{"/me/"},
		rule: "A token in the Authorization header does not count.",
		judge: func(ctx context.Context, s *session) error {
			if s.token == "" {
				return errors.New("there is no access token to ask with")
			}
			a, err := s.fetch(ctx, request{base: onAPI, ref: "/me/", header: "Bearer " + s.token})
			if err != nil {
				return err
			}
			if o, err := resource(a, nil); err == nil && has(o, "username") {
				return differs("it is answered for %s", text(o, "key"))
			}
			if a.doc == nil {
				return unsure("%s", a)
			}
			return nil
		},
	},
	{
		name: "me-has-its-real-key", section: "tokens", sure: Observed, asks: []string{"/me/"},
		rule: "The user at /me/ has the key of its own name.",
		judge: func(ctx context.Context, s *session) error {
			o, err := s.objectAsViewer(ctx, "/me/")
			if err == nil && text(o, "key") == "/me/" {
				return differs("the key is %q", text(o, "key"))
			}
			return err
		},
	},
	{
		name: "token-adds-members", section: "tokens", sure: Observed, asks: []string{"/popular/"},
		rule: "A token adds following to users, and favorited, reposted and is_listen_later to cloudcasts.",
		judge: func(ctx context.Context, s *session) error {
			p, err := viewerPage(ctx, s)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if lacks := missing(o, []string{"favorited", "reposted", "is_listen_later"}); len(lacks) > 0 {
					return differs("%s has no %s", text(o, "key"), strings.Join(lacks, ", "))
				}
				if u := inside(o, "user"); !has(u, "following") {
					return differs("%s has no following", text(u, "key"))
				}
			}
			return nil
		},
	},
	{
		name: "follower-on-full-users-only", section: "tokens", sure: Observed, asks: []string{"/popular/"},
		rule: "A nested user does not tell whether it follows the viewer.",
		judge: func(ctx context.Context, s *session) error {
			p, err := viewerPage(ctx, s)
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if u := inside(o, "user"); has(u, "follower") {
					return differs("%s tells it", text(u, "key"))
				}
			}
			return nil
		},
	},
	{
		name: "is-current-user-on-oneself-only", section: "tokens", sure: Inferred, asks: []string{"/{user}/"},
		rule: "is_current_user is absent on all users but the viewer.",
		judge: func(ctx context.Context, s *session) error {
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
					return differs("it is %v on %s", o["is_current_user"], text(o, "key"))
				}
			}
			return nil
		},
	},
	{
		name: "links-without-token", section: "unknown", sure: Unknown, asks: []string{"/popular/"},
		rule: "Links do not repeat the token.",
		judge: func(ctx context.Context, s *session) error {
			urls, err := links(viewerPage(ctx, s))
			if err != nil {
				return err
			}
			for _, u := range urls {
				if strings.Contains(u, "access_token") {
					return differs("%s", query(u))
				}
			}
			return nil
		},
	},
	{
		name: "viewer-has-listen-later", section: "unknown", sure: ClientCode, asks: []string{"/me/listen-later/"},
		rule: "/me/listen-later/ lists cloudcasts.",
		judge: func(ctx context.Context, s *session) error {
			a, err := s.getAsViewer(ctx, "/me/listen-later/?limit=5")
			if err != nil {
				return err
			}
			return holdsKind(a, "cloudcasts", isCloudcast)
		},
	},
}
