package world

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// artificialMarker returns the part of a text that shows that it is not real, or "".
func artificialMarker(text string) string {
	lower := strings.ToLower(text)
	for _, marker := range []string{
		"lorem", "ipsum", "placeholder", "example", "dummy", "foobar", "user1", "user 1", "the the ", " a a ", "{", "}", "%!", "<nil>", "  ",
	} {
		if strings.Contains(lower, marker) {
			return marker
		}
	}
	for _, marker := range []string{"TODO", "FIXME", "XXX"} {
		if strings.Contains(text, marker) {
			return marker
		}
	}
	return ""
}

func TestWorld_TextsLookReal(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		check := func(where, text string) {
			if marker := artificialMarker(text); marker != "" {
				t.Errorf("%s: the text contains %q, which looks artificial, want realistic text: %q", where, marker, text)
			}
			if !utf8.ValidString(text) {
				t.Errorf("%s: %q is not valid UTF-8", where, text)
			}
		}
		for _, u := range w.Users {
			check(u.Key(), u.Name)
			check(u.Key(), u.Biog)
			if strings.TrimSpace(u.Name) != u.Name || u.Name == "" {
				t.Errorf("%s has the name %q, want one without spaces at its ends", u.Key(), u.Name)
			}
			if (u.City == "") != (u.Country == "") {
				t.Errorf("%s has the city %q and the country %q, want both or none", u.Key(), u.City, u.Country)
			}
			for _, c := range u.Comments {
				check(u.Key()+" comment", c.Text)
			}
			for _, p := range u.Playlists {
				check(p.Key(), p.Name)
			}
		}
		for _, c := range allCloudcasts(w) {
			check(c.Key(), strings.Replace(c.Name, "  ", " ", 1)) // renamed shows can have two spaces
			check(c.Key(), c.Description)
			for _, x := range c.Comments {
				check(c.Key()+" comment", x.Text)
				if x.Text == "" {
					t.Errorf("%s has an empty comment, want a text", c.Key())
				}
			}
		}
	})
}

func TestWorld_TextsVary(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		distinct := func(what string, share int, texts []string) {
			seen := map[string]bool{}
			for _, s := range texts {
				seen[s] = true
			}
			if 100*len(seen) < share*len(texts) {
				t.Errorf("%s: %d of %d are distinct, want %d %%", what, len(seen), len(texts), share)
			}
		}
		var names, biogs, titles, descriptions, comments []string
		for _, u := range w.Users {
			names = append(names, u.Name)
			if u.Biog != "" {
				biogs = append(biogs, u.Biog)
			}
		}
		for _, c := range w.Latest {
			titles = append(titles, c.Owner.Username+c.Name)
			if c.Description != "" {
				descriptions = append(descriptions, c.Description)
			}
			for _, x := range c.Comments {
				comments = append(comments, x.Text)
			}
		}
		distinct("names", 80, names)
		distinct("biogs", 65, biogs)
		distinct("titles of a user", 97, titles)
		distinct("descriptions", 75, descriptions)
		distinct("comments", 30, comments)
	})
}

// TestWorld_TitlesRepeatRarely checks that no title occurs too often, ignoring case and
// punctuation.
func TestWorld_TitlesRepeatRarely(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *World) {
		shows := make(map[string]int)
		for _, c := range allCloudcasts(w) {
			if shows[Slugify(c.Name)]++; shows[Slugify(c.Name)] == maxSameTitle+1 {
				t.Errorf("more than %d shows have the title %q", maxSameTitle, c.Name)
			}
		}
	})
}

// TestWorld_CommentsAreInTheirAuthorsLanguage checks that every comment is in its
// author's language, and that the language has all sections for comments.
func TestWorld_CommentsAreInTheirAuthorsLanguage(t *testing.T) {
	for _, l := range locales() {
		for _, section := range []string{"episode comments", "talk comments", "profile comments", "replies"} {
			if len(l.entries[section]) == 0 {
				t.Errorf("%s has no section %q", l.lang, section)
			}
		}
	}
	scripts := map[string]*unicode.RangeTable{
		"ar": unicode.Arabic, "el": unicode.Greek, "he": unicode.Hebrew, "hi": unicode.Devanagari, "ka": unicode.Georgian,
		"ko": unicode.Hangul, "ru": unicode.Cyrillic, "th": unicode.Thai, "uk": unicode.Cyrillic,
	}
	w, members := newWithMembers(1)
	checked := 0
	for _, c := range allCloudcasts(w) {
		for _, comment := range c.Comments {
			script := scripts[members[comment.Author].locale.lang]
			if script == nil {
				continue
			}
			checked++
			if !strings.ContainsFunc(comment.Text, func(r rune) bool { return unicode.Is(script, r) }) {
				t.Errorf("%s: comment %q by %s has no character of their language %s", c.Key(), comment.Text, comment.Author.Username, members[comment.Author].locale.lang)
			}
		}
	}
	if checked < 100 {
		t.Errorf("%d comments were checked, want at least 100", checked)
	}
}

