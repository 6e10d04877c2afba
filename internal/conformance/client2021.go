package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// client2021Probes check rules from a client's data classes, which were generated from
// responses of 2021 and 2022. They are evidence for the current API, but not recordings.
var client2021Probes = []probe{
	{
		name: "listeners-tell-their-time", section: "lists", confidence: ClientCode, paths: []string{"/{user}/{cloudcast}/listeners/"},
		rule: "A cloudcast's listeners have a listen_time.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.cloudcastList(ctx, "listeners", "listener_count")
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if !has(o, "listen_time") {
					return differs("%s has none", text(o, "key"))
				}
			}
			if len(p.items) == 0 {
				return inconclusive("it is empty: %s", p.response)
			}
			return nil
		},
	},
	{
		name: "cloudcast-lists-have-names", section: "lists", confidence: ClientCode, paths: []string{"/{user}/{cloudcast}/{list}/"},
		rule: "The comments, listeners and similar cloudcasts of a cloudcast have a name.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.chartPage(ctx)
			if err != nil {
				return err
			}
			if !has(p.envelope, "name") {
				return inconclusive("not even the chart has a name")
			}
			for list, count := range map[string]string{"comments": "comment_count", "listeners": "listener_count", "similar": "play_count"} {
				p, err := s.cloudcastList(ctx, list, count)
				if err == nil && !has(p.envelope, "name") {
					return differs("%s has none", p.response)
				}
				if err != nil && s.fatal != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "playlists-have-no-count", section: "lists", confidence: ClientCode, paths: []string{"/{user}/playlists/"},
		rule: "A listed playlist does not say how many cloudcasts it holds.",
		check: func(ctx context.Context, s *session) error {
			users, err := s.users(ctx)
			if err != nil {
				return err
			}
			why := inconclusive("nobody was found with a playlist")
			for _, u := range users {
				p, err := s.page(ctx, "/"+u+"/playlists/?limit=5")
				if s.fatal != nil {
					return err
				}
				if err != nil {
					continue
				}
				for _, o := range p.items {
					if has(o, "cloudcast_count") {
						return differs("%s has a cloudcast_count", text(o, "key"))
					}
					why = nil
				}
			}
			return why
		},
	},
	tagProbe("tag-connections-are-two", ClientCode, []string{"/genres/{tag}/"},
		"A tag's metadata names the connections popular and latest only.",
		func(ctx context.Context, s *session, tag string) error {
			c, err := connections(ctx, s, "/genres/"+tag+"/")
			if err != nil {
				return err
			}
			return onlyThese(c, []string{"popular", "latest"})
		}),
	{
		name: "comments-and-activities-begin-with-key", section: "resources", confidence: ClientCode,
		paths: []string{"/{user}/comments/", "/{user}/feed/"},
		rule:  "The members of comments and activities begin with key and url; a cloudcast's is_exclusive comes before its audio_length.",
		check: func(ctx context.Context, s *session) error {
			for _, list := range []string{"comments", "feed"} {
				_, p, err := s.userWithList(ctx, list, 5)
				if err != nil {
					return err
				}
				for _, names := range itemMembers(p.body) {
					if !slices.Equal(names[:min(2, len(names))], []string{"key", "url"}) {
						return differs("%s: %s", list, strings.Join(names, " "))
					}
				}
			}
			p, err := s.chartPage(ctx)
			if err != nil {
				return err
			}
			for _, names := range itemMembers(p.body) {
				exclusive, length := slices.Index(names, "is_exclusive"), slices.Index(names, "audio_length")
				if exclusive > length && length >= 0 {
					return differs("a cloudcast: %s", strings.Join(names, " "))
				}
			}
			return nil
		},
	},
	{
		name: "sections-hold-tracklists", section: "unknown", confidence: Unknown, paths: []string{"/{user}/{cloudcast}/"},
		rule: "A published tracklist is in the sections of its cloudcast.",
		check: func(ctx context.Context, s *session) error {
			if o, err := s.object(ctx, exampleCloudcast); err == nil && len(objects(o["sections"])) > 0 {
				return nil
			}
			looked := 0
			err := findFullCloudcast(ctx, s, func(o object) (bool, error) {
				if _, ok := o["sections"].([]any); ok {
					looked++
				}
				return len(objects(o["sections"])) > 0, nil
			})
			if err != nil && looked > 0 && s.fatal == nil {
				return differs("none of %d cloudcasts has any", looked)
			}
			return err
		},
	},
}

// cloudcastList fetches the start of a list of a cloudcast whose count is not 0.
func (s *session) cloudcastList(ctx context.Context, list, count string) (page, error) {
	key, err := s.cloudcastKey(ctx, func(o object) bool {
		n, ok := number(o, count)
		return ok && n > 0
	})
	if err != nil {
		return page{}, err
	}
	return s.page(ctx, key+list+"/?limit=5")
}

// itemMembers returns the names of the members of each item of a list, in the order of
// the text.
func itemMembers(body []byte) [][]string {
	var envelope struct{ Data []json.RawMessage }
	if json.Unmarshal(body, &envelope) != nil {
		return nil
	}
	var all [][]string
	for _, item := range envelope.Data {
		dec := json.NewDecoder(bytes.NewReader(item))
		if open, err := dec.Token(); err != nil || open != json.Delim('{') {
			continue
		}
		var names []string
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				break
			}
			names = append(names, name.(string))
			var value json.RawMessage
			if dec.Decode(&value) != nil {
				break
			}
		}
		all = append(all, names)
	}
	return all
}
