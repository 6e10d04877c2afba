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

// CheckUpload returns the fields to send for the input of an upload. It adds a user error
// to out for each invalid field.
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
		out.Refuse(UserErrorCodeConflict, "The picture must not be the same file as mp3.", "picture")
	}
	fields.DisableComments, fields.HideStats = input.DisableComments.Value(), input.HideStats.Value()
	fields.Unlisted = trueOrNil(input.Unlisted.Value())
	if id := input.UploadID.Value(); id != nil && *id != "" && !upload.ValidID(*id) {
		out.Refuse(UserErrorCodeInvalid, "An uploadId must be 1 to 128 letters, digits, - and _.", "uploadId")
	}
	return fields
}

// CheckEdit returns the fields to send for the input of an edit. Mixcloud does not change
// absent fields. Fields that are null or empty are cleared, if Mixcloud allows that.
// CheckEdit adds a user error to out for each invalid field.
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
		out.Refuse(UserErrorCodeRequired, "Set at least one field to change.")
	}
	return fields
}

// checkVisibility sets the visibility flags, of which at most one may be true. False is
// not sent: a flag can be undone only by setting another one.
func checkVisibility(input EditCloudcastInput, fields *mixcloud.UploadFields, out *Payload) {
	fields.Unlisted = trueOrNil(notNull(input.Unlisted, "unlisted", out))
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

// notNull returns an input field that can be omitted but must not be null.
func notNull[T any](value graphql.Omittable[*T], field string, out *Payload) *T {
	if value.IsSet() && value.Value() == nil {
		out.Refuse(UserErrorCodeInvalid, "This cannot be null. Omit it to leave it unchanged.", field)
	}
	return value.Value()
}

// trueOrNil returns nil for false.
func trueOrNil(flag *bool) *bool {
	if !isTrue(flag) {
		return nil
	}
	return flag
}

func checkName(name *string, out *Payload) {
	if name == nil || strings.TrimSpace(*name) == "" {
		out.Refuse(UserErrorCodeRequired, "A cloudcast must have a name.", "name")
	}
}

func checkDescription(text string, out *Payload) *string {
	if n := utf8.RuneCountInString(text); n > maxDescription {
		out.Refuse(UserErrorCodeTooLong, "A description can have at most 1000 characters. This one has "+strconv.Itoa(n)+".", "description")
	}
	return &text
}

func checkTags(tags []string, out *Payload) []string {
	if len(tags) > maxTags {
		out.Refuse(UserErrorCodeTooMany, "At most 5 tags are allowed.", "tags")
	}
	for i, tag := range tags {
		if mixcloud.Slug(tag) == "" {
			out.Refuse(UserErrorCodeInvalid, "A tag must have at least one letter or digit.", "tags", strconv.Itoa(i))
		}
	}
	return nonNil(tags)
}

func checkHosts(hosts []string, out *Payload) []string {
	if len(hosts) > maxHosts {
		out.Refuse(UserErrorCodeTooMany, "At most 2 hosts are allowed.", "hosts")
	}
	for i, host := range hosts {
		if _, err := mixcloud.UserKey(host); err != nil {
			out.Refuse(UserErrorCodeInvalid, "This is not a valid user name.", "hosts", strconv.Itoa(i))
		}
	}
	return nonNil(hosts)
}

// nonNil returns an empty list for nil. A nil field would not be sent.
func nonNil[T any](values []T) []T {
	if values == nil {
		values = []T{}
	}
	return values
}

func checkPublishDate(at time.Time, out *Payload) *time.Time {
	if !at.After(time.Now()) {
		out.Refuse(UserErrorCodeInvalid, "The publish date must be in the future.", "publishDate")
	}
	return &at
}

// checkSections returns the tracklist to send. Each section must be a track or a chapter,
// and start times must not decrease.
func checkSections(sections []*SectionInput, out *Payload) []mixcloud.SectionFields {
	checked := make([]mixcloud.SectionFields, len(sections))
	latest := -1
	for i, s := range sections {
		refuse := func(code UserErrorCode, field, message string) {
			out.Refuse(code, message, "sections", strconv.Itoa(i), field)
		}
		artist, song, chapter := trimmed(s.Artist), trimmed(s.Song), trimmed(s.Chapter)
		switch {
		case chapter != "" && artist != "":
			refuse(UserErrorCodeConflict, "artist", "A chapter cannot have an artist.")
		case chapter != "" && song != "":
			refuse(UserErrorCodeConflict, "song", "A chapter cannot have a song.")
		case chapter != "":
		case artist == "" && song == "":
			refuse(UserErrorCodeRequired, "chapter", "A section must have either a chapter, or an artist and a song.")
		case artist == "":
			refuse(UserErrorCodeRequired, "artist", "A track must have an artist.")
		case song == "":
			refuse(UserErrorCodeRequired, "song", "A track must have a song.")
		}
		if start := s.StartTime.Value(); start != nil {
			switch {
			case *start < 0:
				refuse(UserErrorCodeInvalid, "startTime", "A start time cannot be negative.")
			case *start < latest:
				refuse(UserErrorCodeInvalid, "startTime", "A section cannot start before the previous one.")
			}
			latest = max(latest, *start)
		}
		checked[i] = mixcloud.SectionFields{Artist: artist, Song: song, Chapter: chapter, StartTime: s.StartTime.Value()}
	}
	return checked
}

// trimmed returns a string without surrounding spaces, or "" if it is absent or null.
func trimmed(s graphql.Omittable[*string]) string {
	if v := s.Value(); v != nil {
		return strings.TrimSpace(*v)
	}
	return ""
}
