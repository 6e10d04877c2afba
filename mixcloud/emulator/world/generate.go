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

// New generates the world of a seed. The same seed gives equal worlds that
// share nothing, on every machine.
//
// The cast (the users of cast.txt and the specials) is in every world; what
// they uploaded, who follows them and everybody else depends on the seed.
//
// It takes about a tenth of a second. Who needs many equal worlds clones one.
func New(seed int64) *World {
	w, _ := newWithMembers(seed)
	return w
}

// newWithMembers is New that also returns what is known of the users beside what
// the world says of them.
func newWithMembers(seed int64) (*World, map[*User]*member) {
	g := &generator{
		w:      &World{Seed: seed, Now: instant(now)},
		taken:  make(map[string]bool, population),
		used:   make(map[string]bool, 512),
		titles: make(map[string]int, 8192),
		tags:   make(map[string]*Tag, 512),

		byUser: make(map[*User]*member, population),
	}
	g.addShelves()
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

// A generator holds what is known while a world is made. Its maps are only
// looked up, never ranged over.
type generator struct {
	w *World

	shelves, music, talk []*shelf
	general              []*Tag // tags that go with any music
	tags                 map[string]*Tag

	members  []*member
	stations []*member
	byUser   map[*User]*member
	taken    map[string]bool // folded user names
	used     map[string]bool // aliases and names of series
	titles   map[string]int  // how many shows have a title, by its slug

	players []*member // who can be a guest or a host

	shows  []*show // everything uploaded, newest first
	public []*show // the same without unlisted ones and drafts
	busy   *show   // BusyCloudcast
}

// A shelf is a category in the making.
type shelf struct {
	*Category
	family  string // of the artists first of all; "" for talk
	tags    []*Tag
	artists []*Artist
	shows   []*show // newest first
}

// instant turns Unix seconds into the time that the world's types hold.
func instant(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }

// unix is midnight of a day, in Unix seconds.
func unix(year int, month time.Month, day int) int64 {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix()
}

// addShelves makes the categories and tags.
func (g *generator) addShelves() {
	for _, line := range shelfLines() {
		sh := &shelf{Category: &Category{
			Slug: Slugify(line.name), Name: line.name, Format: line.format, Picture: "category/" + Slugify(line.name),
		}}
		for _, tag := range line.tags {
			sh.tags = append(sh.tags, g.tag(tag))
		}
		g.shelves = append(g.shelves, sh)
		g.w.Categories = append(g.w.Categories, sh.Category)
		if line.format == "talk" {
			g.talk = append(g.talk, sh)
		} else {
			g.music = append(g.music, sh)
		}
	}
	for _, name := range generalTags() {
		g.general = append(g.general, g.tag(name))
	}
}

// tag finds or makes the tag of a name. Two spellings with one slug are one tag.
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

func (g *generator) shelf(name string) *shelf {
	for _, sh := range g.shelves {
		if sh.Name == name {
			return sh
		}
	}
	return nil
}

// addArtists makes the artists of the tracklists and gives each some tracks.
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
	for i, line := range shelfLines() {
		if len(line.families) > 0 {
			g.shelves[i].family = line.families[0]
		}
		for _, family := range line.families {
			g.shelves[i].artists = append(g.shelves[i].artists, byFamily[family]...)
		}
	}
}

// A shelfLine is a line of shelves.txt.
type shelfLine struct {
	name, format   string
	families, tags []string
}

var shelfLines = sync.OnceValue(func() []shelfLine {
	var list []shelfLine
	for _, line := range readLines("shelves.txt") {
		part := strings.Split(line, " | ")
		kind := strings.Fields(part[1])
		list = append(list, shelfLine{part[0], kind[0], kind[1:], strings.Split(part[2], ", ")})
	}
	return list
})

var generalTags = sync.OnceValue(func() []string { return readLines("general_tags.txt") })

// An artistFamily are the artists that some shelves have in common.
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

// cast reads the blocks of cast.txt; a key may come more than once.
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
