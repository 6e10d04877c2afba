package projection

import (
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/rawjson"
)

// A kind determines how the value of a field is computed from the members of an object's JSON.
type kind uint8

const (
	kindTypename       kind = iota
	kindID                  // the global id, from the key
	kindItemID              // the global id of an item that has no URL of its own
	kindKey                 // the key, as received
	kindText                // a text; if it is absent, it is derived from the key
	kindTagName             // the name of a tag, without " shows"
	kindTextOrNull          // a text, or null
	kindTextOrEmpty         // a text, or ""
	kindInt                 // a whole number, or null
	kindVisibleInt          // the same, but null if the object hides its statistics
	kindTrue                // true, or false if the member is absent
	kindBool                // a boolean, or null
	kindTime                // a time, or null
	kindColor               // a color with "#", or null
	kindViewerFlag          // a boolean, or null for an anonymous operation
	kindAnonymousNull       // null for an anonymous operation
	kindAnonymousFalse      // false for an anonymous operation
	kindRaw                 // the JSON itself
	kindPictures            // all sizes of a picture
	kindPicture             // one size of a picture
	kindObject              // a nested object, or null
	kindObjects             // a list of nested objects, or null
	kindConnection          // a connection, which a resolver reads
	kindCursor              // of an edge
	kindNode                // of an edge
	kindEdges               // of a connection
	kindNodes               // of a connection
	kindPageInfo            // of a connection
	kindTotalCount          // of a connection
	kindPictureURL
	kindPictureSize
	kindPictureWidth
	kindPictureHeight
	kindHasNextPage
	kindHasPreviousPage
	kindStartCursor
	kindEndCursor
)

// A field is a field of the schema whose value is computed from the JSON of its object.
type field struct {
	kind   kind
	member string // of the object's JSON
	// full is set for a member that only the full form of the resource contains. For a partial
	// resource, the full form is loaded.
	full bool
	// derive decodes the object and returns the value. It is used if the member is absent or needs
	// conversion.
	derive func(rawjson.Value) string
	node   model.Kind // of kindID
}

func text(member string, derive func(rawjson.Value) string) field {
	return field{kind: kindText, member: member, derive: derive}
}

func id(kind model.Kind) field { return field{kind: kindID, member: "key", node: kind} }

func full(kind kind, member string) field { return field{kind: kind, member: member, full: true} }

var (
	key      = field{kind: kindKey, member: "key"}
	rawField = field{kind: kindRaw}
	pictures = field{kind: kindPictures, member: "pictures"}
	picture  = field{kind: kindPicture, member: "pictures"}
)

