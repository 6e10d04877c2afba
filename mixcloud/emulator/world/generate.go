package world

import (
	"strings"
	"sync"
	"time"
)

const (
	hour = 60 * 60
	day  = 24 * hour

	population = 640
	now        = 1788264000 // 2026-09-01T12:00:00Z
)

// New generates the data of a seed. It returns equal data for the same seed on every
// machine; two results share no memory.
//
// The fixed users (those of cast.txt) and the special cloudcasts exist for every seed.
// Their other uploads, their followers and all other users depend on the seed.
//
// It takes about 0.1 s. To get many equal copies, use [World.Clone].
func New(seed int64) *World {
	w, _ := newWithMembers(seed)
	return w
}

// newWithMembers is like New, and also returns the generator's data of each user.
func newWithMembers(seed int64) (*World, map[*User]*member) {
	g := &generator{
		w:           &World{Seed: seed, Now: timeAt(now)},
		usernames:   make(map[string]bool, population),
		usedNames:   make(map[string]bool, 512),
		titleCounts: make(map[string]int, 8192),
		tags:        make(map[string]*Tag, 512),

		byUser: make(map[*User]*member, population),
	}
	g.addCategories()
	g.addArtists()
	g.addMembers()
	g.addShows()
	g.addFollows()
	g.addListening()
	g.addComments()
	g.addFeeds()
	g.addPlaylists()
	g.addSimilar()
	g.addCities()
	g.addCharts()
	all := make([]*Cloudcast, len(g.shows))
	for i, sh := range g.shows {
		all[i] = sh.Cloudcast
	}
	g.w.buildIndex(all)
	return g.w, g.byUser
}

// A generator contains the state of New. The code never iterates over its maps,
// because their order is random.
type generator struct {
	w *World

	categories, music, talk []*category
	general                 []*Tag // tags for any music
	tags                    map[string]*Tag

	members     []*member
	stations    []*member
	byUser      map[*User]*member
	usernames   map[string]bool // folded user names
	usedNames   map[string]bool // names of series and aliases that are in use
	titleCounts map[string]int  // number of shows with a title, by its slug

	guestPool []*member // members who can be a guest or a host

	shows  []*show // everything uploaded, newest first
	public []*show // those in public lists
	busy   *show   // BusyCloudcast
}

// A category is a Category with the data that its shows are generated from.
type category struct {
	*Category
	artistFamily string // the main one; "" for talk
	tags         []*Tag
	artists      []*Artist
	shows        []*show // newest first
}

// timeAt converts Unix seconds to a UTC time.
func timeAt(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }

// midnight returns the start of a day in Unix seconds.
func midnight(year int, month time.Month, day int) int64 {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix()
}

// addCategories adds the categories and tags.
func (g *generator) addCategories() {
	for _, line := range categoryLines() {
		c := &category{Category: &Category{
			Slug: Slugify(line.name), Name: line.name, Format: line.format, Picture: "category/" + Slugify(line.name),
		}}
		for _, tag := range line.tags {
			c.tags = append(c.tags, g.tag(tag))
		}
		g.categories = append(g.categories, c)
		g.w.Categories = append(g.w.Categories, c.Category)
		if line.format == "talk" {
			g.talk = append(g.talk, c)
		} else {
			g.music = append(g.music, c)
		}
	}
	for _, name := range generalTags() {
		g.general = append(g.general, g.tag(name))
	}
}

// tag returns the tag with the slug of name, and adds it if it does not exist.
func (g *generator) tag(name string) *Tag {
	slug := Slugify(name)
	if t := g.tags[slug]; t != nil {
		return t
	}
	t := &Tag{Slug: slug, Name: tagName(name)}
	g.tags[slug] = t
	g.w.Tags = append(g.w.Tags, t)
	return t
}

func (g *generator) categoryNamed(name string) *category {
	for _, c := range g.categories {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// addArtists adds the artists of the tracklists with their tracks.
func (g *generator) addArtists() {
	titles, remixes := trackTitles(), remixNames()
	common := titles["common"]
	byFamily := make(map[string][]*Artist, 8)
	n := 0
	for _, f := range artistFamilies() {
		for _, name := range f.artists {
			s := newSource(g.w.Seed, "artist", n)
			n++
			a := &Artist{Slug: Slugify(name), Name: name}
			seen := make(map[string]bool, 8)
			for range s.between(3, 8) {
				title := pick(s, titles[f.name])
				if f.name != "concert" && s.chance(40) {
					title = pick(s, common)
				}
				if f.name != "concert" && s.chance(22) {
					title += " " + pick(s, remixes)
				}
				if slug := Slugify(title); !seen[slug] {
					seen[slug] = true
					a.Tracks = append(a.Tracks, &Track{Slug: slug, Name: title, Artist: a})
				}
			}
			g.w.Artists = append(g.w.Artists, a)
			byFamily[f.name] = append(byFamily[f.name], a)
		}
	}
	for i, line := range categoryLines() {
		if len(line.families) > 0 {
			g.categories[i].artistFamily = line.families[0]
		}
		for _, family := range line.families {
			g.categories[i].artists = append(g.categories[i].artists, byFamily[family]...)
		}
	}
}

// A categoryLine is a line of categories.txt.
type categoryLine struct {
	name, format   string
	families, tags []string
}

var categoryLines = sync.OnceValue(func() []categoryLine {
	var list []categoryLine
	for _, line := range readLines("categories.txt") {
		part := strings.Split(line, " | ")
		kind := strings.Fields(part[1])
		list = append(list, categoryLine{part[0], kind[0], kind[1:], strings.Split(part[2], ", ")})
	}
	return list
})

var generalTags = sync.OnceValue(func() []string { return readLines("general_tags.txt") })

// An artistFamily is a group of artists that categories share.
type artistFamily struct {
	name    string
	artists []string
}

var artistFamilies = sync.OnceValue(func() []artistFamily {
	parts := readSections("artists.txt")
	var list []artistFamily
	for _, name := range []string{"electronic", "dance", "groove", "beats", "song", "concert"} {
		list = append(list, artistFamily{name, parts[name]})
	}
	return list
})

var (
	trackTitles = sync.OnceValue(func() sections { return readSections("tracks.txt") })
	remixNames  = sync.OnceValue(func() []string { return readLines("remixes.txt") })
)

// cast returns the blocks of cast.txt; a key may occur more than once.
var cast = sync.OnceValue(func() []map[string][]string {
	var blocks []map[string][]string
	for _, line := range readLines("cast.txt") {
		key, value, _ := strings.Cut(line, ":")
		if key == "username" {
			blocks = append(blocks, map[string][]string{})
		}
		block := blocks[len(blocks)-1]
		if value = strings.TrimSpace(value); value != "" {
			block[key] = append(block[key], value)
		}
	}
	return blocks
})
