package resolvers

import (
	"context"
	"errors"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// upload checks the input of an upload and streams its files to Mixcloud.
func (r *Resolver) upload(ctx context.Context, input model.UploadCloudcastInput) (*model.CloudcastPayload, error) {
	if err := requireToken(ctx); err != nil {
		return nil, err
	}
	out := model.NewPayload(input.ClientMutationID.Value(), loadViewer)
	track := r.track(ctx, notEmpty(input.UploadID.Value()))
	defer track.End()
	fields := model.CheckUpload(input, &out)
	me, err := uploader(ctx, &out)
	if err != nil || out.Refused() {
		return model.NewCloudcastPayload(out, nil, nil), err
	}
	rules := newFileRules(input.Mp3, input.Picture.Value())
	result, err := send(ctx, upstream.KindUpload, track, rules, &out, func(ctx context.Context, c *mixcloud.Client, files mixcloud.Files) (*mixcloud.Result, error) {
		return c.Upload(ctx, fields, files)
	})
	if err = unlessRefused(&out, rules, err); err != nil || out.Refused() {
		return model.NewCloudcastPayload(out, nil, nil), err
	}
	uploaded := model.NewUploadedCloudcast(me, result.Key, fields)
	if uploaded != nil {
		loaders.From(ctx).Session().RecordUpload(uploaded.Key)
	}
	return model.NewCloudcastPayload(out, func(context.Context) (*model.Cloudcast, error) { return uploaded, nil }, nil), nil
}

// edit checks the input of an edit and sends it to Mixcloud. It streams the picture.
func (r *Resolver) edit(ctx context.Context, input model.EditCloudcastInput) (*model.CloudcastPayload, error) {
	if err := requireToken(ctx); err != nil {
		return nil, err
	}
	out := model.NewPayload(input.ClientMutationID.Value(), loadViewer)
	t := r.cloudcastTarget(ctx, input.CloudcastID.Value(), input.Key.Value(), &out)
	fields := model.CheckEdit(input, &out)
	me, err := uploader(ctx, &out)
	if err == nil && !out.Refused() && t.key.Owner() != me.Key.Canonical() {
		out.Refuse(model.UserErrorCodeForbidden, "This cloudcast belongs to another user.", t.field)
	}
	if err != nil || out.Refused() {
		return model.NewCloudcastPayload(out, nil, nil), err
	}
	rules := newFileRules(upload.File{}, input.Picture.Value())
	_, err = send(ctx, upstream.KindEdit, nil, rules, &out, func(ctx context.Context, c *mixcloud.Client, files mixcloud.Files) (*mixcloud.Result, error) {
		return c.Edit(ctx, t.key.String(), fields, files)
	})
	if errors.Is(err, mixcloud.ErrNotFound) {
		t.notFound(&out, err)
		err = nil
	}
	err = unlessRefused(&out, rules, err)
	return model.NewCloudcastPayload(out, changedCloudcast(t.key), nil), err
}

// uploader loads the viewer, unless the input was refused, so that an invalid
// token is reported before a file is read.
func uploader(ctx context.Context, out *model.Payload) (*mixcloud.FullUser, error) {
	if out.Refused() {
		return nil, nil
	}
	return loaders.From(ctx).Viewer(ctx)
}

// send makes the call of an upload or an edit. It returns nil, and adds user
// errors to out, if the result does not report success.
func send(ctx context.Context, kind upstream.Kind, track *upload.Reporter, rules fileRules, out *model.Payload, call func(context.Context, *mixcloud.Client, mixcloud.Files) (*mixcloud.Result, error)) (*mixcloud.Result, error) {
	files, err := newUploadFiles(ctx, rules, track)
	if err != nil {
		return nil, err
	}
	track.SetPhase(upload.Sending)
	// Wait for the client here: inside Stream, a slow client would occupy a call slot.
	if err := files.waitForFirst(ctx); err != nil {
		return nil, err
	}
	result, err := upstream.Stream(ctx, loaders.From(ctx).Session(), kind, "/upload/", func(ctx context.Context, c *mixcloud.Client) (*mixcloud.Result, error) {
		return call(ctx, c, files)
	})
	if err != nil {
		return nil, markUncertain(err, files.allRead.Load())
	}
	if !result.Success {
		refuse(out, model.UserErrorCodeRefused, result.Message, result.Details)
		return nil, nil
	}
	track.SetPhase(upload.Done)
	loaders.From(ctx).Forget()
	out.Message = textOrNil(result.Message)
	changed := true
	out.Changed = &changed
	return result, nil
}

// unlessRefused adds a user error to out if err is a refusal of the input or of a
// file. It returns all other errors.
func unlessRefused(out *model.Payload, rules fileRules, err error) error {
	if refuseFile(out, rules, err) || refuseWrite(out, err) {
		return nil
	}
	return err
}

// track registers an upload, so that its progress can be watched. It returns nil
// if the upload has no valid name.
func (r *Resolver) track(ctx context.Context, name *string) *upload.Reporter {
	if name == nil || !upload.ValidID(*name) {
		return nil
	}
	return r.progress.Begin(ctx, upload.Name{Principal: loaders.From(ctx).Session().Principal(), ID: *name})
}

// watch returns the progress of one of the viewer's uploads.
func (r *Resolver) watch(ctx context.Context, id string) (<-chan *model.UploadProgress, error) {
	if err := requireToken(ctx); err != nil {
		return nil, err
	}
	if !upload.ValidID(id) {
		return nil, gqlerr.Invalid("uploadId", "must be 1 to 128 letters, digits, - and _")
	}
	steps := r.progress.Watch(ctx, upload.Name{Principal: loaders.From(ctx).Session().Principal(), ID: id})
	out := make(chan *model.UploadProgress)
	go func() {
		defer close(out)
		for step := range steps {
			select {
			case out <- model.NewUploadProgress(id, step):
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}