// objects are the object types that can be written from JSON, with their fields. A selection of any other field is left to
// the executor. Connections are not listed: [lists.ByField] knows them.
var objects = map[string]map[string]field{
	"User": {
		"id": id(model.KindUser), "key": key, "raw": rawField, "pictures": pictures, "picture": picture,
		"url":      text("url", func(v rawjson.Value) string { return mixcloud.FromJSON[mixcloud.User](v).URL }),
		"name":     text("name", func(v rawjson.Value) string { return mixcloud.FromJSON[mixcloud.User](v).Name }),
		"username": text("username", func(v rawjson.Value) string { return mixcloud.FromJSON[mixcloud.User](v).Username }),

		"biog": full(kindTextOrNull, "biog"), "city": full(kindTextOrNull, "city"), "country": full(kindTextOrNull, "country"),
		"createdAt": full(kindTime, "created_time"), "updatedAt": full(kindTime, "updated_time"),
		"followerCount": full(kindInt, "follower_count"), "followingCount": full(kindInt, "following_count"),
		"cloudcastCount": full(kindInt, "cloudcast_count"), "favoriteCount": full(kindInt, "favorite_count"), "listenCount": full(kindInt, "listen_count"),
		"isPro": full(kindBool, "is_pro"), "isPremium": full(kindBool, "is_premium"),
		"picturePrimaryColor": full(kindTextOrNull, "picture_primary_color"), "pictureColorHex": full(kindColor, "picture_primary_color"),
		"coverPictures": full(kindPictures, "cover_pictures"),

		"viewerIsFollowing": {kind: kindViewerFlag, member: "following"},
		"followsViewer":     {kind: kindAnonymousNull},
		"isViewer":          {kind: kindAnonymousFalse},
	},
	"Cloudcast": {
		"id": id(model.KindCloudcast), "key": key, "raw": rawField, "pictures": pictures, "picture": picture,
		"url":  text("url", func(v rawjson.Value) string { return mixcloud.FromJSON[mixcloud.Cloudcast](v).URL }),
		"name": text("name", func(v rawjson.Value) string { return mixcloud.FromJSON[mixcloud.Cloudcast](v).Name }),
		"slug": text("slug", func(v rawjson.Value) string { return mixcloud.FromJSON[mixcloud.Cloudcast](v).Slug }),

		"tags": {kind: kindObjects, member: "tags"}, "user": {kind: kindObject, member: "user"}, "hosts": {kind: kindObjects, member: "hosts"},
		"createdAt": {kind: kindTime, member: "created_time"}, "updatedAt": {kind: kindTime, member: "updated_time"},
		"playCount": {kind: kindVisibleInt, member: "play_count"}, "favoriteCount": {kind: kindVisibleInt, member: "favorite_count"},
		"listenerCount": {kind: kindVisibleInt, member: "listener_count"}, "repostCount": {kind: kindVisibleInt, member: "repost_count"},
		"commentCount": {kind: kindInt, member: "comment_count"}, "audioLength": {kind: kindInt, member: "audio_length"},
		"hiddenStats": {kind: kindTrue, member: hiddenStats}, "isExclusive": {kind: kindTrue, member: "is_exclusive"},

		"description":         full(kindTextOrNull, "description"),
		"picturePrimaryColor": full(kindTextOrNull, "picture_primary_color"), "pictureColorHex": full(kindColor, "picture_primary_color"),

		"viewerHasFavorited":   {kind: kindViewerFlag, member: "favorited"},
		"viewerHasReposted":    {kind: kindViewerFlag, member: "reposted"},
		"viewerHasListenLater": {kind: kindViewerFlag, member: "is_listen_later"},
	},
	"Tag":  tagFields(model.KindTag),
	"City": tagFields(model.KindCity),
	"Category": {
		"id": id(model.KindCategory), "key": key, "raw": rawField, "pictures": pictures, "picture": picture,
		"url":  text("url", func(v rawjson.Value) string { return mixcloud.FromJSON[mixcloud.Category](v).URL }),
		"name": text("name", func(v rawjson.Value) string { return mixcloud.FromJSON[mixcloud.Category](v).Name }),
		"slug": text("slug", func(v rawjson.Value) string { return mixcloud.FromJSON[mixcloud.Category](v).Slug }),
	},
	"Playlist": {
		"id": id(model.KindPlaylist), "key": key, "raw": rawField, "pictures": pictures, "picture": picture,
		"url":   text("url", func(v rawjson.Value) string { return mixcloud.FromJSON[mixcloud.Playlist](v).URL }),
		"name":  text("name", func(v rawjson.Value) string { return mixcloud.FromJSON[mixcloud.Playlist](v).Name }),
		"slug":  text("slug", func(v rawjson.Value) string { return mixcloud.FromJSON[mixcloud.Playlist](v).Slug }),
		"owner": {kind: kindObject, member: "owner"}, "cloudcastCount": {kind: kindInt, member: "cloudcast_count"},
	},
	"Comment": {
		"id": {kind: kindItemID}, "key": key, "raw": rawField,
		"url":  text("url", func(v rawjson.Value) string { return mixcloud.FromJSON[mixcloud.Comment](v).URL }),
		"text": {kind: kindTextOrEmpty, member: "comment"}, "createdAt": {kind: kindTime, member: "submit_date"},
		"user": {kind: kindObject, member: "user"},
	},
	"Picture": {
		"url": {kind: kindPictureURL}, "size": {kind: kindPictureSize}, "width": {kind: kindPictureWidth}, "height": {kind: kindPictureHeight},
	},
	"PageInfo": {
		"hasNextPage": {kind: kindHasNextPage}, "hasPreviousPage": {kind: kindHasPreviousPage},
		"startCursor": {kind: kindStartCursor}, "endCursor": {kind: kindEndCursor},
	},
	"CloudcastConnection": connectionFields, "UserConnection": connectionFields, "TagConnection": connectionFields, "CommentConnection": connectionFields,
	"PlaylistConnection": connectionFields, "ListenConnection": connectionFields, "ListenerConnection": connectionFields,
	"CloudcastEdge": edgeFields, "UserEdge": edgeFields, "TagEdge": edgeFields, "CommentEdge": edgeFields, "PlaylistEdge": edgeFields,
	"ListenEdge": listenEdgeFields, "ListenerEdge": listenEdgeFields,
}

const hiddenStats = "hidden_stats"

func tagFields(kind model.Kind) map[string]field {
	return map[string]field{
		"id": id(kind), "key": key, "raw": rawField,
		"url": text("url", func(v rawjson.Value) string { return mixcloud.FromJSON[mixcloud.Tag](v).URL }),
		"name": {kind: kindTagName, member: "name", derive: func(v rawjson.Value) string {
			return model.NewTag(mixcloud.FromJSON[mixcloud.Tag](v)).Name()
		}},
	}
}

var (
	connectionFields = map[string]field{
		"edges": {kind: kindEdges}, "nodes": {kind: kindNodes}, "pageInfo": {kind: kindPageInfo}, "totalCount": {kind: kindTotalCount},
	}
	edgeFields       = map[string]field{"cursor": {kind: kindCursor}, "node": {kind: kindNode}}
	listenEdgeFields = map[string]field{"cursor": {kind: kindCursor}, "node": {kind: kindNode}, "listenedAt": {kind: kindTime, member: "listen_time"}}
)
