package world

// A heightMap is the upper edge of a shape: a height for every x, sampled at
// steps and interpolated between them.
type heightMap []int64

const heightMapStep = unit / 512

func newHeightMap(wide int64, height func(x int64) int64) heightMap {
	p := make(heightMap, wide/heightMapStep+2)
	for i := range p {
		p[i] = height(int64(i) * heightMapStep)
	}
	return p
}

func (p heightMap) at(x int64) int64 {
	i, f := x/heightMapStep, x%heightMapStep
	return p[i] + (p[i+1]-p[i])*f/heightMapStep
}

// mountains draws layers of mountains, paler with the distance, below a moon.
func mountains(l pictureStyle, wide, tall int64) painter {
	p := l.colors
	n := l.common.between(3, 6)
	salt := l.own.pcg.Uint64()
	sky, far, near := p.brightest(), p[1], p.darkest()
	mx, my, mr := wide*l.own.between(20, 80)/100, tall*l.own.between(16, 34)/100, unit*l.common.between(6, 15)/100
	moon := mix(p[2], 0xffffff, 110)
	tops := make([]heightMap, n)
	for i := range n {
		tops[i] = newHeightMap(wide, func(x int64) int64 {
			return tall*(38+i*52/n)/100 - ridge(x, unit/2-i*unit/20, salt+uint64(i))*unit/4/65536 + unit/10
		})
	}
	return func(x, y int64) rgb {
		for i := n - 1; i >= 0; i-- {
			if top := tops[i].at(x); y > top {
				c := mix(far, near, (i+1)*256/n)
				return mix(c, sky, max(0, 90-(y-top)*500/unit)) // mist above each ridge
			}
		}
		if inside(x, y, mx, my, mr) {
			return moon
		}
		return mix(mix(sky, p[0], 90), sky, y*256/tall)
	}
}

// sunset draws a striped sun over a plain.
func sunset(l pictureStyle, wide, tall int64) painter {
	p := l.colors
	cx, cy := wide/2+unit*l.own.between(-10, 10)/100, tall*l.common.between(42, 52)/100
	radius := unit * l.common.between(24, 32) / 100
	salt := l.own.pcg.Uint64()
	stripesIn := l.common.chance(60)
	high, low, ground := p.darkest(), p[2], mix(p.darkest(), 0, 90)
	hot, cool := p.brightest(), p[3]
	if hot == low {
		low = p[1]
	}
	plain := newHeightMap(wide, func(x int64) int64 { return tall*72/100 - ridge(x, unit/3, salt)*unit/9/65536 })
	return func(x, y int64) rgb {
		if y > plain.at(x) {
			return ground
		}
		if inside(x, y, cx, cy, radius) {
			t := (y - cy + radius) * 256 / (2 * radius)
			if !stripesIn || t < 120 || (t*t/900)%6 < 4 {
				return mix(hot, cool, t)
			}
		}
		return mix(high, low, y*300/tall)
	}
}

// contours draws the contour lines of a map.
func contours(l pictureStyle, _, _ int64) painter {
	p := l.colors
	wideField, detail := newField(l.own, unit/l.common.between(2, 4)), newField(l.own, unit/l.common.between(5, 8))
	steps := l.common.between(9, 18)
	line := p.contrasting(p[0])
	tinted := l.common.chance(60)
	return func(x, y int64) rgb {
		h := (3*wideField.at(x, y) + detail.at(x, y)) / 4 * steps
		if h&65535 < 65536/7 {
			return line
		}
		if tinted {
			return mix(p[0], p[1], h>>16*200/steps)
		}
		return p[0]
	}
}

// skyline draws a town at dusk with some lit windows.
func skyline(l pictureStyle, wide, tall int64) painter {
	p := l.colors
	salt := l.own.pcg.Uint64()
	block := unit / l.common.between(8, 14)
	night := p.darkest()
	back, front := mix(night, p[1], 80), mix(night, 0, 110)
	lamp := p.contrasting(front)
	mx, my, mr := wide*l.own.between(20, 80)/100, tall*l.own.between(15, 35)/100, unit*l.common.between(5, 12)/100
	glowing := mix(p.brightest(), p[2], 90)
	return func(x, y int64) rgb {
		for layer := int64(1); layer >= 0; layer-- {
			size := block * (4 - layer) / 3
			i := (x + layer*size/3) / size
			h := hash2(i, layer, salt)
			top := tall*(52+layer*16)/100 - int64(h>>20)*unit/4096*24/100
			if y < top {
				continue
			}
			if layer == 0 {
				return back
			}
			u, v := x+layer*size/3-i*size, y-top
			pane := size / 5
			if cu, cv := u/pane, v/pane; cu > 0 && cu < 4 && cv > 0 && hash2(i*8+cu, cv, salt)>>29 < 2 &&
				u%pane > pane/4 && v%pane > pane/4 {
				return lamp
			}
			return front
		}
		if inside(x, y, mx, my, mr) {
			return glowing
		}
		return mix(night, glowing, y*220/tall)
	}
}
