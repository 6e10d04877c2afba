package emulator

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mixcloud-graphql/mixcloud/emulator/world"
)

const postValidationError = "PostValidationError"

// The limits of fields (documented).
const (
	maxDescription = 1000
	maxTags        = 5
	maxHosts       = 2
)

// Error messages of fields. None was recorded; these are the messages of the framework
// that the site uses.
const (
	fieldRequired = "This field is required."
	notAFile      = "The submitted data was not a file."
	proOnly       = "This is only available to Pro users."
)

func tooLong(most, have int) string {
	return fmt.Sprintf("Ensure this value has at most %d characters (it has %d).", most, have)
}

// An uploadForm is a parsed submission. A nil field was not sent.
type uploadForm struct {
	c       *call
	editing bool
	details map[string][]string // errors by field

	name, description          *string
	tags                       *[]*world.Tag
	sections                   *[]world.Section
	hosts                      *[]*world.User
	publishAt                  *time.Time
	disableComments, hideStats *bool
	picture                    *file

	unlisted, publish, unpublish bool
}

func (f *uploadForm) addError(field, text string) {
	if f.details == nil {
		f.details = make(map[string][]string)
	}
	f.details[field] = append(f.details[field], text)
}

// err returns an error with the errors of all fields, or nil (client code).
func (f *uploadForm) err() error {
	if f.details == nil {
		return nil
	}
	return &apiError{
		status: http.StatusBadRequest, kind: postValidationError, message: "The upload has errors in its fields.", details: f.details,
	}
}

// readForm parses and validates the fields of an upload or an edit.
func (c *call) readForm(editing bool) *uploadForm {
	f := &uploadForm{c: c, editing: editing}
	for name, value := range c.submission.fields {
		if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
			f.addError(name, "This is not valid text.")
		}
	}
	if f.details != nil {
		return f
	}
	for _, name := range []string{"mp3", "picture"} {
		if _, sent := c.submission.fields[name]; sent {
			f.addError(name, notAFile)
		}
	}
	f.readTexts()
	f.readTags()
	f.readSections()
	f.readHosts()
	f.readFlags()
	f.readDate()
	return f
}

// field returns the value of a field, or nil if it was not sent.
func (f *uploadForm) field(name string) *string {
	if value, sent := f.c.submission.fields[name]; sent {
		return &value
	}
	return nil
}

func (f *uploadForm) readTexts() {
	if f.name = f.field("name"); f.name != nil && strings.TrimSpace(*f.name) == "" {
		f.addError("name", fieldRequired)
	}
	f.description = f.field("description")
	if f.description != nil {
		if n := utf8.RuneCountInString(*f.description); n > maxDescription {
			f.addError("description", tooLong(maxDescription, n))
		}
	}
}

// An item contains the fields of one index of a list.
type item struct {
	index  int
	prefix string            // tags-0-
	fields map[string]string // by member
}

// items returns the items of a list, sorted by index; nil if none was sent. It ignores
// fields with an invalid index, like all unknown fields.
func (f *uploadForm) items(list string, members ...string) []item {
	byIndex := make(map[int]item)
	for name, value := range f.c.submission.fields {
		in, index, member := fieldName(name)
		i, err := strconv.Atoi(index)
		if in != list || err != nil || i < 0 || strconv.Itoa(i) != index || !slices.Contains(members, member) {
			continue
		}
		if _, ok := byIndex[i]; !ok {
			byIndex[i] = item{i, list + "-" + index + "-", make(map[string]string)}
		}
		byIndex[i].fields[member] = value
	}
	return slices.SortedFunc(maps.Values(byIndex), func(a, b item) int { return a.index - b.index })
}

// readTags reads tags-X-tag. It skips duplicates and empty tags, so that a single empty
// tag clears the list (inferred from hosts).
func (f *uploadForm) readTags() {
	items := f.items("tags", "tag")
	if items == nil {
		return
	}
	tags := []*world.Tag{}
	for _, it := range items {
		field, name := it.prefix+"tag", strings.TrimSpace(it.fields["tag"])
		if it.index >= maxTags {
			f.addError(field, fmt.Sprintf("An upload has at most %d tags.", maxTags))
			continue
		}
		if name == "" {
			continue
		}
		tag := f.c.world.NamedTag(name)
		switch {
		case tag == nil:
			f.addError(field, "This is not a tag.")
		case !slices.ContainsFunc(tags, func(t *world.Tag) bool { return t.Slug == tag.Slug }):
			tags = append(tags, tag)
		}
	}
	f.tags = &tags
}

