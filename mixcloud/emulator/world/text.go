package world

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// expand fills the slots of a template: every {word} is replaced by value(word).
func expand(template string, value func(slot string) string) string {
	open := strings.IndexByte(template, '{')
	if open < 0 {
		return template
	}
	var b strings.Builder
	b.Grow(len(template) + 48)
	for open >= 0 {
		end := open + strings.IndexByte(template[open:], '}')
		b.WriteString(template[:open])
		b.WriteString(value(template[open+1 : end]))
		template = template[end+1:]
		open = strings.IndexByte(template, '{')
	}
	b.WriteString(template)
	return b.String()
}

// inSentence is a tag's name as it stands in running text: "Deep house" is
// "deep house", but "UK garage" and "R&B" stay.
func inSentence(name string) string {
	for i, r := range name {
		if i > 0 && (unicode.IsUpper(r) || unicode.IsDigit(r)) {
			return name
		}
	}
	return strings.ToLower(name)
}

// capital makes the first letter of a sentence a capital.
func capital(s string) string {
	if s != "" && 'a' <= s[0] && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// date writes a day the way a series does it.
func (l *locale) date(style string, at time.Time) string {
	y, m, d := at.Date()
	two := func(n int) string { return string([]byte{'0' + byte(n/10%10), '0' + byte(n%10)}) }
	year, day := strconv.Itoa(y), strconv.Itoa(d)
	month := func() string { return l.list("months")[m-1] }
	switch style {
	case "ordinal":
		return ordinal(d) + " " + month() + " " + year
	case "month first":
		return month() + " " + day + ", " + year
	case "words":
		return day + " " + month() + " " + year
	case "de words": // Spanish and Portuguese
		return day + " de " + month() + " de " + year
	case "dots short":
		return two(d) + "." + two(int(m)) + "." + two(y)
	case "dots":
		return two(d) + "." + two(int(m)) + "." + year
	case "slashes":
		return two(d) + "/" + two(int(m)) + "/" + year
	case "dashes":
		return two(d) + "-" + two(int(m)) + "-" + year
	case "year dots":
		return year + "." + two(int(m)) + "." + two(d)
	case "year kanji":
		return year + "年" + strconv.Itoa(int(m)) + "月" + day + "日"
	case "year korean":
		return year + "년 " + strconv.Itoa(int(m)) + "월 " + day + "일"
	}
	return year + "-" + two(int(m)) + "-" + two(d)
}

// ordinal is 1st, 2nd, 3rd, 11th.
func ordinal(n int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

// padded writes n with at least three digits: 047.
func padded(n int) string {
	s := strconv.Itoa(n)
	return "000"[:max(0, 3-len(s))] + s
}

// clock writes a place in a recording: 4:31, 1:02:09.
func clock(seconds int) string {
	h, m, s := seconds/3600, seconds/60%60, seconds%60
	two := func(n int) string { return string([]byte{'0' + byte(n/10), '0' + byte(n%10)}) }
	if h > 0 {
		return strconv.Itoa(h) + ":" + two(m) + ":" + two(s)
	}
	return strconv.Itoa(m) + ":" + two(s)
}
