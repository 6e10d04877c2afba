package model

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/mixcloud"
)

// Mixcloud's limits of an upload's fields (documented).
const (
	maxDescription = 1000 // characters
	maxTags        = 5
	maxHosts       = 2
)

// CheckUpload turns the input of an upload into what Mixcloud is sent. Every
// fault is a user error of out.
func CheckUpload(input UploadCloudcastInput, out *Payload) mixcloud.UploadFields {
	fields := mixcloud.UploadFields{Name: &input.Name}
	checkName(&input.Name, out)
	if text := input.Description.Value(); text != nil {
		fields.Description = checkDescription(*text, out)
	}
	if tags := input.Tags.Value(); tags != nil {
		fields.Tags = checkTags(tags, out)
	}
	if sections := input.Sections.Value(); sections != nil {
		fields.Sections = checkSections(sections, out)
	}
	if hosts := input.Hosts.Value(); hosts != nil {
		fields.Hosts = checkHosts(hosts, out)
	}
	if at := input.PublishDate.Value(); at != nil {
		fields.PublishDate = checkPublishDate(*at, out)
	}
	if picture := input.Picture.Value(); picture != nil && picture.Part == input.Mp3.Part {
		out.Refuse(UserErrorCodeConflict, "This is the file of mp3 once more.", "picture")
	}
	fields.DisableComments, fields.HideStats = input.DisableComments.Value(), input.HideStats.Value()
	fields.Unlisted = onlyTrue(input.Unlisted.Value())
	if id := input.UploadID.Value(); id != nil && *id != "" && !upload.ValidID(*id) {
		out.Refuse(UserErrorCodeInvalid, "An uploadId is 1 to 128 letters, digits, - and _.", "uploadId")
	}
	return fields
}

// CheckEdit turns the input of an edit into what Mixcloud is sent: what is
// absent stays, what is null or empty is cleared where Mixcloud can. Every
// fault is a user error of out.
func CheckEdit(input EditCloudcastInput, out *Payload) mixcloud.UploadFields {
	var fields mixcloud.UploadFields
	if input.Name.IsSet() {
		fields.Name = input.Name.Value()
		checkName(fields.Name, out)
	}
	if input.Description.IsSet() {
		text := ""
		if v := input.Description.Value(); v != nil {
			text = *v
		}
		fields.Description = checkDescription(text, out)
	}
	if input.Tags.IsSet() {
		fields.Tags = checkTags(input.Tags.Value(), out)
	}
	if input.Sections.IsSet() {
		fields.Sections = checkSections(input.Sections.Value(), out)
	}
	if input.Hosts.IsSet() {
		fields.Hosts = checkHosts(input.Hosts.Value(), out)
	}
	if at := notNull(input.PublishDate, "publishDate", out); at != nil {
		fields.PublishDate = checkPublishDate(*at, out)
	}
	notNull(input.Picture, "picture", out)
	fields.DisableComments = notNull(input.DisableComments, "disableComments", out)
	fields.HideStats = notNull(input.HideStats, "hideStats", out)
	checkVisibility(input, &fields, out)
	if !out.Refused() && fields.IsZero() && input.Picture.Value() == nil {
		out.Refuse(UserErrorCodeRequired, "Give something to change.")
	}
	return fields
}

// checkVisibility takes the flags of which at most one may be true. False asks
// for nothing: there is no undoing but by another of them.
func checkVisibility(input EditCloudcastInput, fields *mixcloud.UploadFields, out *Payload) {
	fields.Unlisted = onlyTrue(notNull(input.Unlisted, "unlisted", out))
	fields.Publish = isTrue(notNull(input.Publish, "publish", out))
	fields.Unpublish = isTrue(notNull(input.Unpublish, "unpublish", out))
	first := ""
	for _, flag := range []struct {
		name string
		on   bool
	}{{"unlisted", fields.Unlisted != nil}, {"publish", fields.Publish}, {"unpublish", fields.Unpublish}} {
		switch {
		case !flag.on:
		case first == "":
			first = flag.name
		default:
			out.Refuse(UserErrorCodeConflict, "Only one of "+first+" and "+flag.name+" can be true.", flag.name)
		}
	}
}

