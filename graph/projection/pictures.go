package projection

import (
	"strconv"

	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/mixcloud/rawjson"
)

// pictureSizes are the sizes of pictures that Mixcloud is known to send, by their width in pixels. All are squares.
var pictureSizes = [...]struct {
	member string
	size   model.PictureSize
	width  int
}{
	{"small", model.PictureSizeSmall, 25},
	{"thumbnail", model.PictureSizeThumbnail, 50},
	{"medium_mobile", model.PictureSizeMediumMobile, 80},
	{"medium", model.PictureSizeMedium, 100},
	{"large", model.PictureSizeLarge, 300},
	{"320wx320h", model.PictureSizeW320, 320},
	{"extra_large", model.PictureSizeExtraLarge, 600},
	{"640wx640h", model.PictureSizeW640, 640},
	{"768wx768h", model.PictureSizeW768, 768},
	{"1024wx1024h", model.PictureSizeW1024, 1024},
}

// pictureWidths are the widths of pictureSizes as JSON.
var pictureWidths = func() (widths [len(pictureSizes)]string) {
	for i, s := range pictureSizes {
		widths[i] = strconv.Itoa(s.width)
	}
	return widths
}()

// preference returns the indices of pictureSizes in the order in which a picture is chosen for a size: the largest up to
// the size, or else the smallest one.
func preference(size model.PictureSize) []int8 {
	limit := pictureSizes[0].width
	for _, s := range pictureSizes {
		if s.size == size {
			limit = s.width
		}
	}
	var order []int8
	for i := len(pictureSizes) - 1; i >= 0; i-- {
		if pictureSizes[i].width <= limit {
			order = append(order, int8(i))
		}
	}
	for i, s := range pictureSizes {
		if s.width > limit {
			order = append(order, int8(i)) //nolint:gosec // an index of pictureSizes
		}
	}
	return order
}

// A pictureSet contains the URLs of one picture, one for each size, indexed like pictureSizes.
// Sizes that Mixcloud did not send are absent.
type pictureSet [len(pictureSizes)]rawjson.Value

// readPictures reads the sizes of a picture. It returns false if a size is not known or is not a text.
func readPictures(v rawjson.Value, set *pictureSet) bool {
	for m := v.Iterate(); m.Next(); {
		i := pictureIndex(m.Name())
		if i < 0 || set[i].Kind() != 0 { // a duplicate
			return false
		}
		switch link := m.Value(); {
		case link.Kind() == 'n', link.Raw() == `""`:
		case link.Kind() != '"':
			return false
		default:
			set[i] = link
		}
	}
	return true
}

func pictureIndex(name string) int {
	for i := range pictureSizes {
		if pictureSizes[i].member == name {
			return i
		}
	}
	return -1
}
