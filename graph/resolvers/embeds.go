package resolvers

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

var (
	colour = regexp.MustCompile(`^[0-9a-fA-F]{6}$`)
	width  = regexp.MustCompile(`^([1-9][0-9]{0,4}|[1-9][0-9]?%|100%)$`)
)

// embed checks the form of a player that is asked for.
func embed(c *model.Cloudcast, w *string, height *int, color *string) (loaders.Embed, error) {
	e := loaders.EmbedOf(c.Key)
	if w != nil {
		if !width.MatchString(*w) {
			return e, gqlerr.Invalid("width", "must be a number of pixels such as 400, or a percentage such as 100%")
		}
		e.Width = *w
	}
	if err := pixels("height", height, &e.Height); err != nil {
		return e, err
	}
	return e, hexadecimal(color, &e.Color)
}

// pixels checks a size and stores it; one that is absent stays 0.
func pixels(argument string, size *int, into *int) error {
	if size == nil {
		return nil
	}
	if *size < 1 || *size > 99999 {
		return gqlerr.Invalid(argument, "must be a number of pixels from 1 to 99999")
	}
	*into = *size
	return nil
}

// hexadecimal checks a colour and stores it; one that is absent stays "".
func hexadecimal(color *string, into *string) error {
	if color == nil {
		return nil
	}
	if !colour.MatchString(*color) {
		return gqlerr.Invalid("color", "must be six hexadecimal digits such as ff8800, without #")
	}
	*into = *color
	return nil
}

// oembedSize are the sizes that oEmbed takes.
type oembedSize struct{ width, height, maxWidth, maxHeight *int }

// questions checks what oEmbed is asked, and returns a question for each key of
// the address.
func (r *Resolver) questions(address string, size oembedSize, color *string, light *bool) ([]loaders.OEmbed, error) {
	in, err := r.store.Client().ParseInput(address)
	if err != nil {
		return nil, named(err, "url")
	}
	var q loaders.OEmbed
	if light != nil {
		q.Light = strconv.FormatBool(*light)
	}
	err = errors.Join(
		pixels("width", size.width, &q.Width), pixels("height", size.height, &q.Height),
		pixels("maxWidth", size.maxWidth, &q.MaxWidth), pixels("maxHeight", size.maxHeight, &q.MaxHeight),
		hexadecimal(color, &q.Color))
	questions := make([]loaders.OEmbed, 0, 2)
	for _, key := range in.Keys() {
		q.URL = mixcloud.DefaultSiteURL + key.String()
		questions = append(questions, q)
	}
	return questions, err
}

// oembed asks until there is an answer; a page that does not exist is nil without
// an error.
func oembed(ctx context.Context, questions []loaders.OEmbed) (*model.OEmbed, error) {
	for _, question := range questions {
		answer, err := oembedOf(ctx, question)
		if answer != nil || err != nil {
			return answer, err
		}
	}
	return nil, nil
}

// oembedOf asks one question.
func oembedOf(ctx context.Context, question loaders.OEmbed) (*model.OEmbed, error) {
	answer, err := loaders.OEmbedJSON.Load(ctx, question)
	if errors.Is(err, mixcloud.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, embedError(err)
	}
	return model.NewOEmbed(answer, func(ctx context.Context) (string, error) {
		text, err := loaders.OEmbedXML.Load(ctx, question)
		return text, embedError(err)
	}), nil
}

// embedError gives refusals of the oEmbed endpoint and of players the meaning that
// oEmbed's specification gives them: 401 is a private show, for which no token
// helps, and 501 a form that is not offered.
func embedError(err error) error {
	failed, ok := errors.AsType[*mixcloud.Error](err)
	switch {
	case ok && failed.Kind == mixcloud.ErrForbidden && failed.Status == http.StatusUnauthorized:
		return &gqlerr.Error{Code: gqlerr.CodeForbidden, Message: "This is private: Mixcloud does not let it be embedded, whoever asks.", Err: err}
	case ok && failed.Status == http.StatusNotImplemented:
		return &gqlerr.Error{Code: gqlerr.CodeUpstreamBadResponse, Message: "Mixcloud does not offer this form of embedding.", Err: err}
	}
	return err
}

// discovery names where tags and a city meet, without a call.
func discovery(tags []string, city *string) (*model.Discovery, error) {
	if len(tags) > 5 {
		return nil, gqlerr.Invalid("tags", "must not be more than 5")
	}
	place := ""
	if city != nil {
		if place = *city; place == "" {
			return nil, gqlerr.Invalid("city", "must not be empty: leave it out")
		}
	}
	in, err := mixcloud.DiscoverInput(tags, place)
	if err != nil {
		return nil, err
	}
	return &model.Discovery{Key: in.Key, URL: mixcloud.DefaultSiteURL + in.Key.String(), Received: in.Received}, nil
}

// discovered reads a list of a discovery: after a 404 under the key that was
// received, if that is not the composed one. Cursors are bound to the latter.
func discovered(d *model.Discovery, read func(owner mixcloud.CanonicalKey, path string) (*model.CloudcastConnection, error)) (*model.CloudcastConnection, error) {
	list, err := read(d.Key.Canonical(), d.Key.String())
	if !d.Received.IsZero() && errors.Is(err, mixcloud.ErrNotFound) {
		return read(d.Key.Canonical(), d.Received.String())
	}
	return list, err
}
