package world

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// describe sets the description and the tracklist of a show.
func (g *generator) describe(s *source, t *templateData, sh *show) {
	if t.category.Format == "music" {
		for range s.between(8, 20) {
			if track := pick(s, pick(s, t.category.artists).Tracks); !slices.Contains(t.tracks, track) {
				t.tracks = append(t.tracks, track)
			}
		}
	}
	share := 11
	if t.m.Username == DemoUser {
		share = 45
	}
	if s.chance(share) {
		sh.Sections = g.sections(s, t, sh.AudioLength)
	}
	if s.chance(18) {
		return
	}
	section := "descriptions"
	if t.category.Format == "talk" {
		section = "talk descriptions"
	}
	l := t.m.locale
	var b strings.Builder
	b.WriteString(capitalize(expand(pick(s, l.section(section)), t.value)))
	if s.chance(30) {
		if more := capitalize(expand(pick(s, l.section(section)), t.value)); !strings.Contains(b.String(), more) {
			b.WriteString(pick(s, []string{" ", "\r\n\r\n"}) + more)
		}
	}
	if len(t.tracks) > 0 && (len(sh.Sections) > 0 || s.chance(14)) {
		b.WriteString("\r\n\r\n" + pick(s, l.section("track list")) + "\r\n")
		for i, track := range t.tracks {
			b.WriteString(padTo3Digits(i + 1)[1:] + ". " + track.Artist.Name + " - " + track.Name + "\r\n")
		}
	}
	if s.chance(30) {
		text := strings.TrimRight(b.String(), "\r\n")
		b.Reset()
		b.WriteString(text + "\r\n\r\n" + expand(pick(s, l.section("more")), t.value))
	}
	sh.Description = truncateLines(strings.TrimRight(b.String(), "\r\n"), 1000)
}

// truncateLines removes lines from the end of a text until it has at most n
// characters.
func truncateLines(text string, n int) string {
	for len(text) > n && utf8.RuneCountInString(text) > n {
		text = strings.TrimRight(text[:strings.LastIndexByte(text, '\n')+1], "\r\n")
	}
	return text
}

// sections returns a tracklist, or the chapters of a talk.
func (g *generator) sections(s *source, t *templateData, length int) []Section {
	var list []Section
	if t.category.Format == "talk" {
		for i := range s.between(3, 6) {
			list = append(list, Section{Chapter: pick(s, t.m.locale.section("topics")), StartTime: i * length / 6})
		}
		return list
	}
	timed := s.chance(80)
	for i, track := range t.tracks {
		sec := Section{Track: track, StartTime: i * length / len(t.tracks)}
		if i > 0 {
			sec.StartTime += s.n(60)
		}
		if !timed || s.chance(4) {
			sec.StartTime = -1
		}
		list = append(list, sec)
	}
	return list
}
