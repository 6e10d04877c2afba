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

// upload checks an upload's input and sends its files on while they arrive.
func (r *Resolver) upload(ctx context.Context, input model.UploadCloudcastInput) (*model.CloudcastAction, error) {
	if err := signedIn(ctx); err != nil {
		return nil, err
	}
	out := model.NewOutcome(input.ClientMutationID.Value(), viewer)
	track := r.track(ctx, notEmpty(input.UploadID.Value()))
	defer track.End()
	fields := model.CheckUpload(input, &out)
	me, err := checkedViewer(ctx, &out)
	if err != nil || out.Refused() {
		return model.NewCloudcastAction(out, nil, nil), err
	}
	want := filesOf(input.Mp3, input.Picture.Value())
	result, err := send(ctx, upstream.KindUpload, track, want, &out, func(ctx context.Context, c *mixcloud.Client, files mixcloud.Files) (*mixcloud.Result, error) {
		return c.Upload(ctx, fields, files)
	})
	if err = unlessRefused(&out, want, err); err != nil || out.Refused() {
		return model.NewCloudcastAction(out, nil, nil), err
	}
	made := model.NewUploaded(me, result.Key, fields)
	if made != nil {
		loaders.From(ctx).Session().RecordUpload(made.Key)
	}
	return model.NewCloudcastAction(out, func(context.Context) (*model.Cloudcast, error) { return made, nil }, nil), nil
}

// edit checks an edit's input and sends it, the picture on while it arrives.
func (r *Resolver) edit(ctx context.Context, input model.EditCloudcastInput) (*model.CloudcastAction, error) {
	if err := signedIn(ctx); err != nil {
		return nil, err
	}
	out := model.NewOutcome(input.ClientMutationID.Value(), viewer)
	t := r.cloudcastTarget(ctx, input.CloudcastID.Value(), input.Key.Value(), &out)
	fields := model.CheckEdit(input, &out)
	me, err := checkedViewer(ctx, &out)
	if err == nil && !out.Refused() && t.key.Owner() != me.Key.Canonical() {
		out.Refuse(model.UserErrorCodeForbidden, "This is somebody else's cloudcast.", t.field)
	}
	if err != nil || out.Refused() {
		return model.NewCloudcastAction(out, nil, nil), err
	}
	want := filesOf(upload.File{}, input.Picture.Value())
	_, err = send(ctx, upstream.KindEdit, nil, want, &out, func(ctx context.Context, c *mixcloud.Client, files mixcloud.Files) (*mixcloud.Result, error) {
		return c.Edit(ctx, t.key.String(), fields, files)
	})
	if errors.Is(err, mixcloud.ErrNotFound) {
		t.notFound(&out, err)
		err = nil
	}
	err = unlessRefused(&out, want, err)
	return model.NewCloudcastAction(out, changed(t.key), nil), err
}

// checkedViewer looks up the viewer of an input that was not refused: a token
// that is no good is found out before the first byte of a file is read.
func checkedViewer(ctx context.Context, out *model.Outcome) (*mixcloud.FullUser, error) {
	if out.Refused() {
		return nil, nil
	}
	return loaders.From(ctx).Viewer(ctx)
}

// send makes the one call of an upload or an edit. A result that reports no
// success becomes user errors.
func send(ctx context.Context, kind upstream.Kind, track *upload.Track, want wanted, out *model.Outcome, call func(context.Context, *mixcloud.Client, mixcloud.Files) (*mixcloud.Result, error)) (*mixcloud.Result, error) {
	files, err := newCourier(ctx, want, track)
	if err != nil {
		return nil, err
	}
	track.SetPhase(upload.Sending)
	// Waiting for the client holds no place in front of Mixcloud.
	if err := files.await(ctx); err != nil {
		return nil, err
	}
	result, err := upstream.Stream(ctx, loaders.From(ctx).Session(), kind, "/upload/", func(ctx context.Context, c *mixcloud.Client) (*mixcloud.Result, error) {
		return call(ctx, c, files)
	})
	if err != nil {
		return nil, uncertain(err, files.whole.Load())
	}
	if !result.Success {
		refuse(out, model.UserErrorCodeRefused, result.Message, result.Details)
		return nil, nil
	}
	track.SetPhase(upload.Done)
	loaders.From(ctx).Forget()
	out.Message = textOrNil(result.Message)
	did := true
	out.Changed = &did
	return result, nil
}

// unlessRefused turns an error that refuses the input or a file into user errors
// and returns any other.
func unlessRefused(out *model.Outcome, want wanted, err error) error {
	if refuseFile(out, want, err) || refuseWrite(out, err) {
		return nil
	}
	return err
}

// track announces an upload that can be watched; nil for one without a name.
func (r *Resolver) track(ctx context.Context, name *string) *upload.Track {
	if name == nil || !upload.ValidID(*name) {
		return nil
	}
	return r.progress.Begin(ctx, upload.Name{Principal: loaders.From(ctx).Session().Principal(), ID: *name})
}

// watch follows an upload of the same viewer.
func (r *Resolver) watch(ctx context.Context, id string) (<-chan *model.UploadProgress, error) {
	if err := signedIn(ctx); err != nil {
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
