package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// kinds are the kinds of cache entries of internal/upstream. A test compares both lists.
var kinds = []string{
	"user", "cloudcast", "tag", "category", "playlist", "artist", "track",
	"list", "chart", "search", "categories", "player", "viewer",
}

// Lifetimes maps kinds of cache entries to durations.
type Lifetimes map[string]time.Duration

// String returns the lifetimes in the format of environment variables, such as "list=30s user=10m",
// sorted by kind.
func (l Lifetimes) String() string {
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(l)) {
		all = append(all, fmt.Sprintf("%s=%s", kind, durationText(l[kind])))
	}
	return strings.Join(all, " ")
}

// add parses text in the format of [Lifetimes.String] into l. It reports whether the text is valid.
func (l Lifetimes) add(text string) bool {
	for pair := range strings.FieldsSeq(text) {
		kind, duration, _ := strings.Cut(pair, "=")
		d, err := time.ParseDuration(duration)
		if err != nil {
			return false
		}
		l[kind] = d
	}
	return true
}

// validate adds the problems of a flag's lifetimes to p.
func (l Lifetimes) validate(flag string, p *problems) {
	for _, kind := range slices.Sorted(maps.Keys(l)) {
		if !slices.Contains(kinds, kind) {
			p.add(flag, "does not know the kind %q: use one of %s", kind, strings.Join(kinds, ", "))
			continue
		}
		p.between(flag+" "+kind, l[kind], 0, maxLifetime)
	}
}

// maxLifetime is the maximum age of a cache entry.
const maxLifetime = 30 * 24 * time.Hour
