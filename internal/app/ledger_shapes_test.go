package app

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A shape says, for one kind of REST object, which field of the graph shows each
// of its members. What is not here is not known: the ledger fails on it.
type shape struct {
	leaves  map[string]leaf
	objects map[string]nested // objects and lists of them
	rawOnly map[string]string // members that only raw shows, and why
	noRaw   bool              // the graph has no raw for it
}

// A leaf is a member that is a scalar, or pictures.
type leaf struct {
	field  string
	absent any // what the field is when the member is not there
	// want is what the field has to be; nil for the member's own value.
	want func(object map[string]any) any
	// pictures says that the member holds addresses by size.
	pictures bool
}

type nested struct {
	field string
	shape func() shape
	on    string // a type condition, where the field stands on one type only
}

func named(fields ...string) map[string]leaf {
	leaves := map[string]leaf{}
	for i := 0; i < len(fields); i += 2 {
		leaves[fields[i]] = leaf{field: fields[i+1]}
	}
	return leaves
}

// with adds leaves, or replaces those of the same members.
func (s shape) with(more map[string]leaf) shape {
	all := map[string]leaf{}
	maps.Copy(all, s.leaves)
	maps.Copy(all, more)
	s.leaves = all
	return s
}

// kind is the member "type" that metadata=1 adds: the graph's own word for it.
func kind(typeName string) leaf {
	return leaf{field: "__typename", absent: typeName, want: func(o map[string]any) any {
		if o["type"] != strings.ToLower(typeName) {
			return fmt.Sprintf("no %v", o["type"])
		}
		return typeName
	}}
}

var about = map[string]string{
	"metadata": "it describes the request; where its connections lead is what connection fields are for, and raw drops it",
}

func resourceShape(typeName string) shape {
	s := shape{leaves: named("key", "key", "url", "url", "name", "name"), rawOnly: about}
	return s.with(map[string]leaf{"type": kind(typeName)})
}

func partialUser() shape {
	return resourceShape("User").with(named("username", "username", "following", "viewerIsFollowing")).
		with(map[string]leaf{"pictures": {field: "pictures", pictures: true}})
}

func fullUser() shape {
	return partialUser().with(named(
		"biog", "biog", "created_time", "createdAt", "updated_time", "updatedAt",
		"follower_count", "followerCount", "following_count", "followingCount",
		"cloudcast_count", "cloudcastCount", "favorite_count", "favoriteCount", "listen_count", "listenCount",
		"is_pro", "isPro", "is_premium", "isPremium", "city", "city", "country", "country",
		"picture_primary_color", "picturePrimaryColor", "follower", "followsViewer")).
		with(map[string]leaf{
			"is_current_user": {field: "isViewer", absent: false},
			"cover_pictures":  {field: "coverPictures", pictures: true},
		})
}

// count is a number that is null if the statistics are hidden: Mixcloud
// then sends a zero.
func count(member, field string) leaf {
	return leaf{field: field, want: func(o map[string]any) any {
		if o["hidden_stats"] == true {
			return nil
		}
		return o[member]
	}}
}

func listedCloudcast() shape {
	s := resourceShape("Cloudcast").with(named(
		"slug", "slug", "created_time", "createdAt", "updated_time", "updatedAt", "audio_length", "audioLength",
		"comment_count", "commentCount", "favorited", "viewerHasFavorited", "reposted", "viewerHasReposted",
		"is_listen_later", "viewerHasListenLater")).
		with(map[string]leaf{
			"play_count":     count("play_count", "playCount"),
			"favorite_count": count("favorite_count", "favoriteCount"),
			"listener_count": count("listener_count", "listenerCount"),
			"repost_count":   count("repost_count", "repostCount"),
			"hidden_stats":   {field: "hiddenStats", absent: false},
			"pictures":       {field: "pictures", pictures: true},
		})
	s.objects = map[string]nested{
		"user":  {field: "user", shape: partialUser},
		"tags":  {field: "tags", shape: tagShape},
		"hosts": {field: "hosts", shape: partialUser},
	}
	s.rawOnly = map[string]string{
		"metadata":         about["metadata"],
		"percentage_music": "Mixcloud gave it up in 2014",
	}
	return s
}

