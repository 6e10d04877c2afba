package mixcloud

// A Section is an entry of a cloudcast's tracklist. It was observed only for
// uploads of 2014 and before.
type Section struct {
	Object
	Position    *int   // from 1 in 2013, from 0 in 2014 (observed)
	StartTime   *int   // seconds from the beginning; nil when absent
	SectionType string // "track"; "chapter" is inferred from the upload's fields
	Type        string // "section"; only with [WithMetadata]
	Track       *Track // nil unless the section is a track
	// Chapter is the name of a chapter, or nil for a track (inferred: no chapter
	// was recorded).
	Chapter *string
}

func decodeSections(v value) []Section {
	if !v.isArray() {
		return nil
	}
	list := make([]Section, 0, v.Len())
	for e := range v.elements() {
		if e.first() != '{' {
			continue
		}
		var s Section
		s.decode(e)
		list = append(list, s)
	}
	return list
}

func (s *Section) decode(v value) {
	s.json = v.Value
	var name *string
	for member, m := range v.members() {
		switch member {
		case "position":
			s.Position = m.integer()
		case "start_time":
			s.StartTime = m.integer()
		case "section_type":
			s.SectionType = m.text()
		case "type":
			s.Type = m.text()
		case "track":
			s.Track = decodeOne[Track](m)
		case "chapter":
			s.Chapter = m.textOrNil()
		case "name":
			name = m.textOrNil()
		}
	}
	if s.Chapter == nil && s.Track == nil {
		s.Chapter = name
	}
}

// A Track is a piece of music in a tracklist.
type Track struct {
	Object
	Key      Key    // "/track/michael-jackson/everybody/", as received
	URL      string // derived from Key when absent
	Name     string // derived from Key when absent
	Slug     string // derived from Key when absent
	Type     string // "track"; only with [WithMetadata]
	Artist   *Artist
	Metadata Metadata
}

// An Artist is the artist of a track.
type Artist struct {
	Object
	Key      Key    // "/artist/aphex-twin/", as received
	URL      string // derived from Key when absent
	Name     string // derived from Key when absent
	Slug     string // derived from Key when absent
	Type     string // "artist"; only with [WithMetadata]
	Metadata Metadata
}

func (t *Track) identity() Key { return t.Key }

func (t *Track) decode(v value) {
	t.json = v.Value
	for name, m := range v.members() {
		switch name {
		case "key":
			t.Key = m.key()
		case "url":
			t.URL = m.text()
		case "name":
			t.Name = m.text()
		case "slug":
			t.Slug = m.text()
		case "type":
			t.Type = m.text()
		case "artist":
			t.Artist = decodeOne[Artist](m)
		case "metadata":
			t.Metadata.decode(m)
		}
	}
	deriveSlugged(t.Key, &t.URL, &t.Name, &t.Slug)
}

func (a *Artist) identity() Key { return a.Key }

func (a *Artist) decode(v value) {
	a.json = v.Value
	for name, m := range v.members() {
		switch name {
		case "key":
			a.Key = m.key()
		case "url":
			a.URL = m.text()
		case "name":
			a.Name = m.text()
		case "slug":
			a.Slug = m.text()
		case "type":
			a.Type = m.text()
		case "metadata":
			a.Metadata.decode(m)
		}
	}
	deriveSlugged(a.Key, &a.URL, &a.Name, &a.Slug)
}

// deriveSlugged sets the absent members of an object that has a slug from its key.
func deriveSlugged(key Key, url, name, slug *string) {
	if *url == "" {
		*url = siteURL(key)
	}
	if *slug == "" {
		*slug = lastElement(key)
	}
	if *name == "" {
		*name = *slug
	}
}
