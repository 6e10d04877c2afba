package world

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// expand replaces every slot of a template, such as {city}, with value("city").
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

// lowerUnlessAcronym returns a tag's name as it is written in a sentence: "Deep
// house" becomes "deep house"; "UK garage" and "R&B" do not change.
func lowerUnlessAcronym(name string) string {
	for i, r := range name {
		if i > 0 && (unicode.IsUpper(r) || unicode.IsDigit(r)) {
			return name
		}
	}
	return strings.ToLower(name)
}

// capitalize converts an ASCII first letter to upper case.
func capitalize(s string) string {
	if s != "" && 'a' <= s[0] && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// date formats a date in one of the styles of the section "dates".
func (l *locale) date(style string, at time.Time) string {
	y, m, d := at.Date()
	two := func(n int) string { return string([]byte{'0' + byte(n/10%10), '0' + byte(n%10)}) }
	year, day := strconv.Itoa(y), strconv.Itoa(d)
	month := func() string { return l.section("months")[m-1] }
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

// ordinal returns 1st, 2nd, 3rd, 11th.
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

// padTo3Digits formats n with at least three digits: 047.
func padTo3Digits(n int) string {
	s := strconv.Itoa(n)
	return "000"[:max(0, 3-len(s))] + s
}

// formatDuration formats a position in a recording: 4:31, 1:02:09.
func formatDuration(seconds int) string {
	h, m, s := seconds/3600, seconds/60%60, seconds%60
	two := func(n int) string { return string([]byte{'0' + byte(n/10), '0' + byte(n%10)}) }
	if h > 0 {
		return strconv.Itoa(h) + ":" + two(m) + ":" + two(s)
	}
	return strconv.Itoa(m) + ":" + two(s)
}
