package mixcloud

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// A Picture is an image in one size.
type Picture struct {
	// Name is Mixcloud's name of the size, such as "medium" or "320wx320h".
	Name string
	// Width and Height are in pixels. Both are 0 if they are not known.
	Width, Height int
	// URL may have any host.
	URL string
}

// Pictures are the sizes of one image: first the unknown sizes, then the others,
// smallest first. It is nil if the resource has no picture.
type Pictures []Picture

// pictureSizes maps the named sizes to pixels (observed in the URLs, 2013 to
// 2026; until 2012 a user's medium was 150x150).
var pictureSizes = map[string]int{
	"small":         25,
	"thumbnail":     50,
	"medium_mobile": 80,
	"medium":        100,
	"large":         300,
	"extra_large":   600,
}

func decodePictures(v value) Pictures {
	if v.first() != '{' {
		return nil
	}
	list := make(Pictures, 0, 10) // a cloudcast has had 10 sizes since 2017
	for name, link := range v.members() {
		p := Picture{Name: name, URL: link.text()}
		if p.URL == "" {
			continue
		}
		p.Width, p.Height = pictureSize(name)
		if i := slices.IndexFunc(list, func(q Picture) bool { return q.Name == name }); i >= 0 {
			list[i] = p
			continue
		}
		list = append(list, p)
	}
	slices.SortStableFunc(list, func(a, b Picture) int {
		return cmp.Or(cmp.Compare(a.Width, b.Width), cmp.Compare(a.Height, b.Height))
	})
	return list
}

// pictureSize returns the pixels of a named size, or of a size in the form
// "320wx320h".
func pictureSize(name string) (width, height int) {
	if n, ok := pictureSizes[name]; ok {
		return n, n
	}
	w, h, ok := strings.Cut(name, "wx")
	if !ok {
		return 0, 0
	}
	h, ok = strings.CutSuffix(h, "h")
	if !ok {
		return 0, 0
	}
	width, okW := pixels(w)
	height, okH := pixels(h)
	if !okW || !okH {
		return 0, 0
	}
	return width, height
}

func pixels(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err == nil && n > 0
}
