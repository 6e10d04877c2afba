package model

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/mixcloud"
)

// NewUploadProgress says how far the upload of that name is.
func NewUploadProgress(id string, p upload.Progress) *UploadProgress {
	progress := &UploadProgress{UploadID: id, BytesSent: p.Sent, Phase: map[upload.Phase]UploadPhase{
		upload.Checking: UploadPhaseChecking, upload.Sending: UploadPhaseSending,
		upload.Processing: UploadPhaseProcessing, upload.Done: UploadPhaseDone, upload.Failed: UploadPhaseFailed,
	}[p.Phase]}
	if p.Total >= 0 {
		progress.BytesTotal = &p.Total
	}
	return progress
}

// NewUploadedCloudcast makes a cloudcast of what was sent and answered: the new key may
// not be readable for minutes. It is nil when the answer names no cloudcast.
func NewUploadedCloudcast(owner *mixcloud.FullUser, key mixcloud.Key, fields mixcloud.UploadFields) *Cloudcast {
	if ref, err := mixcloud.ParseRef(key.String()); err != nil || ref.Kind != mixcloud.KindCloudcast {
		return nil
	}
	made := mixcloud.Cloudcast{
		Key: key, URL: mixcloud.DefaultSiteURL + key.String(), Slug: lastSegment(key), User: &owner.User,
		Tags: []mixcloud.Tag{}, HiddenStats: fields.HideStats,
	}
	if fields.Name != nil {
		made.Name = *fields.Name
	}
	for _, name := range fields.Tags {
		if key, err := mixcloud.TagKey(name); err == nil {
			made.Tags = append(made.Tags, mixcloud.Tag{Key: mixcloud.ParseKey(key), URL: mixcloud.DefaultSiteURL + key, Name: name})
		}
	}
	return NewFullCloudcast(&mixcloud.FullCloudcast{Cloudcast: made, Description: fields.Description, Sections: newSections(fields.Sections)})
}

// newSections makes a tracklist of what was sent.
func newSections(sent []mixcloud.SectionFields) []mixcloud.Section {
	if sent == nil {
		return nil
	}
	sections := make([]mixcloud.Section, len(sent))
	for i, s := range sent {
		sections[i] = mixcloud.Section{SectionType: "track", StartTime: s.StartTime}
		if s.Chapter != "" {
			sections[i].SectionType, sections[i].Chapter = "chapter", &s.Chapter
			continue
		}
		track := &mixcloud.Track{Name: s.Song, Artist: &mixcloud.Artist{Name: s.Artist}}
		sections[i].Track = track
		artist, song := mixcloud.Slug(s.Artist), mixcloud.Slug(s.Song)
		if artist == "" || song == "" {
			continue // no key can be made of the names
		}
		by, at := "/artist/"+artist+"/", "/track/"+artist+"/"+song+"/"
		track.Key, track.URL, track.Slug = mixcloud.ParseKey(at), mixcloud.DefaultSiteURL+at, song
		track.Artist.Key, track.Artist.URL, track.Artist.Slug = mixcloud.ParseKey(by), mixcloud.DefaultSiteURL+by, artist
	}
	return sections
}

// Mixcloud's names of an upload's fields, and of those of a section, and the
// input's.
var (
	members = map[string]string{
		"mp3": "mp3", "name": "name", "picture": "picture", "description": "description",
		"tags": "tags", "sections": "sections", "hosts": "hosts",
		"publish_date": "publishDate", "disable_comments": "disableComments", "hide_stats": "hideStats",
		"unlisted": "unlisted", "publish": "publish", "unpublish": "unpublish",
	}
	sectionMembers = map[string]string{"artist": "artist", "song": "song", "chapter": "chapter", "start_time": "startTime"}
)

// FieldErrors maps Mixcloud's refusals of single fields back to the input, in the
// order of their names: "sections-2-start_time" is sections, 2, startTime. What
// the input does not have is about the whole.
func FieldErrors(details map[string][]string) []*UserError {
	var all []*UserError
	for _, name := range slices.Sorted(maps.Keys(details)) {
		for _, message := range details[name] {
			all = append(all, &UserError{Field: detailPath(name), Code: UserErrorCodeRefused, Message: message})
		}
	}
	return all
}

func detailPath(name string) []string {
	field, rest, listed := strings.Cut(name, "-")
	own, known := members[field]
	if !known {
		return nil
	}
	if !listed || field != "tags" && field != "sections" && field != "hosts" {
		return []string{own}
	}
	index, member, _ := strings.Cut(rest, "-")
	if _, err := strconv.ParseUint(index, 10, 31); err != nil {
		return []string{own}
	}
	if inner, known := sectionMembers[member]; known && field == "sections" { // of the others an element is a text here
		return []string{own, index, inner}
	}
	return []string{own, index}
}
