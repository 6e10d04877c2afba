package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// shapes2021Probes ask for what data classes show that were generated from
// answers of 2021 and 2022: evidence for the present API, and no recording.
var shapes2021Probes = []probe{
	{
		name: "listeners-tell-their-time", section: "lists", sure: ClientCode, asks: []string{"/{user}/{cloudcast}/listeners/"},
		rule: "A cloudcast's listeners have a listen_time.",
		judge: func(ctx context.Context, s *session) error {
			p, err := s.listOfShow(ctx, "listeners", "listener_count")
			if err != nil {
				return err
			}
			for _, o := range p.items {
				if !has(o, "listen_time") {
					return differs("%s has none", text(o, "key"))
				}
			}
			if len(p.items) == 0 {
				return unsure("it is empty: %s", p.answer)
			}
			return nil
		},
	},
	{
		name: "cloudcast-lists-have-names", section: "lists", sure: ClientCode, asks: []string{"/{user}/{cloudcast}/{list}/"},
		rule: "The comments, listeners and similar cloudcasts of a cloudcast have a name.",
		judge: func(ctx context.Context, s *session) error {
			p, err := s.charted(ctx)
			if err != nil {
				return err
			}
			if !has(p.envelope, "name") {
				return unsure("not even the chart has a name")
			}
			for list, count := range map[string]string{"comments": "comment_count", "listeners": "listener_count", "similar": "play_count"} {
				p, err := s.listOfShow(ctx, list, count)
				if err == nil && !has(p.envelope, "name") {
					return differs("%s has none", p.answer)
				}
				if err != nil && s.fatal != nil {
					return err
				}
			}
			return nil
		},
	},
	{
		name: "playlists-have-no-count", section: "lists", sure: ClientCode, asks: []string{"/{user}/playlists/"},
		rule: "A listed playlist does not say how many cloudcasts it holds.",
		judge: func(ctx context.Context, s *session) error {
			users, err := s.users(ctx)
			if err != nil {
				return err
			}
			why := unsure("nobody was found with a playlist")
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
		name: "comments-and-activities-begin-with-key", section: "resources", sure: ClientCode,
		asks: []string{"/{user}/comments/", "/{user}/feed/"},
		rule: "The members of comments and activities begin with key and url; a cloudcast's is_exclusive comes before its audio_length.",
		judge: func(ctx context.Context, s *session) error {
			for _, list := range []string{"comments", "feed"} {
				_, p, err := s.owner(ctx, list, 5)
				if err != nil {
					return err
				}
				for _, names := range itemMembers(p.body) {
					if !slices.Equal(names[:min(2, len(names))], []string{"key", "url"}) {
						return differs("%s: %s", list, strings.Join(names, " "))
					}
				}
			}
			p, err := s.charted(ctx)
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
		name: "sections-hold-tracklists", section: "unknown", sure: Unknown, asks: []string{"/{user}/{cloudcast}/"},
		rule: "A published tracklist is in the sections of its cloudcast.",
		judge: func(ctx context.Context, s *session) error {
			if o, err := s.object(ctx, exampleShow); err == nil && len(objects(o["sections"])) > 0 {
				return nil
			}
			looked := 0
			err := fullShows(ctx, s, func(o object) (bool, error) {
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

// listOfShow is the beginning of a list of a cloudcast that counts something in
// it.
func (s *session) listOfShow(ctx context.Context, list, count string) (page, error) {
	key, err := s.show(ctx, func(o object) bool {
		n, ok := number(o, count)
		return ok && n > 0
	})
	if err != nil {
		return page{}, err
	}
	return s.page(ctx, key+list+"/?limit=5")
}

// itemMembers are the names of the members of each item of a list, in the order
// of the text.
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
