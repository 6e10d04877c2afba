// Package synthetic writes objects of Mixcloud's API for any name. They have the members and the
// size of real ones. The benchmarks use them where the data of the emulator has too few different
// objects.
package synthetic

import (
	"fmt"
	"strings"
)

var pictureSizes = []string{"small", "thumbnail", "medium_mobile", "medium", "large", "320wx320h", "extra_large", "640wx640h", "768wx768h", "1024wx1024h"}

func pictures(b []byte, of string) []byte {
	b = append(b, `"pictures": {`...)
	for i, size := range pictureSizes {
		if i > 0 {
			b = append(b, ",\n            "...)
		}
		b = fmt.Appendf(b, `"%s": "https://thumbnailer.mixcloud.com/unsafe/300x300/extaudio/a/b/c/d/aaaa-bbbb-cccc-dddd-%s-%d"`, size, of, i)
	}
	return append(b, '}')
}

// AppendUser appends a partial user, as lists and other objects contain it.
func AppendUser(b []byte, name string) []byte { return user(b, name, "") }

// AppendFullUser appends a complete user.
func AppendFullUser(b []byte, name string) []byte { return user(b, name, fullUser) }

// AppendCloudcast appends a partial cloudcast, as lists contain it.
func AppendCloudcast(b []byte, owner, slug string) []byte { return cloudcast(b, owner, slug, "") }

// AppendFullCloudcast appends a complete cloudcast.
func AppendFullCloudcast(b []byte, owner, slug string) []byte {
	return cloudcast(b, owner, slug, fullCloudcast)
}

// fullUser and fullCloudcast are the members that only complete objects contain.
var (
	fullUser = `, "biog": "` + strings.Repeat("Plays records. ", 20) + `", "city": "London", "country": "United Kingdom",
			"created_time": "2012-03-04T05:06:07Z", "updated_time": "2026-03-04T05:06:07Z", "follower_count": 1000, "following_count": 20,
			"cloudcast_count": 30, "favorite_count": 40, "listen_count": 50, "is_pro": false, "is_premium": false`
	fullCloudcast = `, "description": "` + strings.Repeat("All night long. ", 30) + `"`
)

// user appends a user with more members.
func user(b []byte, name, more string) []byte {
	b = fmt.Appendf(b, `{"key": "/%[1]s/", "url": "https://www.mixcloud.com/%[1]s/", "name": "The name of %[1]s", "username": "%[1]s", `, name)
	b = pictures(b, name)
	return append(append(b, more...), '}')
}

// cloudcast appends a cloudcast with more members.
func cloudcast(b []byte, owner, slug, more string) []byte {
	b = fmt.Appendf(b, `{"key": "/%[1]s/%[2]s/", "url": "https://www.mixcloud.com/%[1]s/%[2]s/", "name": "A show of %[1]s", "slug": "%[2]s",
		"tags": [{"key": "/genres/funk/", "url": "https://www.mixcloud.com/genres/funk/", "name": "Funk"}, {"key": "/genres/soul/", "url": "https://www.mixcloud.com/genres/soul/", "name": "Soul"}],
		"created_time": "2026-01-01T00:00:00Z", "updated_time": "2026-01-01T00:00:00Z", "play_count": 1000, "favorite_count": 200, "comment_count": 30,
		"listener_count": 400, "repost_count": 5, "audio_length": 3600, "hosts": [], `, owner, slug)
	b = pictures(b, owner)
	b = append(b, `, "user": `...)
	b = user(b, owner, "")
	return append(append(b, more...), '}')
}
