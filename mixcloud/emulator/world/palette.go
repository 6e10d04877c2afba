package world

import (
	"hash/fnv"
	"strings"
)

// An rgb is a color, 0xRRGGBB.
type rgb uint32

func (c rgb) parts() (r, g, b int64) { return int64(c >> 16), int64(c >> 8 & 255), int64(c & 255) }

// hex formats a color as the API does.
func (c rgb) hex() string {
	const digits = "0123456789abcdef"
	b := make([]byte, 6)
	for i := range b {
		b[5-i] = digits[c&15]
		c >>= 4
	}
	return string(b)
}

// mix interpolates between a (t = 0) and b (t = 256).
func mix(a, b rgb, t int64) rgb {
	t = max(0, min(256, t))
	ar, ag, ab := a.parts()
	br, bg, bb := b.parts()
	return rgb((ar*(256-t)+br*t)>>8<<16 | (ag*(256-t)+bg*t)>>8<<8 | (ab*(256-t)+bb*t)>>8)
}

// multiply blends two colors in multiply mode.
func multiply(a, b rgb) rgb {
	ar, ag, ab := a.parts()
	br, bg, bb := b.parts()
	return rgb(ar*br/255<<16 | ag*bg/255<<8 | ab*bb/255)
}

// luminance returns the perceived brightness, 0 to 255.
func (c rgb) luminance() int64 {
	r, g, b := c.parts()
	return (r*3 + g*6 + b) / 10
}

// A palette is five colors that match. The first is a picture's primary color.
type palette [5]rgb

// darkest returns the color with the lowest luminance.
func (p palette) darkest() rgb {
	best := p[0]
	for _, c := range p {
		if c.luminance() < best.luminance() {
			best = c
		}
	}
	return best
}

// brightest returns the color with the highest luminance.
func (p palette) brightest() rgb {
	best := p[0]
	for _, c := range p {
		if c.luminance() > best.luminance() {
			best = c
		}
	}
	return best
}

// contrasting returns the color of the palette with the highest contrast to on.
func (p palette) contrasting(on rgb) rgb {
	best, gap := p[0], int64(-1)
	for _, c := range p {
		if d := max(c.luminance()-on.luminance(), on.luminance()-c.luminance()); d > gap {
			best, gap = c, d
		}
	}
	return best
}

var palettes = func() []palette {
	var list []palette
	for line := range strings.Lines(paletteTable) {
		var p palette
		for i, word := range strings.Fields(line) {
			for _, c := range word {
				p[i] = p[i]<<4 | rgb(strings.IndexRune("0123456789abcdef", c))
			}
		}
		list = append(list, p)
	}
	return list
}()

const paletteTable = `f2e8cf bc4749 6a994e a7c957 386641
264653 e9c46a f4a261 e76f51 2a9d8f
0d1b2a e0e1dd 778da9 415a77 f25f5c
fefae0 dda15e bc6c25 606c38 283618
1f2d32 f6ae2d f26419 86bbd8 f7f5f0
2b2d42 ef233c edf2f4 8d99ae d90429
ffb4a2 e5989b b5838d 6d6875 ffe8d6
003049 d62828 f77f00 fcbf49 eae2b7
22223b f2e9e4 c9ada7 9a8c98 4a4e69
fdf0d5 780000 c1121f 003049 669bbc
10002b 9d4edd ff9e00 e0aaff 5a189a
f4f1de e07a5f 3d405b 81b29a f2cc8f
0b132b 5bc0be 3a506b f4f7f5 6fffe9
3c1642 086375 1dd3b0 affc41 f0ffe0
ede0d4 7f5539 b08968 ddb892 463f3a
101418 ff4d00 f5f3ee 8c8c84 ffb38a
3d348b 7678ed f7b801 f18701 f35b04
e8eddf 242423 f5cb5c 4a6c6f cfdbd5
05668d 028090 00a896 f0f3bd 02c39a
d8e2dc ffe5d9 ffb5c2 d6738b 6b4e5c
1b1b1e d8dbe2 a9bcd0 58a4b0 373f51
231942 5e548e 9f86c0 be95c4 f0d9e7
f8f4e3 ff5a36 2d2a32 8fb8ca ffd23f
0f4c5c fb8b24 e36414 9a031e f3e9d2
eff1f3 223843 b7c4cf d8b4a0 d77a61
132a13 4f772d 90a955 ecf39e f5f7dc
ff4d8d 8338ec 3a86ff ffbe0b fff1e6
011627 2ec4b6 fdfffc ff9f1c e71d36
fae1dd 6d597a b56576 e56b6f eaac8b
f1faee e63946 a8dadc 457b9d 1d3557
14213d fca311 e5e5e5 fdfdf8 5c677d
2f3e46 cad2c5 84a98c 52796f f4f1e8
3d0c11 d80032 f78ca2 f9dec9 80b192
fffcf2 403d39 ccc5b9 eb5e28 252422`

// A pictureStyle contains the colors and the random sources of a picture. The first
// four digits of its path (6/2/4/c) are its family. The pictures of a family look
// similar: those of the episodes of a series, or the profile picture and cover of a
// user.
type pictureStyle struct {
	family int
	colors palette
	common randomInt64 // equal for all pictures of the family
	own    randomInt64 // of this picture only
}

// A randomInt64 is a source of int64, the type of all computations of painters.
type randomInt64 struct{ *source }

func (d randomInt64) n(limit int64) int64 { return int64(d.source.n(int(limit))) }

func (d randomInt64) between(lo, hi int64) int64 { return int64(d.source.between(int(lo), int(hi))) }

// styleOf returns the style of the picture with a path.
func styleOf(path string) pictureStyle {
	h := fnv.New32a()
	_, _ = h.Write([]byte(path))
	l := pictureStyle{family: -1}
	_, id, _ := strings.Cut(path, "/")
	if len(id) > 8 && id[1] == '/' && id[3] == '/' && id[5] == '/' {
		l.family = 0
		for i := 0; i <= 6; i += 2 {
			d := strings.IndexByte("0123456789abcdef", id[i])
			if d < 0 {
				l.family = -1
				break
			}
			l.family = l.family<<4 | d
		}
	}
	if l.family < 0 {
		l.family = int(h.Sum32() & 0xffff)
	}
	l.common = randomInt64{newSource(0x6d69786c, "look", l.family)}
	l.own = randomInt64{newSource(0x6d69786c, path, 0)}
	l.colors = palettes[(l.family>>1)%len(palettes)] // without the bit that only profile pictures use
	return l
}

// primaryColor returns a picture's primary color, in the format of the API.
func primaryColor(picture string) string { return styleOf(picture).colors[0].hex() }
