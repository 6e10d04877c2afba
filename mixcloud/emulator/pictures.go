package emulator

import (
	"strconv"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// A size is a picture size: the member's name and the URL segment.
type size struct{ name, path string }

// Picture sizes, in the order in which the API has returned them since 2021 (observed
// 2021-26).
var (
	cloudcastSizes = []size{
		{"small", "25x25/"},
		{"thumbnail", "50x50/"},
		{"medium_mobile", "80x80/"},
		{"medium", "100x100/"},
		{"large", "300x300/"},
		{"320wx320h", "320x320/"},
		{"extra_large", "600x600/"},
		{"640wx640h", "640x640/"},
		{"768wx768h", "768x768/"},
		{"1024wx1024h", "1024x1024/"},
	}
	userSizes     = cloudcastSizes[:8]
	categorySizes = cloudcastSizes[:5]
	coverSizes    = []size{{"835wx120h", "835x120/"}, {"1113wx160h", "1113x160/"}, {"1670wx240h", "1670x240/"}}
)

// pictureSet writes the URLs of one picture in several sizes. Picture URLs are the
// largest part of most responses, so it checks only once whether the path needs
// escaping.
func (c *call) pictureSet(name string, sizes []size, path string) {
	c.object(name)
	whole := isPlain(path)
	for _, s := range sizes {
		c.key(s.name)
		c.buf = append(append(append(c.buf, '"'), c.pictures...), s.path...)
		if whole {
			c.buf = append(c.buf, path...)
		} else {
			c.escape(path)
		}
		c.buf = append(c.buf, '"')
	}
	c.close('}')
}

// userPicture returns the path of a user's picture, after the size segment: a default
// picture for users without one (observed 2017: me_with_token_2017.json).
func userPicture(u *world.User) string {
	if u.Picture != "" {
		return u.Picture
	}
	return "defaults/users/" + strconv.Itoa(u.ID%10) + ".png"
}

// pictureOf returns the path of a cloudcast's picture, or its owner's if it has none
// (observed 2017: popular_with_token_2017.json).
func pictureOf(cast *world.Cloudcast) string {
	if cast.Picture != "" {
		return cast.Picture
	}
	return userPicture(cast.Owner)
}
