package world

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

var slotPattern = regexp.MustCompile(`\{([^{}]*)\}`)

// slotsBySection lists the sections whose lines are templates, with the slots that
// are valid there in addition to commonSlots.
var slotsBySection = map[string][]string{
	"dj biogs":          {"series"},
	"talk biogs":        {"series"},
	"listener biogs":    nil,
	"music titles":      {"series", "n", "nnn", "date"},
	"guest titles":      {"series", "n", "nnn", "date"},
	"talk titles":       {"series", "n", "nnn", "date", "topic"},
	"one-offs":          {"series", "n", "date", "season"},
	"descriptions":      {"date", "season"},
	"talk descriptions": {"date", "topic"},
	"more":              nil,
	"episode comments":  {"clock", "author"},
	"talk comments":     {"clock", "author"},
	"profile comments":  {"author"},
	"replies":           {"author"},
	"playlists":         {"season"},
}

// sectionsWithoutSlots lists the sections whose lines are not templates.
var sectionsWithoutSlots = []string{
	"places", "women", "men", "family", "family women", "name order", "aliases", "music series", "talk series", "venues",
	"festivals", "topics", "track list", "dates", "months", "weekdays", "seasons",
}

var commonSlots = []string{
	"name", "username", "path", "city", "country", "genre", "Genre", "genre2", "Genre2", "guest", "station", "venue", "artist",
	"artist2", "track", "year", "weekday",
}

func TestLocales_SectionsAndSlotsAreValid(t *testing.T) {
	t.Parallel()
	for _, l := range locales() {
		for section, lines := range l.entries {
			more, known := slotsBySection[section]
			if !known && !slices.Contains(sectionsWithoutSlots, section) {
				t.Errorf("%s: unknown section %q", l.lang, section)
			}
			seen := map[string]bool{}
			for _, line := range lines {
				if strings.TrimSpace(line) != line {
					t.Errorf("%s, %s: leading or trailing space in %q", l.lang, section, line)
				}
				if seen[line] && section != "places" && section != "dates" {
					t.Errorf("%s, %s: duplicate line %q", l.lang, section, line)
				}
				seen[line] = true
				for _, slot := range slotPattern.FindAllStringSubmatch(line, -1) {
					name := slot[1]
					if !known || !slices.Contains(commonSlots, name) && !slices.Contains(more, name) {
						t.Errorf("%s, %s: invalid slot %q in %q", l.lang, section, name, line)
					}
					if name == "weekday" && len(l.entries["weekdays"]) == 0 || name == "season" && len(l.entries["seasons"]) == 0 {
						t.Errorf("%s, %s: %q in %q has no text in this language", l.lang, section, name, line)
					}
				}
				if rest := slotPattern.ReplaceAllString(line, ""); strings.ContainsAny(rest, "{}") {
					t.Errorf("%s, %s: unmatched brace in %q", l.lang, section, line)
				}
			}
		}
	}
}

func TestLocales_AreComplete(t *testing.T) {
	t.Parallel()
	if len(locales()) < 15 {
		t.Errorf("the data has %d languages, want at least 15", len(locales()))
	}
	for _, l := range locales() {
		if len(l.places) == 0 || len(l.men) == 0 || len(l.women) == 0 || len(l.men[0].families) == 0 || len(l.women[0].families) == 0 {
			t.Errorf("%s has %d places, %d names of men and %d of women; want some of each, with family names", l.lang, len(l.places), len(l.men), len(l.women))
		}
		for _, p := range l.places {
			if p.city == "" || p.country == "" || strings.Contains(p.country, ",") {
				t.Errorf("%s: place %+v, want a city and one country", l.lang, p)
			}
		}
		for _, people := range [][]givenName{l.men, l.women} {
			for _, first := range people {
				ascii := first.ascii
				for _, last := range first.families {
					ascii += last.ascii
				}
				if i := strings.IndexFunc(ascii, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && r != ' ' && r != '-' }); i >= 0 {
					t.Errorf("%s: ASCII spelling of %q has an invalid character at %q, want only ASCII letters, spaces and hyphens", l.lang, first.name, ascii[i:])
				}
			}
		}
		for section, n := range map[string]int{"months": 12, "weekdays": 7, "seasons": 4} {
			if own := l.entries[section]; len(own) != 0 && len(own) != n {
				t.Errorf("%s has %d %s, want %d or none", l.lang, len(own), section, n)
			}
		}
		for _, style := range l.section("dates") {
			words := style == "words" || style == "de words" || style == "ordinal" || style == "month first"
			if words && len(l.entries["months"]) == 0 {
				t.Errorf("%s: the language has no names of months, want 12 for the date style %q", l.lang, style)
			}
			if style != "iso" && l.date(style, time.Unix(now, 0).UTC()) == "2026-09-01" {
				t.Errorf("%s: unknown date style %q", l.lang, style)
			}
		}
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	byLang := map[string]*locale{}
	for _, l := range locales() {
		byLang[l.lang] = l
	}
	for _, tt := range []struct{ lang, style, want string }{
		{"en", "ordinal", "4th March 2026"},
		{"en", "month first", "March 4, 2026"},
		{"en", "dots short", "04.03.26"},
		{"de", "dots", "04.03.2026"},
		{"fr", "words", "4 mars 2026"},
		{"es", "de words", "4 de marzo de 2026"},
		{"es", "slashes", "04/03/2026"},
		{"nl", "dashes", "04-03-2026"},
		{"ja", "year kanji", "2026年3月4日"},
		{"ja", "year dots", "2026.03.04"},
		{"ko", "year korean", "2026년 3월 4일"},
		{"sv", "iso", "2026-03-04"},
	} {
		if got := byLang[tt.lang].date(tt.style, day); got != tt.want {
			t.Errorf("date in %s in the style %q = %s, want %s", tt.lang, tt.style, got, tt.want)
		}
	}
}

func TestTextHelpers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ got, want string }{
		{ordinal(1), "1st"},
		{ordinal(2), "2nd"},
		{ordinal(3), "3rd"},
		{ordinal(11), "11th"},
		{ordinal(12), "12th"},
		{ordinal(13), "13th"},
		{ordinal(22), "22nd"},
		{ordinal(31), "31st"},
		{padTo3Digits(7), "007"},
		{padTo3Digits(1234), "1234"},
		{formatDuration(0), "0:00"},
		{formatDuration(75), "1:15"},
		{formatDuration(3729), "1:02:09"},
		{lowerUnlessAcronym("Deep house"), "deep house"},
		{lowerUnlessAcronym("UK garage"), "UK garage"},
		{lowerUnlessAcronym("R&B"), "R&B"},
		{lowerUnlessAcronym("80s"), "80s"},
		{capitalize("étude"), "étude"},
		{capitalize("low tide"), "Low tide"},
		{tagName("école"), "École"},
		{tagName("funky house"), "Funky house"},
		{tagName("#No Genre Discrimination"), "#No Genre Discrimination"},
		{tagName(""), ""},
		{compactName("Mo! Half-Moon Hi-Fi"), "MoHalfMoonHiFi"},
		{truncateLines("short", 10), "short"},
		{truncateLines("line one\r\nline two\r\nline three", 20), "line one\r\nline two"},
		{expand("{a}-{b}!", strings.ToUpper), "A-B!"},
		{expand("plain", strings.ToUpper), "plain"},
	} {
		if tt.got != tt.want {
			t.Errorf("text helper returned %q, want %q", tt.got, tt.want)
		}
	}
}
