package model

import (
	"regexp"

	"mixcloud-graphql/mixcloud"
)

// A Picture is one picture in one size.
type Picture struct {
	Size   *PictureSize
	Width  *int
	Height *int
	URL    string
}

// sizeNames maps the names of sizes in REST, which are not valid GraphQL names.
var sizeNames = map[string]PictureSize{
	"small": PictureSizeSmall, "thumbnail": PictureSizeThumbnail, "medium_mobile": PictureSizeMediumMobile,
	"medium": PictureSizeMedium, "large": PictureSizeLarge, "extra_large": PictureSizeExtraLarge,
	"320wx320h": PictureSizeW320, "640wx640h": PictureSizeW640, "768wx768h": PictureSizeW768,
	"1024wx1024h": PictureSizeW1024,
}

// sizeWidths contains the width of each size in pixels (from responses since 2013).
var sizeWidths = map[PictureSize]int{
	PictureSizeSmall: 25, PictureSizeThumbnail: 50, PictureSizeMediumMobile: 80, PictureSizeMedium: 100,
	PictureSizeLarge: 300, PictureSizeW320: 320, PictureSizeExtraLarge: 600, PictureSizeW640: 640,
	PictureSizeW768: 768, PictureSizeW1024: 1024,
}

func newPicture(p mixcloud.Picture) *Picture {
	picture := &Picture{URL: p.URL}
	if size, ok := sizeNames[p.Name]; ok {
		picture.Size = &size
	}
	if p.Width > 0 {
		picture.Width = &p.Width
	}
	if p.Height > 0 {
		picture.Height = &p.Height
	}
	return picture
}

// NewPictures wraps pictures in their order. It never returns nil.
func NewPictures(all mixcloud.Pictures) []*Picture {
	pictures := make([]*Picture, 0, len(all))
	for _, p := range all {
		pictures = append(pictures, newPicture(p))
	}
	return pictures
}

// pictureFor returns the widest picture up to size, or else the narrowest one. It
// returns nil if there are no pictures. Pictures are sorted by width.
func pictureFor(all mixcloud.Pictures, size *PictureSize) *Picture {
	if len(all) == 0 {
		return nil
	}
	limit := sizeWidths[PictureSizeLarge]
	if size != nil {
		limit = sizeWidths[*size]
	}
	best := all[0]
	for _, p := range all {
		if p.Width > best.Width && p.Width <= limit {
			best = p
		}
	}
	return newPicture(best)
}

// ColorHex returns a color of six hexadecimal digits with a leading "#". It returns nil
// for all other values.
func ColorHex(color *string) *string {
	if color == nil || !sixHexDigits.MatchString(*color) {
		return nil
	}
	hex := "#" + *color
	return &hex
}

var sixHexDigits = regexp.MustCompile("^[0-9A-Fa-f]{6}$")
