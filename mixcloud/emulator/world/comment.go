package world

import (
	"slices"
	"strconv"
	"strings"
)

// addComments adds comments on shows and profiles. Most authors are listeners or
// followers, and write in their own language.
func (g *generator) addComments() {
	var all []*Comment
	for i, sh := range g.public {
		if sh.empty || sh.DisableComments {
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
		if sh.Owner.Username+"/"+sh.Slug == strings.Trim(HiddenStatsCloudcast, "/") {
			n = max(n, 4) // the only count that is not hidden
		}
		if n > 0 {
			sh.Comments = g.showComments(s, sh, min(n, 140))
			all = append(all, sh.Comments...)
		}
	}
	for _, m := range g.members {
		if m.kind == inactive {
			continue
		}
		s := newSource(g.w.Seed, "profile comments "+m.Username, 0)
		n := s.skew(0, 2+m.popularity/60)
		if slices.Contains(UsersWithTies(), m.Username) {
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
		if who.User == sh.Owner || who.kind == inactive {
			continue
		}
		since := max(who.joined, sh.at) + 1
		at := since + int64(s.skew(30, int(now-since)-1))
		lang := who.locale
		t := &templateData{g: g, s: s, m: sh.owner, category: sh.category, aired: sh.Created}
		for _, section := range sh.Sections {
			if section.Track != nil && len(t.tracks) < 6 {
				t.tracks = append(t.tracks, section.Track)
			}
		}
		section := "episode comments"
		if sh.category.Format == "talk" {
			section = "talk comments"
		}
		line, text := "", ""
		for range 4 { // avoid repeated texts
			line = pick(s, lang.section(section))
			text = g.commentText(s, t, who, lang, line, sh.AudioLength)
			if s.chance(25) && !strings.Contains(text, "\n") {
				if more := pick(s, lang.section(section)); more != line && !strings.Contains(more, "\n") {
					text += pick(s, []string{" ", " ", "\n", "\n\n"}) + g.commentText(s, t, who, lang, more, sh.AudioLength)
				}
			}
			if !slices.ContainsFunc(list, func(c Comment) bool { return c.Text == text }) {
				break
			}
		}
		list = append(list, Comment{Thread: thread, Author: who.User, Text: text, At: timeAt(min(at, now-1))})
		if isQuestion := strings.Contains(line, "{clock}"); s.chance(14) {
			replies := sh.owner.locale.section("replies")
			reply := pick(s, replies)
			for tries := 0; tries < 20 && strings.Contains(reply, "{track}") != isQuestion; tries++ {
				reply = pick(s, replies) // only a reply to a question has a title
			}
			reply = expand(reply, func(slot string) string {
				if slot == "author" {
					return who.Name
				}
				return t.value(slot)
			})
			list = append(list, Comment{
				Thread: thread, Author: sh.Owner, Text: reply, At: timeAt(min(at+int64(s.skew(300, 3*day)), now-1)),
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
		if who == m || who.kind == inactive {
			continue
		}
		t := &templateData{g: g, s: s, m: m, category: m.categories[0]}
		text := g.commentText(s, t, who, who.locale, pick(s, who.locale.section("profile comments")), 0)
		since := max(who.joined, m.joined) + 1
		list = append(list, Comment{Thread: thread, Author: who.User, Text: text, At: timeAt(since + int64(s.n(int(now-since))))})
	}
	comments := newestComments(list)
	if slices.Contains(UsersWithTies(), m.Username) {
		shareSecond(len(comments), func(i, j int) { comments[i].At = comments[j].At })
	}
	return comments
}

// commenter picks the author of a comment, usually a user of the audience.
func (g *generator) commenter(s *source, audience []UserEdge) *member {
	if len(audience) > 0 && s.chance(75) {
		if m := g.byUser[pick(s, audience).User]; !m.logo || s.chance(30) {
			return m
		}
	}
	return pick(s, g.members)
}

func (g *generator) commentText(s *source, t *templateData, who *member, lang *locale, line string, length int) string {
	return expand(line, func(slot string) string {
		switch slot {
		case "clock":
			if length == 0 {
				length = 3600
			}
			return formatDuration(s.between(60, length-60))
		case "author":
			return Escape(who.Username)
		case "city":
			if who.City != "" {
				return who.City
			}
		case "weekday":
			return pick(s, lang.section("weekdays"))
		case "year":
			return strconv.Itoa(s.between(1991, 2019))
		}
		return t.value(slot)
	})
}

// newestComments returns pointers to comments, newest first.
func newestComments(list []Comment) []*Comment {
	comments := make([]*Comment, len(list))
	for i := range list {
		comments[i] = &list[i]
	}
	newestFirst(comments, func(c **Comment) int64 { return (*c).At.Unix() })
	return comments
}
