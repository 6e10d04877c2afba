package app

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A shape maps the members of one kind of REST object to the fields of the graph that return them. TestRecordings fails on
// members that are not in the shape.
type shape struct {
	scalars map[string]scalarMember
	objects map[string]objectMember // objects and lists of them
	rawOnly map[string]string       // members that only raw returns, with the reason
	noRaw   bool                    // the object has no field raw
}

// A scalarMember is a member with a scalar value, or with pictures.
type scalarMember struct {
	field  string
	absent any // the field's value if the member is absent
	// want returns the field's value. If nil, it is the member's value.
	want func(object map[string]any) any
	// pictures is true if the member contains URLs by size.
	pictures bool
}

// An objectMember is a member with an object or a list of objects.
type objectMember struct {
	field string
	shape func() shape
	on    string // the types that have the field, separated by "|"; "" for all
}

// scalarMembers returns members from pairs of a member and its field.
func scalarMembers(fields ...string) map[string]scalarMember {
	leaves := map[string]scalarMember{}
	for i := 0; i < len(fields); i += 2 {
		leaves[fields[i]] = scalarMember{field: fields[i+1]}
	}
	return leaves
}

// with returns the shape with more scalar members, which replace those with the same names.
func (s shape) with(more map[string]scalarMember) shape {
	all := map[string]scalarMember{}
	maps.Copy(all, s.scalars)
	maps.Copy(all, more)
	s.scalars = all
	return s
}

// typeMember is the member "type", which metadata=1 adds. The field is __typename.
func typeMember(typeName string) scalarMember {
	return scalarMember{field: "__typename", absent: typeName, want: func(o map[string]any) any {
		if o["type"] != strings.ToLower(typeName) {
			return fmt.Sprintf("no %v", o["type"])
		}
		return typeName
	}}
}

var rawOnlyMetadata = map[string]string{
	"metadata": "describes the request and its connections, and is not in raw",
}

func resourceShape(typeName string) shape {
	s := shape{scalars: scalarMembers("key", "key", "url", "url", "name", "name"), rawOnly: rawOnlyMetadata}
	return s.with(map[string]scalarMember{"type": typeMember(typeName)})
}

func partialUser() shape {
	return resourceShape("User").with(scalarMembers("username", "username", "following", "viewerIsFollowing")).
		with(map[string]scalarMember{"pictures": {field: "pictures", pictures: true}})
}

func fullUser() shape {
	return partialUser().with(scalarMembers(
		"biog", "biog", "created_time", "createdAt", "updated_time", "updatedAt",
		"follower_count", "followerCount", "following_count", "followingCount",
		"cloudcast_count", "cloudcastCount", "favorite_count", "favoriteCount", "listen_count", "listenCount",
		"is_pro", "isPro", "is_premium", "isPremium", "city", "city", "country", "country",
		"picture_primary_color", "picturePrimaryColor", "follower", "followsViewer")).
		with(map[string]scalarMember{
			"is_current_user": {field: "isViewer", absent: false},
			"cover_pictures":  {field: "coverPictures", pictures: true},
		})
}

// countMember is a number. If the statistics are hidden, Mixcloud sends 0 and the field is null.
func countMember(member, field string) scalarMember {
	return scalarMember{field: field, want: func(o map[string]any) any {
		if o["hidden_stats"] == true {
			return nil
		}
		return o[member]
	}}
}

func listedCloudcast() shape {
	s := resourceShape("Cloudcast").with(scalarMembers(
		"slug", "slug", "created_time", "createdAt", "updated_time", "updatedAt", "audio_length", "audioLength",
		"comment_count", "commentCount", "favorited", "viewerHasFavorited", "reposted", "viewerHasReposted",
		"is_listen_later", "viewerHasListenLater")).
		with(map[string]scalarMember{
			"play_count":     countMember("play_count", "playCount"),
			"favorite_count": countMember("favorite_count", "favoriteCount"),
			"listener_count": countMember("listener_count", "listenerCount"),
			"repost_count":   countMember("repost_count", "repostCount"),
			"hidden_stats":   {field: "hiddenStats", absent: false},
			"pictures":       {field: "pictures", pictures: true},
		})
	s.objects = map[string]objectMember{
		"user":  {field: "user", shape: partialUser},
		"tags":  {field: "tags", shape: tagShape},
		"hosts": {field: "hosts", shape: partialUser},
	}
	s.rawOnly = map[string]string{
		"metadata":         rawOnlyMetadata["metadata"],
		"percentage_music": "Mixcloud removed it in 2014",
	}
	return s
}

