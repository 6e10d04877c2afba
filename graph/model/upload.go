package model

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/mixcloud"
)

// NewUploadProgress returns the progress of the upload with an id.
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

// NewUploadedCloudcast returns an uploaded cloudcast, made of the fields that were sent
// and the key in the response: Mixcloud may return 404 for the key for some minutes. It
// returns nil if the key is not that of a cloudcast.
func NewUploadedCloudcast(owner *mixcloud.FullUser, key mixcloud.Key, fields mixcloud.UploadFields) *Cloudcast {
	if ref, err := mixcloud.ParseRef(key.String()); err != nil || ref.Kind != mixcloud.KindCloudcast {
		return nil
	}
	c := mixcloud.Cloudcast{
		Key: key, URL: mixcloud.DefaultSiteURL + key.String(), Slug: lastSegment(key), User: &owner.User,
		Tags: []mixcloud.Tag{}, HiddenStats: fields.HideStats,
	}
	if fields.Name != nil {
		c.Name = *fields.Name
	}
	for _, name := range fields.Tags {
		if key, err := mixcloud.TagKey(name); err == nil {
			c.Tags = append(c.Tags, mixcloud.Tag{Key: mixcloud.ParseKey(key), URL: mixcloud.DefaultSiteURL + key, Name: name})
		}
	}
	return NewFullCloudcast(&mixcloud.FullCloudcast{Cloudcast: c, Description: fields.Description, Sections: newSections(fields.Sections)})
}

// newSections returns a tracklist, made of the sections that were sent.
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
			continue // the names have no slug and therefore no key
		}
		artistKey, trackKey := "/artist/"+artist+"/", "/track/"+artist+"/"+song+"/"
		track.Key, track.URL, track.Slug = mixcloud.ParseKey(trackKey), mixcloud.DefaultSiteURL+trackKey, song
		track.Artist.Key, track.Artist.URL, track.Artist.Slug = mixcloud.ParseKey(artistKey), mixcloud.DefaultSiteURL+artistKey, artist
	}
	return sections
}

// Mixcloud's names for the fields of an upload and of a section, and the names of the
// input fields.
var (
	inputFields = map[string]string{
		"mp3": "mp3", "name": "name", "picture": "picture", "description": "description",
		"tags": "tags", "sections": "sections", "hosts": "hosts",
		"publish_date": "publishDate", "disable_comments": "disableComments", "hide_stats": "hideStats",
		"unlisted": "unlisted", "publish": "publish", "unpublish": "unpublish",
	}
	sectionFields = map[string]string{"artist": "artist", "song": "song", "chapter": "chapter", "start_time": "startTime"}
)

// FieldErrors returns the user errors for the fields that Mixcloud refused, in the order
// of Mixcloud's names. Each has the path of the input field: that of
// "sections-2-start_time" is sections, 2, startTime. A field that the input does not have
// becomes an error about the whole input.
func FieldErrors(details map[string][]string) []*UserError {
	var all []*UserError
	for _, name := range slices.Sorted(maps.Keys(details)) {
		for _, message := range details[name] {
			all = append(all, &UserError{Field: inputPath(name), Code: UserErrorCodeRefused, Message: message})
		}
	}
	return all
}

// inputPath returns the path of the input field for Mixcloud's name of a field, or nil.
func inputPath(name string) []string {
	field, rest, indexed := strings.Cut(name, "-")
	inputField, known := inputFields[field]
	if !known {
		return nil
	}
	if !indexed || field != "tags" && field != "sections" && field != "hosts" {
		return []string{inputField}
	}
	index, member, _ := strings.Cut(rest, "-")
	if _, err := strconv.ParseUint(index, 10, 31); err != nil {
		return []string{inputField}
	}
	if sectionField, known := sectionFields[member]; known && field == "sections" { // tags and hosts are plain strings
		return []string{inputField, index, sectionField}
	}
	return []string{inputField, index}
}
