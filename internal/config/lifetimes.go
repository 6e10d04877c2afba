package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// kinds are what internal/upstream keeps answers of; a test holds both against
// each other.
var kinds = []string{
	"user", "cloudcast", "tag", "category", "playlist", "artist", "track",
	"list", "chart", "search", "categories", "player", "viewer",
}

// Lifetimes are durations by the kind of what is kept. Nil has none.
type Lifetimes map[string]time.Duration

// String is the text that the environment has: "list=30s user=10m", by kind.
func (l Lifetimes) String() string {
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(l)) {
		all = append(all, fmt.Sprintf("%s=%s", kind, durationText(l[kind])))
	}
	return strings.Join(all, " ")
}

// add reads such a text into l; false if it is none.
func (l Lifetimes) add(text string) bool {
	for one := range strings.FieldsSeq(text) {
		kind, duration, _ := strings.Cut(one, "=")
		d, err := time.ParseDuration(duration)
		if err != nil {
			return false
		}
		l[kind] = d
	}
	return true
}

// validate adds to p what is wrong with the lifetimes of a flag.
func (l Lifetimes) validate(flag string, p *problems) {
	for _, kind := range slices.Sorted(maps.Keys(l)) {
		if !slices.Contains(kinds, kind) {
			p.add(flag, "knows no kind %q: it is one of %s", kind, strings.Join(kinds, ", "))
			continue
		}
		p.between(flag+" "+kind, l[kind], 0, longestLife)
	}
}

// longestLife is the most that anything is kept for.
const longestLife = 30 * 24 * time.Hour
