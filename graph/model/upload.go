package model

import (
	"maps"
	"slices"
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

// NewUploaded makes a cloudcast of what was sent and answered: the new key may
// not be readable for minutes.
func NewUploaded(owner *mixcloud.FullUser, key string, fields mixcloud.UploadFields) *Cloudcast {
	made := &mixcloud.Cloudcast{Key: key, URL: mixcloud.DefaultSiteURL + key, Slug: lastSegment(key), User: &owner.User, Tags: []mixcloud.Tag{}}
	if fields.Name != nil {
		made.Name = *fields.Name
	}
	if fields.Tags != nil {
		for _, name := range *fields.Tags {
			tagKey, err := mixcloud.TagKey(name)
			if err == nil {
				made.Tags = append(made.Tags, mixcloud.Tag{Key: tagKey, URL: mixcloud.DefaultSiteURL + tagKey, Name: name})
			}
		}
	}
	full := &mixcloud.FullCloudcast{Cloudcast: *made, Description: fields.Description}
	return &Cloudcast{Cloudcast: made, full: full}
}

// detailNames are Mixcloud's names of an upload's fields where they are not
// the input's.
var detailNames = map[string]string{
	"publish_date": "publishDate", "disable_comments": "disableComments", "hide_stats": "hideStats", "start_time": "startTime",
}

// Details maps Mixcloud's refusals of single fields back to the input, in the
// order of their names: "sections-2-start_time" is sections, 2, startTime.
func Details(details map[string][]string) []*UserError {
	var all []*UserError
	for _, name := range slices.Sorted(maps.Keys(details)) {
		for _, message := range details[name] {
			all = append(all, &UserError{Field: detailPath(name), Code: UserErrorCodeRefused, Message: message})
		}
	}
	return all
}

func detailPath(name string) []string {
	path := strings.Split(name, "-")
	for i, part := range path {
		if own, ok := detailNames[part]; ok {
			path[i] = own
		}
	}
	if (path[0] == "tags" || path[0] == "hosts") && len(path) == 3 {
		path = path[:2] // an element is a text here, an object there
	}
	return path
}
