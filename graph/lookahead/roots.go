package lookahead

import (
	"errors"
	"time"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// An owner is a resource that a root field returns if it exists.
type owner struct {
	kind model.Kind
	id   upstream.ResourceID
	key  string // canonical; "" if unknown
	path string // of its lists
}

// mePath is the path of the viewer's own lists.
const mePath = "/me/"

// A finder returns the resources that a root field with some arguments looks up. It returns none
// for invalid arguments, and for a name with two Unicode forms, because a resource may exist only
// under the second form.
type finder func(*operation, arguments) []owner

// roots contains the root fields that look up resources.
var roots = map[string]finder{
	"viewer":    func(o *operation, _ arguments) []owner { return o.viewer() },
	"user":      byName("username", model.KindUser, mixcloud.UserInput),
	"tag":       byName("name", model.KindTag, mixcloud.TagInput),
	"city":      byName("name", model.KindCity, mixcloud.CityInput),
	"category":  byName("slug", model.KindCategory, mixcloud.CategoryInput),
	"cloudcast": byKey(model.KindCloudcast),
	"playlist":  byKey(model.KindPlaylist),
	"artist":    byKey(model.KindArtist),
	"track":     byKey(model.KindTrack),
	"resource":  byKey(""),
	"resources": func(o *operation, a arguments) (all []owner) {
		for _, key := range a.texts("keys") {
			all = append(all, inputOwners("", key, o.parse)...)
		}
		return all
	},
	"node": func(_ *operation, a arguments) []owner { return nodeOwners(a.text("id")) },
	"nodes": func(_ *operation, a arguments) (all []owner) {
		for _, id := range a.texts("ids") {
			all = append(all, nodeOwners(id)...)
		}
		return all
	},
}

func (o *operation) viewer() []owner {
	if o.loaders.Anonymous() {
		return nil
	}
	viewer := owner{kind: model.KindUser, id: loaders.ViewerID, path: mePath}
	if key, ok := o.loaders.Session().ViewerKey(); ok {
		viewer.key = key.String()
	}
	return []owner{viewer}
}

func byName(argument string, kind model.Kind, parse func(string) (mixcloud.Input, error)) finder {
	return func(_ *operation, a arguments) []owner { return inputOwners(kind, a.text(argument), parse) }
}

// byKey returns the finder of a field with the argument key. If kind is "", all kinds are
// accepted.
func byKey(kind model.Kind) finder {
	return func(o *operation, a arguments) []owner { return inputOwners(kind, a.text("key"), o.parse) }
}

func inputOwners(kind model.Kind, text string, parse func(string) (mixcloud.Input, error)) []owner {
	in, err := parse(text)
	if err != nil || !in.Received.IsZero() || kind != "" && model.Kind(in.Kind) != kind {
		return nil
	}
	return ownerAt(model.Kind(in.Kind), in.Key)
}

func nodeOwners(text string) []owner {
	id, err := model.ParseID(text)
	if err != nil {
		return nil
	}
	return ownerAt(id.Kind, id.Key)
}

// ownerAt returns the resource of a kind at a key. The paths of the lists are those that the
// resolvers use.
func ownerAt(kind model.Kind, key mixcloud.Key) []owner {
	o := owner{kind: kind, key: key.Canonical().String(), path: key.String()}
	switch kind {
	case model.KindUser:
		o.id = loaders.Users.ID(key) // see setPath
	case model.KindCloudcast:
		o.id = loaders.Cloudcasts.ID(key)
	case model.KindPlaylist:
		o.id = loaders.Playlists.ID(key)
	case model.KindCategory:
		o.id = loaders.Categories.ID(key)
	case model.KindTag, model.KindCity:
		o.id, o.path = loaders.Tags.ID(key), o.key
	case model.KindArtist:
		o.id, o.path = loaders.Artists.ID(key), o.key
	case model.KindTrack:
		o.id, o.path = loaders.Tracks.ID(key), o.key
	default:
		return nil
	}
	return []owner{o}
}

// setPath sets the path of a user's lists, which is /me/ if the user is the viewer. It returns
// false if it is not known whether the user is the viewer.
func (o *operation) setPath(of *owner) bool {
	if of.kind != model.KindUser || of.path == mePath || o.loaders.Anonymous() {
		return true
	}
	viewer, ok := o.loaders.Session().ViewerKey()
	if ok && viewer.String() == of.key {
		of.path = mePath
	}
	return ok
}

// arguments are the values of a field's arguments.
type arguments struct {
	values map[string]any
	err    error
}

// text returns a text, or "".
func (a *arguments) text(name string) string {
	text, _ := a.values[name].(string)
	return text
}

// texts returns the elements of a list, or none if there are too many.
func (a *arguments) texts(name string) (all []string) {
	var elements []any
	switch v := a.values[name].(type) {
	case string: // a list of one element
		return []string{v}
	case []string: // gqlparser coerces a single value of a variable to this type
		return v
	case []any:
		elements = v
	}
	if len(elements) > model.MaxElements {
		return nil
	}
	for _, e := range elements {
		if text, ok := e.(string); ok {
			all = append(all, text)
		}
	}
	return all
}

// page returns the arguments of a connection.
func (a *arguments) page() paging.Args {
	return paging.Args{
		First: value(a, "first", model.UnmarshalInt), Last: value(a, "last", model.UnmarshalInt), Offset: value(a, "offset", model.UnmarshalInt),
		After: value(a, "after", unmarshalText), Before: value(a, "before", unmarshalText),
		Since: value[time.Time](a, "since", model.UnmarshalDateTime), Until: value[time.Time](a, "until", model.UnmarshalDateTime),
	}
}

// value returns the value of an argument, or nil. It records an invalid value.
func value[T any](a *arguments, name string, unmarshal func(any) (T, error)) *T {
	v := a.values[name]
	if v == nil {
		return nil
	}
	decoded, err := unmarshal(v)
	if err != nil {
		a.err = err
		return nil
	}
	return &decoded
}

var errText = errors.New("must be a string")

func unmarshalText(v any) (string, error) {
	text, ok := v.(string)
	if !ok {
		return "", errText
	}
	return text, nil
}
