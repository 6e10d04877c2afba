package emulator

import (
	"net/http"
	"slices"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// upload adds a show (documented). The response has the new key, which reads find
// after the lag.
func (c *call) upload() error {
	f := c.readForm(false)
	audio, picture := c.submission.files["mp3"], c.submission.files["picture"]
	f.checkAudio(audio)
	f.checkPicture(picture)
	if f.field("name") == nil {
		f.addError("name", fieldRequired)
	}
	if err := f.err(); err != nil {
		return err
	}
	e := c.Emulator
	at := e.writeTime()
	cast := &world.Cloudcast{Owner: c.viewer, Name: *f.name, Created: at, Updated: at, Unlisted: f.unlisted}
	f.apply(cast)
	if f.publishAt != nil && !f.unlisted && e.now().Before(*f.publishAt) {
		cast.PublishAt, cast.Created = *f.publishAt, *f.publishAt
	}
	e.world.Reserve(cast)
	e.applyAfterLag(func() {
		e.world.AddToLists(cast)
		e.listCache.clear()
	})
	if !cast.PublishAt.IsZero() {
		e.schedule(cast)
	}
	e.uploads.add(&e.uploads.done, c.submission.toUpload(cast.Key()))
	c.writeResult(true, "Uploaded "+cast.Name, cast.Key())
	return nil
}

// edit changes a show of the viewer (documented). It changes only the fields that were
// sent; a list that was sent replaces the whole list.
func (c *call) edit() error {
	owner := c.world.User(c.args[0])
	if owner == nil {
		return notFound(noUser)
	}
	cast := c.world.Cloudcast(owner.Username, c.args[1])
	if owner == c.viewer { // the owner can edit it before reads show it
		cast = c.world.FindReserved(owner.Username, c.args[1])
	}
	switch {
	case cast == nil, owner != c.viewer && (cast.Draft || c.scheduled(cast)):
		return notFound(noCloudcast)
	case owner != c.viewer: // the wording is inferred
		return &apiError{status: http.StatusForbidden, kind: "PermissionException", message: "You do not have permission to edit this cloudcast."}
	}
	f := c.readForm(true)
	f.checkPicture(c.submission.files["picture"])
	if _, sent := c.submission.files["mp3"]; sent {
		f.addError("mp3", "The audio of an upload cannot be changed.")
	}
	if f.publishAt != nil && (cast.WasPublic || !cast.Private()) {
		f.addError("publish_date", "This upload has been public already.")
	}
	if err := f.err(); err != nil {
		return err
	}
	e := c.Emulator
	at, now := e.writeTime(), e.now()
	first := !cast.WasPublic && cast.Private()
	cast.WasPublic = !first || f.publish || f.publishAt != nil && !f.unlisted && !now.Before(*f.publishAt)
	e.applyAfterLag(func() {
		moves := f.changesLists()
		if moves {
			e.world.RemoveFromLists(cast)
		}
		f.apply(cast)
		f.setVisibility(cast, now)
		if first && !cast.Private() {
			cast.Created = at
		}
		cast.Updated = at
		if moves {
			e.world.AddToLists(cast)
		}
		e.listCache.clear()
	})
	if f.publishAt != nil {
		e.schedule(cast)
	}
	e.uploads.add(&e.uploads.edits, c.submission.toUpload(cast.Key()))
	c.writeResult(true, "Edited "+cast.Name, cast.Key())
	return nil
}

// apply sets the fields of a show that were sent.
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

// changesLists reports whether an edit can add the show to lists or remove it.
func (f *uploadForm) changesLists() bool {
	return f.tags != nil || f.sections != nil || f.unlisted || f.publish || f.unpublish || f.publishAt != nil
}

// setVisibility makes a show public, unlisted, a draft or scheduled. unlisted has
// precedence over a date (documented); a date in the past publishes immediately
// (inferred).
func (f *uploadForm) setVisibility(cast *world.Cloudcast, now time.Time) {
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

// toUpload returns a submission in the form of the upload log.
func (s *submission) toUpload(key string) Upload {
	u := Upload{Key: key, Fields: s.fields}
	if audio := s.files["mp3"]; audio != nil {
		u.Bytes, u.SHA256, u.Filename, u.ContentType = audio.bytes, audio.sha256, audio.name, audio.contentType
	}
	if p := s.files["picture"]; p != nil {
		u.Picture = &UploadedPicture{p.bytes, p.sha256, p.name, p.contentType}
	}
	return u
}
