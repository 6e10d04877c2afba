package world

import "time"

// A Cloudcast is an uploaded show.
type Cloudcast struct {
	ID                       int
	Owner                    *User
	Slug                     string // plain text, any script, unique per owner
	Name                     string
	Description              string    // may contain \r\n
	Tags                     []*Tag    // at most 5
	Hosts                    []*User   // at most 2
	Created, Updated         time.Time // Updated may be earlier than Created
	AudioLength              int       // seconds; 0 if the API omits it
	PlayCount, ListenerCount int
	HiddenStats, Exclusive   bool
	Unlisted                 bool // accessible by key, in no list
	Draft                    bool // accessible with its owner's token only
	DisableComments          bool
	PublishAt                time.Time // zero when published
	WasPublic                bool      // it is or was in public lists
	PrimaryColor             string
	Picture                  string
	Sections                 []Section
	Favorites, Reposts       []UserEdge // newest first
	Listeners                []UserEdge
	Comments                 []*Comment
	Similar                  []*Cloudcast
}

// Private reports whether the cloudcast is in no public list, because it is unlisted,
// a draft or scheduled.
func (c *Cloudcast) Private() bool { return c.Unlisted || c.Draft || !c.PublishAt.IsZero() }

// Key returns the percent-encoded path of the cloudcast, "/owner/slug/".
func (c *Cloudcast) Key() string { return c.Owner.Key() + escape(c.Slug) + "/" }

// newShow adds an upload to its owner.
func (g *generator) newShow(s *source, t *templateData, name string, at int64) *show {
	m := t.m
	c := &Cloudcast{Owner: m.User, Name: name}
	g.titleCounts[Slugify(name)]++
	sh := &show{Cloudcast: c, at: min(max(at, m.joined+hour), now-hour), owner: m, category: t.category}
	if s.chance(1) {
		c.Name += " " // observed: Mixcloud does not trim titles
	}
	if s.chance(93) {
		c.Picture = "extaudio/" + pictureID(s, t.family)
		c.PrimaryColor = primaryColor(c.Picture)
	}
	switch roll := s.n(1000); {
	case roll < 6:
		c.Unlisted = true
	case roll < 22:
		c.Exclusive = m.IsPro
	case roll < 60:
		c.HiddenStats = m.IsPro
	case roll < 72:
		c.DisableComments = m.IsPro
	}
	g.setPlays(s, sh)
	m.all = append(m.all, sh)
	return sh
}

// setPlays sets the counts of a show: a long-tailed number around its owner's
// popularity, lower for recent shows.
func (g *generator) setPlays(s *source, sh *show) {
	plays := 2 + sh.owner.popularity*s.between(20, 160)/100 + s.skew(0, 60)
	switch roll := s.n(1000); {
	case roll < 12:
		plays *= s.between(8, 30)
	case roll < 90:
		plays *= s.between(2, 5)
	}
	if age := now - sh.at; age < 10*day {
		plays = int(int64(plays) * (age + day) / (11 * day))
	}
	sh.PlayCount = plays
	sh.ListenerCount = plays * s.between(45, 85) / 100
	sh.weight = 1 + plays
}

// setDatesAndSlug sets the dates and the slug of a show. slugs are those of its
// owner's older shows.
func (g *generator) setDatesAndSlug(sh *show, slugs map[string]bool) {
	s := newSource(g.w.Seed, "finish "+sh.Name, int(sh.at))
	sh.Created = timeAt(sh.at)
	if sh.Updated.IsZero() {
		sh.Updated = sh.Created
		switch roll := s.n(100); {
		case roll < 22: // uploaded before it was published
			sh.Updated = timeAt(max(sh.owner.joined, sh.at-int64(s.skew(hour, 6*day))))
		case roll < 75:
			sh.Updated = timeAt(min(now, sh.at+int64(s.skew(60, 400*day))))
		}
	}
	if s.chance(3) {
		sh.AudioLength = 0
	}
	first := sh.Name
	if sh.oldName != "" {
		first = sh.oldName
	}
	sh.Slug = uniqueSlug(Slugify(first), func(slug string) bool { return slugs[slug] })
	slugs[sh.Slug] = true
}
