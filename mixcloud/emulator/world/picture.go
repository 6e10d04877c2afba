package world

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"strings"
)

// Picture draws the picture of a path in a size and encodes it: as PNG if the path
// ends in ".png", otherwise as JPEG. The path is as in the types' fields, after the
// size segment: "extaudio/…" for a show, "profile/…" and "profile_cover/…" for a
// user, "category/…", or "defaults/users/<n>.png" for a user without a picture. Any
// other path is drawn like a show. A path shows the same picture in every size.
// Picture returns an error if a side is not in 1 to 2048, or if one is more than 32
// times the other.
func Picture(path string, width, height int) ([]byte, error) {
	if short, long := min(width, height), max(width, height); short < 1 || long > 2048 || long > 32*short {
		return nil, fmt.Errorf("world: no picture of %dx%d pixels", width, height)
	}
	var b bytes.Buffer
	var err error
	if art := Art(path, width, height); strings.HasSuffix(path, ".png") {
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, art)
	} else {
		err = jpeg.Encode(&b, art, &jpeg.Options{Quality: 84})
	}
	if err != nil {
		return nil, fmt.Errorf("world: encode picture: %w", err)
	}
	return b.Bytes(), nil
}

// Art draws the picture of a path without encoding it. The sides must be valid for
// Picture.
func Art(path string, width, height int) image.Image {
	return render(painterFor(path, int64(width), int64(height)), int64(width), int64(height))
}

// painterFor returns the painter for a path.
func painterFor(path string, width, height int64) painter {
	l := styleOf(path)
	wide := unit * width / min(width, height)
	tall := unit * height / min(width, height)
	switch kind, _, _ := strings.Cut(path, "/"); kind {
	case "profile":
		if l.family&1 == familyOfPeople {
			return portrait(l)
		}
		return logo(l)
	case "defaults":
		return silhouette(l)
	case "profile_cover":
		return banners[l.common.n(int64(len(banners)))](l, wide, tall)
	default:
		return covers[l.common.n(int64(len(covers)))](l, wide, tall)
	}
}

// An even family of a profile picture shows a person, an odd one a logo.
const familyOfPeople = 0

// unit is the shorter side of a picture in the coordinates that painters use.
const unit = 1 << 14

// A painter returns the color of a point. Painters compute with integers, so that
// a picture is the same on every machine.
type painter func(x, y int64) rgb

// render samples a painter at every pixel's center, and supersamples pixels whose
// neighbors differ.
func render(p painter, width, height int64) *image.RGBA {
	short := min(width, height)
	at := func(px, sub, n int64) int64 { return (2*n*px + 2*sub + 1) * unit / (2 * n * short) }
	m := image.NewRGBA(image.Rect(0, 0, int(width), int(height)))
	flat := make([]rgb, width*height)
	for y := range height {
		v := at(y, 0, 1)
		row := flat[y*width : (y+1)*width]
		for x := range row {
			row[x] = p(at(int64(x), 0, 1), v)
		}
	}
	fine := int64(3)
	if short < 120 {
		fine = 6
	}
	for y := range height {
		for x := range width {
			i := y*width + x
			c := flat[i]
			if x > 0 && differ(c, flat[i-1]) || x+1 < width && differ(c, flat[i+1]) ||
				y > 0 && differ(c, flat[i-width]) || y+1 < height && differ(c, flat[i+width]) {
				var r, g, b int64
				for sy := range fine {
					for sx := range fine {
						cr, cg, cb := p(at(x, sx, fine), at(y, sy, fine)).parts()
						r, g, b = r+cr, g+cg, b+cb
					}
				}
				n := fine * fine
				c = rgb(r/n<<16 | g/n<<8 | b/n)
			}
			pix := m.Pix[4*i : 4*i+4 : 4*i+4]
			pix[0], pix[1], pix[2], pix[3] = byte(c>>16), byte(c>>8), byte(c), 255
		}
	}
	return m
}

// differ reports whether two neighboring pixels differ enough to be antialiased.
func differ(a, b rgb) bool {
	if a == b {
		return false
	}
	ar, ag, ab := a.parts()
	br, bg, bb := b.parts()
	return max(ar-br, br-ar)+max(ag-bg, bg-ag)+max(ab-bb, bb-ab) > 14
}

// distance returns the length of a vector. IEEE 754 requires a correctly rounded
// square root, so the result is the same on every machine.
func distance(dx, dy int64) int64 { return int64(math.Sqrt(float64(dx*dx + dy*dy))) }

// inside reports whether a point is in a circle.
func inside(x, y, cx, cy, r int64) bool { return (x-cx)*(x-cx)+(y-cy)*(y-cy) < r*r }

// inEllipse reports whether a point is in an ellipse.
func inEllipse(x, y, cx, cy, rx, ry int64) bool {
	dx, dy := (x-cx)*ry, (y-cy)*rx
	return dx/64*(dx/64)+dy/64*(dy/64) < rx*ry/64*(rx*ry/64)
}

const turn = 4096 // a full circle

// sine returns the sine of a/turn of a circle, -4096 to 4096, by Bhaskara's
// approximation, which needs no floating point.
func sine(a int64) int64 {
	a &= turn - 1
	sign := int64(1)
	if a >= turn/2 {
		a -= turn / 2
		sign = -1
	}
	q := a * (turn/2 - a)
	return sign * 4096 * 16 * q / (5*turn/2*turn/2 - 4*q)
}

func cosine(a int64) int64 { return sine(a + turn/4) }

// hash2 hashes two numbers and a salt to 32 bits.
func hash2(x, y int64, salt uint64) uint32 {
	h := uint64(uint32(x))*0x9e3779b97f4a7c15 ^ uint64(uint32(y))*0xc2b2ae3d27d4eb4f ^ salt
	h ^= h >> 29
	h *= 0xbf58476d1ce4e5b9
	return uint32(h >> 32)
}

// ridge returns the height at x of a smooth random line, 0 to 256·256, for hills of
// a given width.
func ridge(x, width int64, salt uint64) int64 {
	height := func(at, width int64) int64 {
		i, f := at/width, at%width*256/width
		f = f * f * (768 - 2*f) >> 16
		a, b := int64(hash2(i, width, salt)>>16), int64(hash2(i+1, width, salt)>>16)
		return a + (b-a)*f/256
	}
	x += 8 * unit
	return (4*height(x, width) + 2*height(x, width/2) + height(x, width/4)) / 7
}

// A field is smooth noise on a square lattice.
type field struct {
	lattice [1024]int32
	cell    int64
}

func newField(s randomInt64, cell int64) *field {
	f := &field{cell: cell}
	for i := range f.lattice {
		f.lattice[i] = int32(s.n(65536))
	}
	return f
}

// at returns the value of the field at a point, 0 to 65535.
func (f *field) at(x, y int64) int64 {
	ix, iy := x/f.cell, y/f.cell
	fx, fy := (x-ix*f.cell)*256/f.cell, (y-iy*f.cell)*256/f.cell
	fx, fy = fx*fx*(768-2*fx)>>16, fy*fy*(768-2*fy)>>16
	at := func(i, j int64) int64 { return int64(f.lattice[(i*37+j*101)&1023]) }
	a, b, c, d := at(ix, iy), at(ix+1, iy), at(ix, iy+1), at(ix+1, iy+1)
	top, bottom := a+(b-a)*fx>>8, c+(d-c)*fx>>8
	return top + (bottom-top)*fy>>8
}