func fullCloudcast() shape {
	s := listedCloudcast().with(scalarMembers("description", "description", "picture_primary_color", "picturePrimaryColor"))
	s.objects["sections"] = objectMember{field: "sections", shape: trackSection}
	return s
}

func tagShape() shape {
	s := resourceShape("Tag")
	return s.with(map[string]scalarMember{"name": {field: "name", want: func(o map[string]any) any {
		// Only the sample in Mixcloud's documentation has this suffix.
		return strings.TrimSuffix(o["name"].(string), " shows")
	}}})
}

func trackSection() shape {
	same := func(o map[string]any) any { return "TrackSection" }
	return shape{
		scalars: map[string]scalarMember{
			"position":     {field: "position"},
			"start_time":   {field: "startTime"},
			"section_type": {field: "__typename", want: same},
			"type":         {field: "__typename", want: same, absent: "TrackSection"},
		},
		objects: map[string]objectMember{"track": {field: "track", shape: trackShape, on: "TrackSection"}},
		noRaw:   true,
	}
}

func trackShape() shape {
	s := resourceShape("Track").with(scalarMembers("slug", "slug"))
	s.objects = map[string]objectMember{"artist": {field: "artist", shape: artistShape}}
	return s
}

func artistShape() shape { return resourceShape("Artist").with(scalarMembers("slug", "slug")) }

func categoryShape() shape {
	return resourceShape("Category").with(scalarMembers("slug", "slug")).with(map[string]scalarMember{
		"pictures": {field: "pictures", pictures: true},
		"format":   {field: "format", want: func(o map[string]any) any { return strings.ToUpper(o["format"].(string)) }},
	})
}

func commentShape() shape {
	return shape{
		scalars: scalarMembers("key", "key", "url", "url", "comment", "text", "submit_date", "createdAt"),
		objects: map[string]objectMember{"user": {field: "user", shape: partialUser}},
	}
}

func activityShape() shape {
	s := shape{
		scalars: scalarMembers("key", "key", "url", "url", "title", "title", "created_time", "createdAt"),
		objects: map[string]objectMember{
			"from":       {field: "from", shape: partialUser},
			"cloudcasts": {field: "cloudcasts", shape: listedCloudcast, on: "UploadActivity|ListenActivity|FavoriteActivity|OtherActivity"},
			"users":      {field: "users", shape: partialUser, on: "FollowActivity|OtherActivity"},
		},
	}
	return s.with(map[string]scalarMember{"type": {field: "__typename", want: func(o map[string]any) any {
		word := o["type"].(string)
		if !slices.Contains([]string{"upload", "listen", "favorite", "follow"}, word) {
			return "OtherActivity"
		}
		return strings.ToUpper(word[:1]) + word[1:] + "Activity"
	}}})
}

// selection returns the selection of all fields of the shape.
func (s shape) selection() string {
	fields := map[string]bool{"__typename": true}
	if !s.noRaw {
		fields["raw"] = true
	}
	for _, l := range s.scalars {
		if l.pictures {
			fields[l.field+" { size width height url }"] = true
		} else {
			fields[l.field] = true
		}
	}
	for _, n := range s.objects {
		text := n.field + " { " + n.shape().selection() + " }"
		if n.on == "" {
			fields[text] = true
			continue
		}
		for typeName := range strings.SplitSeq(n.on, "|") {
			fields["... on "+typeName+" { "+text+" }"] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(fields)), " ")
}

// pictureNames maps the graph's picture sizes to those of the REST API.
var pictureNames = map[string]string{
	"SMALL": "small", "THUMBNAIL": "thumbnail", "MEDIUM_MOBILE": "medium_mobile", "MEDIUM": "medium",
	"LARGE": "large", "EXTRA_LARGE": "extra_large", "W320": "320wx320h", "W640": "640wx640h",
	"W768": "768wx768h", "W1024": "1024wx1024h",
}

// pictureName returns the size of a picture in the REST API.
func pictureName(picture map[string]any) string {
	if size, ok := picture["size"].(string); ok {
		return pictureNames[size]
	}
	width, _ := picture["width"].(float64)
	height, _ := picture["height"].(float64)
	return strconv.Itoa(int(width)) + "wx" + strconv.Itoa(int(height)) + "h"
}