func fullCloudcast() shape {
	s := listedCloudcast().with(named("description", "description", "picture_primary_color", "picturePrimaryColor"))
	s.objects["sections"] = nested{field: "sections", shape: trackSection}
	return s
}

func tagShape() shape {
	s := resourceShape("Tag")
	return s.with(map[string]leaf{"name": {field: "name", want: func(o map[string]any) any {
		// Only the documentation's own sample has it.
		return strings.TrimSuffix(o["name"].(string), " shows")
	}}})
}

func trackSection() shape {
	same := func(o map[string]any) any { return "TrackSection" }
	return shape{
		leaves: map[string]leaf{
			"position":     {field: "position"},
			"start_time":   {field: "startTime"},
			"section_type": {field: "__typename", want: same},
			"type":         {field: "__typename", want: same, absent: "TrackSection"},
		},
		objects: map[string]nested{"track": {field: "track", shape: trackShape, on: "TrackSection"}},
		noRaw:   true,
	}
}

func trackShape() shape {
	s := resourceShape("Track").with(named("slug", "slug"))
	s.objects = map[string]nested{"artist": {field: "artist", shape: artistShape}}
	return s
}

func artistShape() shape { return resourceShape("Artist").with(named("slug", "slug")) }

func categoryShape() shape {
	return resourceShape("Category").with(named("slug", "slug")).with(map[string]leaf{
		"pictures": {field: "pictures", pictures: true},
		"format":   {field: "format", want: func(o map[string]any) any { return strings.ToUpper(o["format"].(string)) }},
	})
}

func commentShape() shape {
	return shape{
		leaves:  named("key", "key", "url", "url", "comment", "text", "submit_date", "createdAt"),
		objects: map[string]nested{"user": {field: "user", shape: partialUser}},
	}
}

func activityShape() shape {
	s := shape{
		leaves: named("key", "key", "url", "url", "title", "title", "created_time", "createdAt"),
		objects: map[string]nested{
			"from":       {field: "from", shape: partialUser},
			"cloudcasts": {field: "cloudcasts", shape: listedCloudcast, on: "UploadActivity|ListenActivity|FavoriteActivity|OtherActivity"},
			"users":      {field: "users", shape: partialUser, on: "FollowActivity|OtherActivity"},
		},
	}
	return s.with(map[string]leaf{"type": {field: "__typename", want: func(o map[string]any) any {
		word := o["type"].(string)
		if !slices.Contains([]string{"upload", "listen", "favorite", "follow"}, word) {
			return "OtherActivity"
		}
		return strings.ToUpper(word[:1]) + word[1:] + "Activity"
	}}})
}

// selection asks for everything that a shape knows.
func (s shape) selection() string {
	fields := map[string]bool{"__typename": true}
	if !s.noRaw {
		fields["raw"] = true
	}
	for _, l := range s.leaves {
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

// pictureNames are REST's names of the sizes by the graph's.
var pictureNames = map[string]string{
	"SMALL": "small", "THUMBNAIL": "thumbnail", "MEDIUM_MOBILE": "medium_mobile", "MEDIUM": "medium",
	"LARGE": "large", "EXTRA_LARGE": "extra_large", "W320": "320wx320h", "W640": "640wx640h",
	"W768": "768wx768h", "W1024": "1024wx1024h",
}

// pictureName is the name that REST has for a picture of the graph.
func pictureName(picture map[string]any) string {
	if size, ok := picture["size"].(string); ok {
		return pictureNames[size]
	}
	width, _ := picture["width"].(float64)
	height, _ := picture["height"].(float64)
	return strconv.Itoa(int(width)) + "wx" + strconv.Itoa(int(height)) + "h"
}
