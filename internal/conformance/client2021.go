package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// client2021Probes check rules from the data classes of a client, which were generated
// from responses of 2021 and 2022. These responses were not recorded.
var client2021Probes = []probe{
	{
		name: "listeners-have-listen-time", section: "lists", confidence: ClientCode, paths: []string{"/{user}/{cloudcast}/listeners/"},
		rule: "A cloudcast's listeners have a listen_time.",
		check: func(ctx context.Context, s *session) error {
			p, err := s.cloudcastList(ctx, "listeners", "listener_count")
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if !has(o, "listen_time") {
					return differs("%s has no listen_time", text(o, "key"))
				}
			}
			if len(p.items) == 0 {
				return inconclusive("the list is empty: %s", p.response)
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
				return inconclusive("the chart has no name either")
			}
			for list, count := range map[string]string{"comments": "comment_count", "listeners": "listener_count", "similar": "play_count"} {
				p, err := s.cloudcastList(ctx, list, count)
				if err == nil && !has(p.envelope, "name") {
					return differs("the list has no name: %s", p.response)
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
		rule: "A listed playlist has no cloudcast_count.",
		check: func(ctx context.Context, s *session) error {
			users, err := s.users(ctx)
			if err != nil {
				return err
			}
			reason := inconclusive("no user with a playlist was found")
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
					reason = nil
				}
			}
			return reason
		},
	},
	tagProbe("tag-connections-are-two", ClientCode, []string{"/genres/{tag}/"},
		"The connections of a tag are popular and latest only.",
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
						return differs("the members of an item of %s are %s", list, strings.Join(names, " "))
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
					return differs("the members of a cloudcast are %s", strings.Join(names, " "))
				}
			}
			return nil
		},
	},
	{
		name: "sections-have-tracklists", section: "unknown", confidence: Unknown, paths: []string{"/{user}/{cloudcast}/"},
		rule: "The published tracklist of a cloudcast is in its sections.",
		check: func(ctx context.Context, s *session) error {
			if o, err := s.object(ctx, exampleCloudcast); err == nil && len(objects(o["sections"])) > 0 {
				return nil
			}
			checked := 0
			err := findFullCloudcast(ctx, s, func(o object) (bool, error) {
				if _, ok := o["sections"].([]any); ok {
					checked++
				}
				return len(objects(o["sections"])) > 0, nil
			})
			if err != nil && checked > 0 && s.fatal == nil {
				return differs("none of %d cloudcasts has sections", checked)
			}
			return err
		},
	},
}

// cloudcastList fetches the first page of a list of a cloudcast whose count is not 0.
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
