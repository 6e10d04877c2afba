package world

import (
	"slices"
	"strconv"
)

// addComments lets members talk below shows and on profiles. Most comments are
// left by listeners or followers, in the language of the page, in English or
// in their own.
func (g *generator) addComments() {
	var all []*Comment
	for i, sh := range g.public {
		if sh.quiet || sh.DisableComments {
			continue
		}
		s := newSource(g.w.Seed, "comments", i)
		n := 0
		if s.chance(58) {
			n = s.skew(1, 2+sh.weight/90)
		}
		if sh == g.busy {
			n = 130
		}
		if n > 0 {
			sh.Comments = g.showComments(s, sh, min(n, 140))
			all = append(all, sh.Comments...)
		}
	}
	for _, m := range g.members {
		if m.kind == silent {
			continue
		}
		s := newSource(g.w.Seed, "profile comments "+m.Username, 0)
		n := s.skew(0, 2+m.fame/60)
		if slices.Contains(TiesUsers(), m.Username) {
			n = 72
		}
		if n > 0 {
			m.Comments = g.profileComments(s, m, n)
			all = append(all, m.Comments...)
		}
	}
	newestFirst(all, func(c **Comment) int64 { return (*c).At.Unix() })
	id := 8_000_000
	s := newSource(g.w.Seed, "comment ids", 0)
	for _, c := range slices.Backward(all) {
		id += s.between(1, 900)
		c.ID = id
	}
}

func (g *generator) showComments(s *source, sh *show, n int) []*Comment {
	thread := "10/" + strconv.Itoa(sh.ID)
	list := make([]Comment, 0, n+n/4)
	for range n {
		who := g.commenter(s, sh.Listeners)
		if who.User == sh.Owner || who.kind == silent {
			continue
		}
		since := max(who.joined, sh.at) + 1
		at := since + int64(s.skew(30, int(now-since)-1))
		lang := g.tongue(s, who, sh.owner)
		t := &teller{g: g, s: s, m: sh.owner, shelf: sh.shelf, aired: sh.Created}
		for _, section := range sh.Sections {
			if section.Track != nil && len(t.tracks) < 6 {
				t.tracks = append(t.tracks, section.Track)
			}
		}
		text := g.commentText(s, t, who, lang.list("episode comments"), sh.AudioLength)
		list = append(list, Comment{Thread: thread, Author: who.User, Text: text, At: instant(min(at, now-1))})
		if s.chance(14) {
			reply := expand(pick(s, lang.list("replies")), func(slot string) string {
				if slot == "author" {
					return who.Name
				}
				return t.value(slot)
			})
			list = append(list, Comment{
				Thread: thread, Author: sh.Owner, Text: reply, At: instant(min(at+int64(s.skew(300, 3*day)), now-1)),
			})
		}
	}
	return newestComments(list)
}

func (g *generator) profileComments(s *source, m *member, n int) []*Comment {
	thread := "204/" + strconv.Itoa(m.ID) // observed: spartacus is 204/28
	list := make([]Comment, 0, n)
	for range n {
		who := g.commenter(s, m.Followers)
		if who == m || who.kind == silent {
			continue
		}
		t := &teller{g: g, s: s, m: m, shelf: m.shelves[0]}
		text := g.commentText(s, t, who, g.tongue(s, who, m).list("profile comments"), 0)
		since := max(who.joined, m.joined) + 1
		list = append(list, Comment{Thread: thread, Author: who.User, Text: text, At: instant(since + int64(s.n(int(now-since))))})
	}
	comments := newestComments(list)
	if slices.Contains(TiesUsers(), m.Username) {
		tie(len(comments), func(i, j int) { comments[i].At = comments[j].At })
	}
	return comments
}

// commenter is one of those who were there, or anybody.
func (g *generator) commenter(s *source, there []UserEdge) *member {
	if len(there) > 0 && s.chance(75) {
		u := pick(s, there).User
		return g.byUser[u]
	}
	return pick(s, g.members)
}

// tongue is the language in which somebody comments on a page.
func (g *generator) tongue(s *source, who, page *member) *locale {
	switch {
	case who.locale == page.locale, s.chance(12):
		return who.locale
	}
	return locales()[0]
}

func (g *generator) commentText(s *source, t *teller, who *member, list []string, length int) string {
	line := pick(s, list)
	text := expand(line, func(slot string) string {
		switch slot {
		case "clock":
			if length == 0 {
				length = 3600
			}
			return clock(s.between(60, length-60))
		case "author":
			return Escape(who.Username)
		case "username":
			return Escape(t.m.Username)
		case "city":
			if who.City != "" {
				return who.City
			}
		case "year":
			return strconv.Itoa(s.between(1991, 2019))
		}
		return t.value(slot)
	})
	return text
}

// newestComments orders a page's comments.
func newestComments(list []Comment) []*Comment {
	comments := make([]*Comment, len(list))
	for i := range list {
		comments[i] = &list[i]
	}
	newestFirst(comments, func(c **Comment) int64 { return (*c).At.Unix() })
	return comments
}
