package world

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/jpeg"
)

// Picture draws the picture of a path in a size and encodes it as a JPEG. The
// path is what the types hold below a size's directory: "extaudio/…" for a
// show, "profile/…", "profile_cover/…", "defaults/users/<n>.png" or
// "category/…"; any other path is drawn like a show. The same path gives the
// same picture in every size. It fails when a side is not in 1 to 2048.
func Picture(path string, width, height int) ([]byte, error) {
	if width < 1 || height < 1 || width > 2048 || height > 2048 {
		return nil, fmt.Errorf("world: no picture of %dx%d pixels", width, height)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, Art(path, width, height), &jpeg.Options{Quality: 85}); err != nil {
		return nil, fmt.Errorf("world: encode picture: %w", err)
	}
	return b.Bytes(), nil
}

// Art draws the picture of a path.
func Art(path string, width, height int) image.Image {
	h := fnv.New32a()
	_, _ = h.Write([]byte(path))
	v := h.Sum32()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		c := color.RGBA{byte(v), byte(v>>8) + byte(y*60/height), byte(v >> 16), 255}
		for x := range width {
			m.SetRGBA(x, y, c)
		}
	}
	return m
}
