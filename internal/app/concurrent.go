package app

import (
	"context"
	"reflect"
	"strings"

	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/graph/model"
)

// withContext lists the object types, apart from those with resolvers, that have methods with a context. gqlgen calls
// these methods in separate goroutines, like resolvers. A test compares the result with the generated code.
var withContext = map[reflect.Type][]string{
	reflect.TypeFor[*model.UserConnection]():     {"ActivityConnection", "CloudcastConnection", "CommentConnection", "ListenConnection", "PlaylistConnection", "TagConnection", "UserConnection"},
	reflect.TypeFor[*model.ListenerConnection](): {"ListenerConnection"},
	reflect.TypeFor[*model.UploadActivity]():     {"UploadActivity"},
	reflect.TypeFor[*model.ListenActivity]():     {"ListenActivity"},
	reflect.TypeFor[*model.FavoriteActivity]():   {"FavoriteActivity"},
	reflect.TypeFor[*model.FollowActivity]():     {"FollowActivity"},
	reflect.TypeFor[*model.OtherActivity]():      {"OtherActivity"},
	reflect.TypeFor[*model.Cloudcast]():          {"Cloudcast"},
	reflect.TypeFor[*model.Comment]():            {"Comment"},
	reflect.TypeFor[*model.OEmbed]():             {"OEmbed"},
	reflect.TypeFor[*model.Playlist]():           {"Playlist"},
	reflect.TypeFor[*model.Track]():              {"Track"},
	reflect.TypeFor[*model.TrackSection]():       {"TrackSection"},
	reflect.TypeFor[*model.UserPayload]():        {"FollowUserPayload", "UnfollowUserPayload"},
	reflect.TypeFor[*model.CloudcastPayload](): {
		"AddToListenLaterPayload", "EditCloudcastPayload", "FavoriteCloudcastPayload", "RemoveFromListenLaterPayload",
		"RepostCloudcastPayload", "UnfavoriteCloudcastPayload", "UnrepostCloudcastPayload", "UploadCloudcastPayload",
	},
}

// renamed maps the name of a method to the names of its fields, where gqlgen.yml sets different ones.
var renamed = map[string][]string{
	"edge": {"favoriteedge", "followingedge", "listenlateredge"},
}

// concurrentFields returns a function that reports whether gqlgen resolves a field in a separate goroutine.
func concurrentFields() func(object, field string) bool {
	type name struct{ object, field string }
	known := map[name]bool{}
	root := reflect.TypeFor[generated.ResolverRoot]()
	for object := range root.Methods() {
		for field := range object.Type.Out(0).Methods() {
			known[name{object.Name, strings.ToLower(field.Name)}] = true
		}
	}
	for typ, objects := range withContext {
		for method := range typ.Methods() {
			if method.Type.NumIn() > 1 && method.Type.In(1) == reflect.TypeFor[context.Context]() {
				field := strings.ToLower(method.Name)
				for _, object := range objects {
					for _, field := range append(renamed[field], field) {
						known[name{object, field}] = true
					}
				}
			}
		}
	}
	return func(object, field string) bool { return known[name{object, strings.ToLower(field)}] }
}
