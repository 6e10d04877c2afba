package conformance

import (
	"context"
	"strings"
)

func isComment(o object) bool { return has(o, "comment") && has(o, "user") }

func isCategory(o object) bool {
	return strings.HasPrefix(text(o, "key"), "/categories/") && has(o, "name")
}

func isPlaylist(o object) bool {
	return strings.Contains(text(o, "key"), "/playlists/") && has(o, "name")
}

// cloudcastListProbe returns a probe of a list of a cloudcast.
func cloudcastListProbe(name, list, kind string, is func(object) bool, count string) probe {
	return probe{
		name: name, section: "unknown", confidence: ClientCode, paths: []string{"/{user}/{cloudcast}/" + list + "/"},
		rule: "A cloudcast has a list " + list + " of " + kind + ".",
		check: func(ctx context.Context, s *session) error {
			key, err := s.cloudcastKey(ctx, func(o object) bool {
				n, ok := number(o, count)
				return ok && n > 0
			})
			if err != nil {
				return err
			}
			return checkList(ctx, s, key+list+"/?limit=5", kind, is)
		},
	}
}

// categoryPath returns the path of the first category.
func categoryPath(ctx context.Context, s *session) (string, error) {
	p, err := s.page(ctx, "/categories/")
	if err != nil {
		return "", err
	}
	for _, o := range p.items {
		if key := text(o, "key"); isCategory(o) && plainKey.MatchString("/"+strings.Trim(strings.TrimPrefix(key, "/categories/"), "/")+"/") {
			return key, nil
		}
	}
	return "", inconclusive("the list of categories has no suitable category")
}

// playlistKey returns the path of a user's playlist.
func playlistKey(ctx context.Context, s *session) (string, error) {
	users, err := s.users(ctx)
	if err != nil {
		return "", err
	}
	for _, u := range users {
		p, err := s.page(ctx, "/"+u+"/playlists/?limit=5")
		if s.fatal != nil {
			return "", err
		}
		if err != nil {
			continue
		}
		for _, o := range p.items {
			prefix, slug, ok := strings.Cut(text(o, "key"), "/playlists/")
			if ok && plainKey.MatchString(prefix+"/") && plainKey.MatchString("/"+slug) {
				return text(o, "key"), nil
			}
		}
	}
	return "", inconclusive("no user with a playlist was found")
}

// unrecordedProbes check endpoints that clients use and that have no recording.
var unrecordedProbes = []probe{
	cloudcastListProbe("cloudcast-comments", "comments", "comments", isComment, "comment_count"),
	cloudcastListProbe("cloudcast-favorites", "favorites", "users", isUser, "favorite_count"),
	cloudcastListProbe("cloudcast-listeners", "listeners", "users", isUser, "listener_count"),
	cloudcastListProbe("cloudcast-similar", "similar", "cloudcasts", isCloudcast, "play_count"),
	{
		name: "user-playlists", section: "unknown", confidence: ClientCode, paths: []string{"/{user}/playlists/"},
		rule: "The playlists of a user have key and name.",
		check: func(ctx context.Context, s *session) error {
			users, err := s.users(ctx)
			if err != nil {
				return err
			}
			reason := inconclusive("no user with a playlist was found")
			for _, u := range users {
				if reason = checkList(ctx, s, "/"+u+"/playlists/?limit=5", "playlists", isPlaylist); reason == nil || isDifference(reason) || s.fatal != nil {
					return reason
				}
			}
			return reason
		},
	},
	{
		name: "playlist-cloudcasts", section: "unknown", confidence: ClientCode, paths: []string{"/{user}/playlists/", "/{user}/playlists/{playlist}/cloudcasts/"},
		rule: "cloudcasts/ below the key of a playlist lists its cloudcasts.",
		check: func(ctx context.Context, s *session) error {
			key, err := playlistKey(ctx, s)
			if err != nil {
				return err
			}
			return checkList(ctx, s, key+"cloudcasts/?limit=5", "cloudcasts", isCloudcast)
		},
	},
	{
		name: "categories", section: "unknown", confidence: ClientCode, paths: []string{"/categories/"},
		rule: "/categories/ lists the categories with key, name and slug.",
		check: func(ctx context.Context, s *session) error {
			return checkList(ctx, s, "/categories/", "categories", isCategory)
		},
	},
	{
		name: "category-cloudcasts", section: "unknown", confidence: ClientCode, paths: []string{"/categories/", "/categories/{category}/cloudcasts/"},
		rule: "A category has a list of cloudcasts.",
		check: func(ctx context.Context, s *session) error {
			path, err := categoryPath(ctx, s)
			if err != nil {
				return err
			}
			return checkList(ctx, s, path+"cloudcasts/", "cloudcasts", isCloudcast)
		},
	},
	{
		name: "category-users", section: "unknown", confidence: ClientCode, paths: []string{"/categories/", "/categories/{category}/users/"},
		rule: "A category has a list of users.",
		check: func(ctx context.Context, s *session) error {
			path, err := categoryPath(ctx, s)
			if err != nil {
				return err
			}
			return checkList(ctx, s, path+"users/", "users", isUser)
		},
	},
	{
		name: "category-lists-ignore-limit", section: "unknown", confidence: ClientCode, paths: []string{"/categories/", "/categories/{category}/cloudcasts/"},
		rule: "The lists of a category ignore the limit.",
		check: func(ctx context.Context, s *session) error {
			path, err := categoryPath(ctx, s)
			if err != nil {
				return err
			}
			p, err := s.page(ctx, path+"cloudcasts/?limit=3")
			switch {
			case err != nil:
				return err
			case len(p.items) < 3:
				return inconclusive("the list has only %d cloudcasts", len(p.items))
			case len(p.items) == 3:
				return differs("limit=3 returned 3 cloudcasts")
			}
			return nil
		},
	},
	{
		name: "artist-pages", section: "unknown", confidence: Observed, paths: []string{"/{user}/{cloudcast}/", "/artist/{artist}/"},
		rule: "The path of an artist, which is no longer documented, still exists.",
		check: func(ctx context.Context, s *session) error {
			show, err := s.object(ctx, exampleCloudcast)
			if err != nil {
				return err
			}
			for _, section := range objects(show["sections"]) {
				key := text(member(member(section, "track"), "artist"), "key")
				if slug, ok := strings.CutPrefix(key, "/artist"); ok && plainKey.MatchString(slug) {
					return checkExists(ctx, s, key)
				}
			}
			return inconclusive("%s has no tracklist with an artist", exampleCloudcast)
		},
	},
}
