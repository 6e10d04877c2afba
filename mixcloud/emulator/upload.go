package emulator

import (
	"net/http"
	"slices"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// upload takes a show (documented). The answer has the new key, which answers
// after the lag.
func (c *call) upload() error {
	f := c.readForm(false)
	audio, picture := c.submission.files["mp3"], c.submission.files["picture"]
	f.checkAudio(audio)
	f.checkPicture(picture)
	if f.field("name") == nil {
		f.refuse("name", fieldRequired)
	}
	if err := f.failure(); err != nil {
		return err
	}
	e := c.Emulator
	at := e.date()
	cast := &world.Cloudcast{Owner: c.viewer, Name: *f.name, Created: at, Updated: at, Unlisted: f.unlisted}
	f.apply(cast)
	if f.publishAt != nil && !f.unlisted && e.now().Before(*f.publishAt) {
		cast.PublishAt, cast.Created = *f.publishAt, *f.publishAt
	}
	e.world.Reserve(cast)
	e.commit(func() {
		e.world.File(cast)
		e.orders.forget()
	})
	if !cast.PublishAt.IsZero() {
		e.schedule(cast)
	}
	e.uploads.record(&e.uploads.done, c.submission.recorded(cast.Key()))
	c.result(true, "Uploaded "+cast.Name, cast.Key())
	return nil
}

// edit changes a show of the token's user (documented). Only what was sent
// changes; a list that was sent replaces the whole list.
func (c *call) edit() error {
	owner := c.world.User(c.args[0])
	if owner == nil {
		return notFound(noUser)
	}
	cast := c.world.Cloudcast(owner.Username, c.args[1])
	if owner == c.viewer { // who can change it before it can be read
		cast = c.world.Reserved(owner.Username, c.args[1])
	}
	switch {
	case cast == nil, owner != c.viewer && (cast.Draft || c.scheduled(cast)):
		return notFound(noCloudcast)
	case owner != c.viewer: // how it is put was never recorded: inferred
		return &apiError{status: http.StatusForbidden, kind: "PermissionException", message: "You do not have permission to edit this cloudcast."}
	}
	f := c.readForm(true)
	f.checkPicture(c.submission.files["picture"])
	if _, sent := c.submission.files["mp3"]; sent {
		f.refuse("mp3", "The audio of an upload cannot be changed.")
	}
	if f.publishAt != nil && (cast.WasPublic || !cast.Private()) {
		f.refuse("publish_date", "This upload has been public already.")
	}
	if err := f.failure(); err != nil {
		return err
	}
	e := c.Emulator
	at, now := e.date(), e.now()
	first := !cast.WasPublic && cast.Private()
	cast.WasPublic = !first || f.publish || f.publishAt != nil && !f.unlisted && !now.Before(*f.publishAt)
	e.commit(func() {
		moves := f.moves()
		if moves {
			e.world.Unfile(cast)
		}
		f.apply(cast)
		f.move(cast, now)
		if first && !cast.Private() {
			cast.Created = at
		}
		cast.Updated = at
		if moves {
			e.world.File(cast)
		}
		e.orders.forget()
	})
	if f.publishAt != nil {
		e.schedule(cast)
	}
	e.uploads.record(&e.uploads.edits, c.submission.recorded(cast.Key()))
	c.result(true, "Edited "+cast.Name, cast.Key())
	return nil
}

// apply writes what was sent into a show.
func (f *uploadForm) apply(cast *world.Cloudcast) {
	if f.name != nil {
		cast.Name = *f.name
	}
	if f.description != nil {
		cast.Description = *f.description
	}
	if f.tags != nil {
		cast.Tags = slices.Clone(*f.tags)
	}
	if f.sections != nil {
		cast.Sections = slices.Clone(*f.sections)
	}
	if f.hosts != nil {
		cast.Hosts = slices.Clone(*f.hosts)
	}
	if f.disableComments != nil {
		cast.DisableComments = *f.disableComments
	}
	if f.hideStats != nil {
		cast.HiddenStats = *f.hideStats
	}
	if f.picture != nil {
		cast.Picture, cast.PrimaryColor = world.CoverPath(f.picture.sha256)
	}
}

// moves says whether an edit changes on which lists a show is.
func (f *uploadForm) moves() bool {
	return f.tags != nil || f.sections != nil || f.unlisted || f.publish || f.unpublish || f.publishAt != nil
}

// move changes who can see a show. Unlisted beats a date (documented); a date
// that has passed publishes at once (inferred).
func (f *uploadForm) move(cast *world.Cloudcast, now time.Time) {
	switch {
	case f.unlisted:
		cast.Unlisted, cast.Draft, cast.PublishAt = true, false, time.Time{}
	case f.unpublish:
		cast.Unlisted, cast.Draft, cast.PublishAt = false, true, time.Time{}
	case f.publishAt != nil && now.Before(*f.publishAt):
		cast.Unlisted, cast.Draft, cast.PublishAt, cast.Created = false, false, *f.publishAt, *f.publishAt
	case f.publish, f.publishAt != nil:
		cast.Unlisted, cast.Draft, cast.PublishAt = false, false, time.Time{}
	}
}

// recorded is what is remembered of a submission.
func (s *submission) recorded(key string) Upload {
	u := Upload{Key: key, Fields: s.fields}
	if audio := s.files["mp3"]; audio != nil {
		u.Bytes, u.SHA256, u.Filename, u.ContentType = audio.bytes, audio.sha256, audio.name, audio.contentType
	}
	if p := s.files["picture"]; p != nil {
		u.Picture = &UploadedPicture{p.bytes, p.sha256, p.name, p.contentType}
	}
	return u
}
