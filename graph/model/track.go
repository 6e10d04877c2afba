package model

import (
	"context"

	"mixcloud-graphql/mixcloud"
)

// An Artist of a tracklist.
type Artist struct {
	*mixcloud.Artist
	full bool
}

// NewArtist wraps an artist that came along with a track; nil gives nil.
func NewArtist(a *mixcloud.Artist) *Artist {
	if a == nil || a.Key.IsZero() {
		return nil
	}
	return &Artist{Artist: a}
}

// NewFullArtist wraps an artist that its own address gave; nil gives nil.
func NewFullArtist(a *mixcloud.Artist) *Artist {
	artist := NewArtist(a)
	if artist != nil {
		artist.full = true
	}
	return artist
}

// Full is the loaded artist, nil when it only came along.
func (a *Artist) Full() *mixcloud.Artist {
	if a.full {
		return a.Artist
	}
	return nil
}

// ID is the global id.
func (a *Artist) ID() string { return resourceID(KindArtist, a.Key) }

// IsNode marks Artist as a Node.
func (*Artist) IsNode() {}

// IsResource marks Artist as a Resource.
func (*Artist) IsResource() {}

// A Track of a tracklist.
type Track struct {
	*mixcloud.Track
	full bool
}

// NewTrack wraps a track that came along with a section; nil gives nil.
func NewTrack(t *mixcloud.Track) *Track {
	if t == nil || t.Key.IsZero() {
		return nil
	}
	return &Track{Track: t}
}

// NewFullTrack wraps a track that its own address gave; nil gives nil.
func NewFullTrack(t *mixcloud.Track) *Track {
	track := NewTrack(t)
	if track != nil {
		track.full = true
	}
	return track
}

// Full is the loaded track, nil when it only came along.
func (t *Track) Full() *mixcloud.Track {
	if t.full {
		return t.Track
	}
	return nil
}

// ID is the global id.
func (t *Track) ID() string { return resourceID(KindTrack, t.Key) }

// Artist is who plays it.
func (t *Track) Artist(context.Context) *Artist { return NewArtist(t.Track.Artist) }

// IsNode marks Track as a Node.
func (*Track) IsNode() {}

// IsResource marks Track as a Resource.
func (*Track) IsResource() {}

// A Section is a line of a tracklist.
type Section interface{ IsSection() }

// A TrackSection is a piece of music in a cloudcast.
type TrackSection struct{ *mixcloud.Section }

// Track is what is played; nil when Mixcloud names none.
func (s *TrackSection) Track(context.Context) *Track { return NewTrack(s.Section.Track) }

// Title is the title of the track, with or without a key; nil when there is none.
func (s *TrackSection) Title() *string {
	if s.Section.Track == nil {
		return nil
	}
	return nonEmpty(s.Section.Track.Name)
}

// ArtistName is the name of the track's artist; nil when there is none.
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

// A ChapterSection is a named part of a cloudcast.
type ChapterSection struct{ *mixcloud.Section }

// IsSection marks ChapterSection as a Section.
func (*ChapterSection) IsSection() {}

// NewSections wraps a tracklist. What is marked as a chapter, or holds one and
// no track, is a chapter; the rest are tracks. Never nil.
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