func TestWorld_HasAllVariants(t *testing.T) {
	scripts := []*unicode.RangeTable{
		unicode.Greek, unicode.Cyrillic, unicode.Hebrew, unicode.Arabic, unicode.Han, unicode.Hiragana, unicode.Hangul,
		unicode.Thai, unicode.Devanagari, unicode.Georgian,
	}
	eachWorld(t, func(t *testing.T, w *World) {
		for _, script := range scripts {
			in := func(s string) bool {
				return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(script, r) })
			}
			if !slices.ContainsFunc(w.Users, func(u *User) bool { return in(u.Name) }) ||
				!slices.ContainsFunc(w.Latest, func(c *Cloudcast) bool { return in(c.Slug) }) {
				t.Errorf("no user name, or no slug, has a character of the script that begins with U+%04X", script.R16[0].Lo)
			}
		}
		// Rare cases exist but are rare.
		all := allCloudcasts(w)
		share := func(what string, low, high float64, n, of int) {
			if p := 100 * float64(n) / float64(of); p < low || p > high {
				t.Errorf("%s: %d of %d (%.2f %%), want %v to %v %%", what, n, of, p, low, high)
			}
		}
		users := func(what string, low, high float64, is func(*User) bool) {
			n := 0
			for _, u := range w.Users {
				if is(u) {
					n++
				}
			}
			share(what, low, high, n, len(w.Users))
		}
		shows := func(what string, low, high float64, is func(*Cloudcast) bool) {
			n := 0
			for _, c := range all {
				if is(c) {
					n++
				}
			}
			share(what, low, high, n, len(all))
		}
		users("capitals in user names", 10, 60, func(u *User) bool { return fold(u.Username) != u.Username })
		users("encoded user names", 5, 50, func(u *User) bool { return Escape(u.Username) != u.Username })
		users("without biog", 5, 50, func(u *User) bool { return u.Biog == "" })
		users("without city", 5, 30, func(u *User) bool { return u.City == "" })
		users("default picture", 3, 30, func(u *User) bool { return u.Picture == "" })
		users("without cover", 20, 80, func(u *User) bool { return u.Cover == "" })
		users("pro", 5, 40, func(u *User) bool { return u.IsPro })
		users("premium", 3, 30, func(u *User) bool { return u.IsPremium })
		users("hidden listens", 0.1, 5, func(u *User) bool { return u.HideListens })
		users("without uploads", 20, 70, func(u *User) bool { return len(u.Cloudcasts) == 0 })
		shows("without description", 10, 40, func(c *Cloudcast) bool { return c.Description == "" })
		shows("CRLF in the description", 10, 60, func(c *Cloudcast) bool { return strings.Contains(c.Description, "\r\n") })
		shows("a link in the description", 3, 60, func(c *Cloudcast) bool { return strings.Contains(c.Description, "https://") })
		shows("without tags", 1, 10, func(c *Cloudcast) bool { return len(c.Tags) == 0 })
		shows("five tags", 3, 60, func(c *Cloudcast) bool { return len(c.Tags) == 5 })
		shows("hosts", 5, 50, func(c *Cloudcast) bool { return len(c.Hosts) > 0 })
		shows("two hosts", 0.5, 30, func(c *Cloudcast) bool { return len(c.Hosts) == 2 })
		shows("updated before created", 10, 40, func(c *Cloudcast) bool { return c.Updated.Before(c.Created) })
		shows("no audio length", 1, 6, func(c *Cloudcast) bool { return c.AudioLength == 0 })
		shows("hidden stats", 0.5, 8, func(c *Cloudcast) bool { return c.HiddenStats })
		shows("exclusive", 0.2, 4, func(c *Cloudcast) bool { return c.Exclusive })
		shows("unlisted", 0.1, 2, func(c *Cloudcast) bool { return c.Unlisted })
		shows("renamed, with two blanks in a row", 0.1, 3, func(c *Cloudcast) bool {
			return strings.Contains(c.Name, "  ") && !strings.HasPrefix(c.Slug, Slugify(c.Name))
		})
		shows("comments disabled", 0.1, 4, func(c *Cloudcast) bool { return c.DisableComments })
		shows("sections", 5, 25, func(c *Cloudcast) bool { return len(c.Sections) > 0 })
		shows("a missing start time", 0.5, 15, func(c *Cloudcast) bool {
			return slices.ContainsFunc(c.Sections, func(s Section) bool { return s.StartTime < 0 })
		})
		shows("chapters", 0.2, 6, func(c *Cloudcast) bool {
			return slices.ContainsFunc(c.Sections, func(s Section) bool { return s.Chapter != "" })
		})
		shows("a space at the end", 0.2, 4, func(c *Cloudcast) bool { return strings.HasSuffix(c.Name, " ") })
		shows("without comments", 20, 70, func(c *Cloudcast) bool { return len(c.Comments) == 0 })
		shows("encoded slugs", 5, 60, func(c *Cloudcast) bool { return Escape(c.Slug) != c.Slug })
	})
}
