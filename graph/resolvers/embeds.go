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
	validColor = regexp.MustCompile(`^[0-9a-fA-F]{6}$`)
	validWidth = regexp.MustCompile(`^([1-9][0-9]{0,4}|[1-9][0-9]?%|100%)$`)
)

// embed returns a cloudcast's player with the requested options, if they are valid.
func embed(c *model.Cloudcast, width *string, height *int, color *string) (loaders.Embed, error) {
	e := loaders.NewEmbed(c.Key)
	if width != nil {
		if !validWidth.MatchString(*width) {
			return e, gqlerr.Invalid("width", "must be a number of pixels such as 400, or a percentage such as 100%")
		}
		e.Width = *width
	}
	if err := setPixels("height", height, &e.Height); err != nil {
		return e, err
	}
	return e, setColor(color, &e.Color)
}

// setPixels checks a size and stores it in field, which stays 0 if size is nil.
func setPixels(argument string, size *int, field *int) error {
	if size == nil {
		return nil
	}
	if *size < 1 || *size > 99999 {
		return gqlerr.Invalid(argument, "must be a number of pixels from 1 to 99999")
	}
	*field = *size
	return nil
}

// setColor checks a color and stores it in field, which stays "" if color is nil.
func setColor(color *string, field *string) error {
	if color == nil {
		return nil
	}
	if !validColor.MatchString(*color) {
		return gqlerr.Invalid("color", "must be six hexadecimal digits such as ff8800, without #")
	}
	*field = *color
	return nil
}

// oembedSize contains the size arguments of oEmbed.
type oembedSize struct{ width, height, maxWidth, maxHeight *int }

// oembedCalls checks the arguments of Query.oembed and returns one oEmbed call for
// each form of the page's key, see [mixcloud.Input].
func (r *Resolver) oembedCalls(pageURL string, size oembedSize, color *string, light *bool) ([]loaders.OEmbed, error) {
	in, err := r.store.Client().ParseInput(pageURL)
	if err != nil {
		return nil, renameArgument(err, "url")
	}
	var call loaders.OEmbed
	if light != nil {
		call.Light = strconv.FormatBool(*light)
	}
	err = errors.Join(
		setPixels("width", size.width, &call.Width), setPixels("height", size.height, &call.Height),
		setPixels("maxWidth", size.maxWidth, &call.MaxWidth), setPixels("maxHeight", size.maxHeight, &call.MaxHeight),
		setColor(color, &call.Color))
	calls := make([]loaders.OEmbed, 0, 2)
	for _, key := range in.Keys() {
		call.URL = mixcloud.DefaultSiteURL + key.String()
		calls = append(calls, call)
	}
	return calls, err
}

// oembed makes the calls in turn until one finds the page. It returns nil if none does.
func oembed(ctx context.Context, calls []loaders.OEmbed) (*model.OEmbed, error) {
	for _, call := range calls {
		found, err := loadOEmbed(ctx, call)
		if found != nil || err != nil {
			return found, err
		}
	}
	return nil, nil
}

// loadOEmbed loads the oEmbed response for a page. It returns nil if the page does
// not exist.
func loadOEmbed(ctx context.Context, call loaders.OEmbed) (*model.OEmbed, error) {
	response, err := loaders.OEmbedJSON.Load(ctx, call)
	if errors.Is(err, mixcloud.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, embedError(err)
	}
	return model.NewOEmbed(response, func(ctx context.Context) (string, error) {
		xml, err := loaders.OEmbedXML.Load(ctx, call)
		return xml, embedError(err)
	}), nil
}

// embedError interprets statuses of the oEmbed endpoint and of players as the
// oEmbed specification defines them: 401 means a private cloudcast, with any token,
// and 501 a format that Mixcloud does not support.
func embedError(err error) error {
	failed, ok := errors.AsType[*mixcloud.Error](err)
	switch {
	case ok && failed.Kind == mixcloud.ErrForbidden && failed.Status == http.StatusUnauthorized:
		return &gqlerr.Error{Code: gqlerr.CodeForbidden, Message: "This cloudcast is private: Mixcloud does not allow embedding it.", Err: err}
	case ok && failed.Status == http.StatusNotImplemented:
		return &gqlerr.Error{Code: gqlerr.CodeUpstreamBadResponse, Message: "Mixcloud does not support this embed format.", Err: err}
	}
	return err
}

// discovery returns the discovery of tags and a city, without a call.
func discovery(tags []string, city *string) (*model.Discovery, error) {
	if len(tags) > 5 {
		return nil, gqlerr.Invalid("tags", "must not have more than 5 elements")
	}
	cityName := ""
	if city != nil {
		if cityName = *city; cityName == "" {
			return nil, gqlerr.Invalid("city", "must not be empty; omit it for all cities")
		}
	}
	in, err := mixcloud.DiscoverInput(tags, cityName)
	if err != nil {
		return nil, err
	}
	return &model.Discovery{Key: in.Key, URL: mixcloud.DefaultSiteURL + in.Key.String(), Received: in.Received}, nil
}

// readDiscovery reads a list of a discovery under its key and, after a 404, under
// the received form of the key if that is another one. Cursors are bound to the key.
func readDiscovery(d *model.Discovery, read func(owner mixcloud.CanonicalKey, path string) (*model.CloudcastConnection, error)) (*model.CloudcastConnection, error) {
	list, err := read(d.Key.Canonical(), d.Key.String())
	if !d.Received.IsZero() && errors.Is(err, mixcloud.ErrNotFound) {
		return read(d.Key.Canonical(), d.Received.String())
	}
	return list, err
}
