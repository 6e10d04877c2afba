package model

import (
	"context"

	"mixcloud-graphql/mixcloud"
)

// An Artist is an artist in a tracklist.
type Artist struct {
	*mixcloud.Artist
	full bool
}

// NewArtist wraps a partial artist. It returns nil for nil.
func NewArtist(a *mixcloud.Artist) *Artist {
	if a == nil || a.Key.IsZero() {
		return nil
	}
	return &Artist{Artist: a}
}

// NewFullArtist wraps a full artist. It returns nil for nil.
func NewFullArtist(a *mixcloud.Artist) *Artist {
	artist := NewArtist(a)
	if artist != nil {
		artist.full = true
	}
	return artist
}

// Full returns the full artist, or nil for a partial one.
func (a *Artist) Full() *mixcloud.Artist {
	if a.full {
		return a.Artist
	}
	return nil
}

// ID returns the global id.
func (a *Artist) ID() string { return resourceID(KindArtist, a.Key) }

// IsNode marks Artist as a Node.
func (*Artist) IsNode() {}

// IsResource marks Artist as a Resource.
func (*Artist) IsResource() {}

// A Track is a track in a tracklist.
type Track struct {
	*mixcloud.Track
	full bool
}

// NewTrack wraps a partial track. It returns nil for nil.
func NewTrack(t *mixcloud.Track) *Track {
	if t == nil || t.Key.IsZero() {
		return nil
	}
	return &Track{Track: t}
}

// NewFullTrack wraps a full track. It returns nil for nil.
func NewFullTrack(t *mixcloud.Track) *Track {
	track := NewTrack(t)
	if track != nil {
		track.full = true
	}
	return track
}

// Full returns the full track, or nil for a partial one.
func (t *Track) Full() *mixcloud.Track {
	if t.full {
		return t.Track
	}
	return nil
}

// ID returns the global id.
func (t *Track) ID() string { return resourceID(KindTrack, t.Key) }

// Artist returns the artist of the track.
func (t *Track) Artist(context.Context) *Artist { return NewArtist(t.Track.Artist) }

// IsNode marks Track as a Node.
func (*Track) IsNode() {}

// IsResource marks Track as a Resource.
func (*Track) IsResource() {}

// A Section is an entry of a tracklist.
type Section interface{ IsSection() }

// A TrackSection is an entry with a track.
type TrackSection struct{ *mixcloud.Section }

// Track returns the track, or nil if Mixcloud sends no track with a key.
func (s *TrackSection) Track(context.Context) *Track { return NewTrack(s.Section.Track) }

// Title returns the title of the track, or nil. The track may have no key.
func (s *TrackSection) Title() *string {
	if s.Section.Track == nil {
		return nil
	}
	return nonEmpty(s.Section.Track.Name)
}

// ArtistName returns the name of the track's artist, or nil.
func (s *TrackSection) ArtistName() *string {
	if s.Section.Track == nil || s.Section.Track.Artist == nil {
		return nil
	}
	return nonEmpty(s.Section.Track.Artist.Name)
}

func nonEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// IsSection marks TrackSection as a Section.
func (*TrackSection) IsSection() {}

// A ChapterSection is an entry with the title of a chapter.
type ChapterSection struct{ *mixcloud.Section }

// IsSection marks ChapterSection as a Section.
func (*ChapterSection) IsSection() {}

// NewSections wraps a tracklist. An entry is a chapter if its type says so, or if it has
// a chapter and no track. All others are tracks. NewSections never returns nil.
func NewSections(all []mixcloud.Section) []Section {
	sections := make([]Section, 0, len(all))
	for i := range all {
		s := &all[i]
		if s.SectionType == "chapter" || s.Track == nil && s.Chapter != nil {
			sections = append(sections, &ChapterSection{s})
		} else {
			sections = append(sections, &TrackSection{s})
		}
	}
	return sections
}