// notNull gives a member of an input that may be left out but not be null.
func notNull[T any](member graphql.Omittable[*T], field string, out *Payload) *T {
	if member.IsSet() && member.Value() == nil {
		out.Refuse(UserErrorCodeInvalid, "This cannot be null: leave it out to keep it as it is.", field)
	}
	return member.Value()
}

func onlyTrue(flag *bool) *bool {
	if !isTrue(flag) {
		return nil
	}
	return flag
}

func checkName(name *string, out *Payload) {
	if name == nil || strings.TrimSpace(*name) == "" {
		out.Refuse(UserErrorCodeRequired, "A cloudcast needs a title.", "name")
	}
}

func checkDescription(text string, out *Payload) *string {
	if n := utf8.RuneCountInString(text); n > maxDescription {
		out.Refuse(UserErrorCodeTooLong, "At most 1000 characters, not "+strconv.Itoa(n)+".", "description")
	}
	return &text
}

func checkTags(tags []string, out *Payload) []string {
	if len(tags) > maxTags {
		out.Refuse(UserErrorCodeTooMany, "At most 5 tags.", "tags")
	}
	for i, tag := range tags {
		if mixcloud.Slug(tag) == "" {
			out.Refuse(UserErrorCodeInvalid, "A tag has at least one letter or digit.", "tags", strconv.Itoa(i))
		}
	}
	return list(tags)
}

func checkHosts(hosts []string, out *Payload) []string {
	if len(hosts) > maxHosts {
		out.Refuse(UserErrorCodeTooMany, "At most 2 hosts.", "hosts")
	}
	for i, host := range hosts {
		if _, err := mixcloud.UserKey(host); err != nil {
			out.Refuse(UserErrorCodeInvalid, "This is no user name.", "hosts", strconv.Itoa(i))
		}
	}
	return list(hosts)
}

// list returns values, and an empty list for nil: nil fields are not sent.
func list[T any](values []T) []T {
	if values == nil {
		values = []T{}
	}
	return values
}

func checkPublishDate(at time.Time, out *Payload) *time.Time {
	if !at.After(time.Now()) {
		out.Refuse(UserErrorCodeInvalid, "The date of publishing must lie in the future.", "publishDate")
	}
	return &at
}

// checkSections takes a tracklist: each line is a track or a chapter, and those
// that say when they start stand in that order.
func checkSections(sections []*SectionInput, out *Payload) []mixcloud.SectionFields {
	checked := make([]mixcloud.SectionFields, len(sections))
	latest := -1
	for i, s := range sections {
		refuse := func(code UserErrorCode, field, message string) {
			out.Refuse(code, message, "sections", strconv.Itoa(i), field)
		}
		artist, song, chapter := text(s.Artist), text(s.Song), text(s.Chapter)
		switch {
		case chapter != "" && artist != "":
			refuse(UserErrorCodeConflict, "artist", "A chapter has no artist.")
		case chapter != "" && song != "":
			refuse(UserErrorCodeConflict, "song", "A chapter has no song.")
		case chapter != "":
		case artist == "" && song == "":
			refuse(UserErrorCodeRequired, "chapter", "A section is a chapter, or a track with artist and song.")
		case artist == "":
			refuse(UserErrorCodeRequired, "artist", "A track needs its artist.")
		case song == "":
			refuse(UserErrorCodeRequired, "song", "A track needs its song.")
		}
		if start := s.StartTime.Value(); start != nil {
			switch {
			case *start < 0:
				refuse(UserErrorCodeInvalid, "startTime", "A start cannot be negative.")
			case *start < latest:
				refuse(UserErrorCodeInvalid, "startTime", "This starts before the section that stands above it.")
			}
			latest = max(latest, *start)
		}
		checked[i] = mixcloud.SectionFields{Artist: artist, Song: song, Chapter: chapter, StartTime: s.StartTime.Value()}
	}
	return checked
}

func text(member graphql.Omittable[*string]) string {
	if v := member.Value(); v != nil {
		return strings.TrimSpace(*v)
	}
	return ""
}