// readSections reads a tracklist. A track has an artist and a song, a chapter has a
// name; a single empty section clears the list (inferred).
func (f *uploadForm) readSections() {
	items := f.items("sections", "artist", "song", "chapter", "start_time")
	if items == nil {
		return
	}
	sections := []world.Section{}
	for _, it := range items {
		artist, song, chapter := strings.TrimSpace(it.fields["artist"]), strings.TrimSpace(it.fields["song"]), strings.TrimSpace(it.fields["chapter"])
		s := world.Section{Chapter: chapter, StartTime: -1}
		if start := it.fields["start_time"]; start != "" {
			n, err := strconv.Atoi(start)
			if err != nil || n < 0 || n > 1<<31-1 {
				f.addError(it.prefix+"start_time", "Enter a whole number of seconds.")
			}
			s.StartTime = n
		}
		switch {
		case artist == "" && song == "" && chapter == "" && it.fields["start_time"] == "":
			continue
		case chapter != "" && (artist != "" || song != ""):
			f.addError(it.prefix+"chapter", "A section is either a chapter or a track.")
		case chapter == "" && artist == "" && song == "":
			f.addError(it.prefix+"chapter", fieldRequired)
		case chapter == "" && artist == "":
			f.addError(it.prefix+"artist", fieldRequired)
		case chapter == "" && song == "":
			f.addError(it.prefix+"song", fieldRequired)
		case chapter == "":
			s.Track = f.c.world.NamedTrack(artist, song)
		}
		sections = append(sections, s)
	}
	f.sections = &sections
}

// readHosts reads hosts-X-username. An upload skips an unknown user and the uploader;
// an edit with such a name does not change the hosts (documented). All users have
// accepted every invitation.
func (f *uploadForm) readHosts() {
	items := f.items("hosts", "username")
	if items == nil {
		return
	}
	hosts := []*world.User{}
	wrong := false
	for _, it := range items {
		field, name := it.prefix+"username", strings.TrimSpace(it.fields["username"])
		switch {
		case !f.c.viewer.IsPro:
			f.addError(field, proOnly)
			continue
		case it.index >= maxHosts:
			f.addError(field, fmt.Sprintf("An upload has at most %d hosts.", maxHosts))
			continue
		case name == "":
			continue
		}
		host := f.c.world.User(name)
		if host == nil || host == f.c.viewer {
			wrong = true
		} else if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	if !f.editing || !wrong {
		f.hosts = &hosts
	}
}

// readFlags reads boolean fields: 1 or true, 0 or false, ignoring case. Only one of
// unlisted, publish and unpublish may be set (documented); 0 has no effect (inferred).
func (f *uploadForm) readFlags() {
	flag := func(name string) *bool {
		value := f.field(name)
		if value == nil {
			return nil
		}
		switch strings.ToLower(*value) {
		case "1", "true", "on":
			return new(true)
		case "0", "false", "":
			return new(false)
		}
		f.addError(name, "Enter 1 or 0.")
		return nil
	}
	for name, into := range map[string]**bool{"disable_comments": &f.disableComments, "hide_stats": &f.hideStats} {
		if f.field(name) != nil && !f.c.viewer.IsPro {
			f.addError(name, proOnly)
			continue
		}
		*into = flag(name)
	}
	set := make([]string, 0, 3)
	for _, one := range []struct {
		name string
		into *bool
	}{{"unlisted", &f.unlisted}, {"publish", &f.publish}, {"unpublish", &f.unpublish}} {
		if one.name != "unlisted" && !f.editing {
			if f.field(one.name) != nil {
				f.addError(one.name, "Only an edit can do that.")
			}
			continue
		}
		if v := flag(one.name); v != nil && *v {
			*one.into = true
			set = append(set, one.name)
		}
	}
	if len(set) > 1 {
		for _, name := range set {
			f.addError(name, "Only one of unlisted, publish and unpublish can be set.")
		}
	}
}

// readDate reads publish_date (documented: UTC, whole seconds).
func (f *uploadForm) readDate() {
	value := f.field("publish_date")
	switch {
	case value == nil, *value == "" && f.c.viewer.IsPro:
		return
	case !f.c.viewer.IsPro:
		f.addError("publish_date", proOnly)
		return
	}
	const layout = "2006-01-02T15:04:05Z"
	at, err := time.Parse(layout, *value)
	if err != nil || len(*value) != len(layout) { // Parse accepts fractional seconds
		f.addError("publish_date", "Enter a date as YYYY-MM-DDTHH:MM:SSZ.")
		return
	}
	if f.unpublish {
		f.addError("publish_date", "An upload that is unpublished has no date.")
		return
	}
	f.publishAt = &at
}

// checkAudio validates the audio file of an upload.
func (f *uploadForm) checkAudio(audio *file) {
	switch {
	case audio == nil && f.field("mp3") != nil: // readForm added the error
	case audio == nil, audio.bytes == 0 && audio.name == "":
		f.addError("mp3", fieldRequired)
	case audio.bytes == 0:
		f.addError("mp3", "The submitted file is empty.")
	case audio.bytes > maxAudio:
		f.addError("mp3", fmt.Sprintf("Ensure this file has at most %d bytes (it has %d).", int64(maxAudio), audio.bytes))
	}
}

// checkPicture validates a picture. A browser sends an empty one without a name if the
// user chose none.
func (f *uploadForm) checkPicture(picture *file) {
	switch {
	case picture == nil, picture.bytes == 0 && picture.name == "":
	case picture.bytes == 0:
		f.addError("picture", "The submitted file is empty.")
	case picture.bytes > maxPicture:
		f.addError("picture", fmt.Sprintf("Ensure this file has at most %d bytes (it has %d).", maxPicture, picture.bytes))
	case !picture.isPicture():
		f.addError("picture", "The file is not a picture, or a damaged one.")
	default:
		f.picture = picture
	}
}
