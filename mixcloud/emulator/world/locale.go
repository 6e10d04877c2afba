package world

import (
	"embed"
	"path"
	"strings"
	"sync"
)

// The texts of the data are in text files, so that languages and lines can be added
// without Go code. A file is a list of sections, "-- name --", with one entry
// per line. Before the first section, lines that begin with "# " are comments. The
// escapes \r and \n are replaced.
//
//go:embed data
var texts embed.FS

// sections are the entries of a text file by section.
type sections map[string][]string

// readSections reads an embedded file. The entries before the first section have
// the section "".
func readSections(name string) sections {
	b, err := texts.ReadFile(path.Join("data", name))
	if err != nil {
		panic("world: " + err.Error()) // cannot happen: the file is embedded
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
			line = escapes.Replace(line)
		}
		parts[part] = append(parts[part], line)
	}
	return parts
}

// escapes replaces the escape sequences in a line.
var escapes = strings.NewReplacer(`\r`, "\r", `\n`, "\n")

// readLines reads a file without sections.
func readLines(name string) []string { return readSections(name)[""] }

// A locale is a language with its names, places and texts. English entries replace
// missing sections.
type locale struct {
	lang          string
	entries       sections
	fallback      *locale
	places        []place
	women, men    []givenName
	familyFirst   bool   // 김 서연, not 서연 김
	nameSeparator string // between first and family name
	share         int    // weight of the language; about a percentage of the users
}

// A place is a user's city and country.
type place struct{ city, country string }

// A givenName has an ASCII spelling, for user names, and the family names that it
// is combined with.
type givenName struct {
	name, ascii string
	families    []familyName
}

// A familyName has an ASCII spelling.
type familyName struct{ name, ascii string }

// section returns the entries of a section.
func (l *locale) section(section string) []string {
	if own := l.entries[section]; len(own) > 0 || l.fallback == nil {
		return own
	}
	return l.fallback.section(section)
}

// person returns a random full name.
func (l *locale) person(s *source) string {
	people := l.women
	if s.chance(50) {
		people = l.men
	}
	first := pick(s, people)
	return l.fullName(first, pick(s, first.families))
}

// fullName joins the parts of a name in the order of the language.
func (l *locale) fullName(first givenName, last familyName) string {
	if l.familyFirst {
		return last.name + l.nameSeparator + first.name
	}
	return first.name + l.nameSeparator + last.name
}

// locales returns all locales, English first.
var locales = sync.OnceValue(func() []*locale {
	files, err := texts.ReadDir("data/locales")
	if err != nil {
		panic("world: " + err.Error()) // cannot happen: the directory is embedded
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
	l := &locale{lang: lang, fallback: fallback, entries: readSections("locales/" + lang + ".txt"), nameSeparator: " "}
	for _, line := range l.entries["places"] {
		city, country, _ := strings.Cut(line, ", ")
		l.places = append(l.places, place{city, country})
	}
	men := l.readFamilies("family")
	women := men
	if len(l.entries["family women"]) > 0 {
		women = l.readFamilies("family women")
	}
	l.men, l.women = l.readGiven("men", men), l.readGiven("women", women)
	for _, line := range l.entries["name order"] {
		switch line {
		case "family first":
			l.familyFirst = true
		case "joined":
			l.nameSeparator = ""
		}
	}
	l.share = 3
	if lang == "en" {
		l.share = 30
	}
	return l
}

func (l *locale) readGiven(section string, families []familyName) []givenName {
	list := make([]givenName, len(l.entries[section]))
	for i, line := range l.entries[section] {
		name, ascii := l.splitSpelling(line)
		list[i] = givenName{name, ascii, families}
	}
	return list
}

func (l *locale) readFamilies(section string) []familyName {
	list := make([]familyName, len(l.entries[section]))
	for i, line := range l.entries[section] {
		name, ascii := l.splitSpelling(line)
		list[i] = familyName{name, ascii}
	}
	return list
}

// splitSpelling splits "Μαρία=Maria"; for names in Latin letters it derives the
// ASCII spelling.
func (l *locale) splitSpelling(line string) (name, ascii string) {
	if name, ascii, ok := strings.Cut(line, "="); ok {
		return name, ascii
	}
	ascii = line
	if l.lang == "de" {
		ascii = germanASCII.Replace(line)
	}
	return line, toASCII.Replace(ascii)
}

// germanASCII transcribes umlauts as in German; toASCII only removes the dots.
var germanASCII = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue")

// toASCII removes diacritics, and characters that a user name cannot contain.
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
