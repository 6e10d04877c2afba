package world

import (
	"embed"
	"path"
	"strings"
	"sync"
)

// The texts of the world live in plain files, so that adding a language or a
// better line needs no Go. A file is a list of sections, "-- name --", of one
// entry a line; "#" starts a comment on a line of its own before the first
// section, and "\r" and "\n" stand for themselves.
//
//go:embed data
var texts embed.FS

// sections are the parts of a text file by name.
type sections map[string][]string

// readSections reads a file of the embedded texts. The part before the first
// section has the name "".
func readSections(name string) sections {
	b, err := texts.ReadFile(path.Join("data", name))
	if err != nil {
		panic("world: " + err.Error()) // the file is compiled in
	}
	parts, part := sections{}, ""
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if inner, ok := strings.CutPrefix(line, "-- "); ok {
			if inner, ok := strings.CutSuffix(inner, " --"); ok {
				part = inner
				continue
			}
		}
		if line == "" || part == "" && strings.HasPrefix(line, "# ") {
			continue
		}
		if strings.Contains(line, `\`) {
			line = controls.Replace(line)
		}
		parts[part] = append(parts[part], line)
	}
	return parts
}

// controls are the two characters that a line can only name.
var controls = strings.NewReplacer(`\r`, "\r", `\n`, "\n")

// readLines reads a file without sections.
func readLines(name string) []string { return readSections(name)[""] }

// A locale is a language with the people, places, shows and phrases that go
// with it. Where it has no entries of its own, English ones serve.
type locale struct {
	lang        string
	own         sections
	fallback    *locale
	places      []place
	women, men  []given
	familyFirst bool   // 김 서연, not 서연 김
	joint       string // between the parts of a name
	share       int    // how many users of a hundred or so speak it
}

// A place is what a user says about where they are.
type place struct{ city, country string }

// A given name with its spelling in ASCII, for user names, and the family
// names that go with it.
type given struct {
	name, ascii string
	families    []family
}

// A family name with its spelling in ASCII.
type family struct{ name, ascii string }

// list gives the entries of a section.
func (l *locale) list(section string) []string {
	if own := l.own[section]; len(own) > 0 || l.fallback == nil {
		return own
	}
	return l.fallback.list(section)
}

// person makes up a name.
func (l *locale) person(s *source) string {
	people := l.women
	if s.chance(50) {
		people = l.men
	}
	first := pick(s, people)
	return l.fullName(first, pick(s, first.families))
}

// fullName puts the parts of a name in the language's order.
func (l *locale) fullName(first given, last family) string {
	if l.familyFirst {
		return last.name + l.joint + first.name
	}
	return first.name + l.joint + last.name
}

// locales are all languages of the world, English first.
var locales = sync.OnceValue(func() []*locale {
	files, err := texts.ReadDir("data/locales")
	if err != nil {
		panic("world: " + err.Error()) // the directory is compiled in
	}
	english := readLocale("en", nil)
	all := []*locale{english}
	for _, f := range files { // sorted by name
		if lang := strings.TrimSuffix(f.Name(), ".txt"); lang != "en" {
			all = append(all, readLocale(lang, english))
		}
	}
	return all
})

func readLocale(lang string, fallback *locale) *locale {
	l := &locale{lang: lang, fallback: fallback, own: readSections("locales/" + lang + ".txt"), joint: " "}
	for _, line := range l.own["places"] {
		city, country, _ := strings.Cut(line, ", ")
		l.places = append(l.places, place{city, country})
	}
	men := l.readFamilies("family")
	women := men
	if len(l.own["family women"]) > 0 {
		women = l.readFamilies("family women")
	}
	l.men, l.women = l.readGiven("men", men), l.readGiven("women", women)
	for _, line := range l.own["name order"] {
		switch line {
		case "family first":
			l.familyFirst = true
		case "joined":
			l.joint = ""
		}
	}
	l.share = 3
	if lang == "en" {
		l.share = 30
	}
	return l
}

func (l *locale) readGiven(section string, families []family) []given {
	list := make([]given, len(l.own[section]))
	for i, line := range l.own[section] {
		name, ascii := l.spelling(line)
		list[i] = given{name, ascii, families}
	}
	return list
}

func (l *locale) readFamilies(section string) []family {
	list := make([]family, len(l.own[section]))
	for i, line := range l.own[section] {
		name, ascii := l.spelling(line)
		list[i] = family{name, ascii}
	}
	return list
}

// spelling splits "Μαρία=Maria"; names in Latin letters have their spelling
// derived.
func (l *locale) spelling(line string) (name, ascii string) {
	if name, ascii, ok := strings.Cut(line, "="); ok {
		return name, ascii
	}
	ascii = line
	if l.lang == "de" {
		ascii = germanASCII.Replace(line)
	}
	return line, toASCII.Replace(ascii)
}

// germanASCII spells umlauts the German way; elsewhere they lose their dots.
var germanASCII = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue")

// toASCII strips what Latin letters carry, and what a user name cannot hold.
var toASCII = strings.NewReplacer(
	"á", "a", "à", "a", "â", "a", "ã", "a", "å", "a", "ă", "a", "ą", "a", "ạ", "a", "ả", "a", "ấ", "a", "ắ", "a", "ā", "a",
	"ä", "a", "æ", "ae", "ç", "c", "ć", "c", "č", "c", "ď", "d", "đ", "d", "ð", "d",
	"é", "e", "è", "e", "ê", "e", "ë", "e", "ě", "e", "ę", "e", "ệ", "e", "ế", "e", "ẹ", "e", "ễ", "e", "ē", "e",
	"ğ", "g", "í", "i", "ì", "i", "î", "i", "ï", "i", "ı", "i", "ị", "i", "ĩ", "i", "ī", "i",
	"ł", "l", "ľ", "l", "ñ", "n", "ń", "n", "ň", "n", "ó", "o", "ò", "o", "ô", "o", "õ", "o", "ő", "o", "ơ", "o",
	"ọ", "o", "ồ", "o", "ộ", "o", "ờ", "o", "ö", "o", "ø", "o", "œ", "oe", "ř", "r", "ś", "s", "š", "s", "ş", "s", "ș", "s",
	"ß", "ss", "ť", "t", "ț", "t", "þ", "th", "ú", "u", "ù", "u", "û", "u", "ů", "u", "ű", "u", "ũ", "u", "ư", "u", "ụ", "u",
	"ū", "u", "ü", "u", "ý", "y", "ỳ", "y", "ź", "z", "ż", "z", "ž", "z",
	"Á", "A", "Â", "A", "Å", "A", "Ä", "A", "Ç", "C", "Ć", "C", "Č", "C", "Đ", "D", "É", "E", "È", "E", "Í", "I", "Î", "I", "İ", "I",
	"Ł", "L", "Ñ", "N", "Ó", "O", "Ö", "O", "Ø", "O", "Ő", "O", "Ř", "R", "Ś", "S", "Š", "S", "Ş", "S", "Ș", "S", "Ț", "T", "Þ", "Th",
	"Ú", "U", "Ü", "U", "Ý", "Y", "Ź", "Z", "Ż", "Z", "Ž", "Z",
	"'", "", "’", "", "׳", "", ".", "", ",", "", "\"", "", "&", "and",
)
