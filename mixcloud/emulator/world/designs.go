package world

// A design returns the painter of a picture with the sides wide and tall.
type design func(l pictureStyle, wide, tall int64) painter

// covers are the designs of shows.
var covers = []design{
	tiles, tiles, rings, waves, glow, glow, record, stripes, moire, mountains, bars, halftone,
	discs, arches, contours, skyline, sunset, petals, columns,
}

// banners are the designs that look good when they are wide and low.
var banners = []design{waves, glow, mountains, contours, tiles, halftone, skyline, arches, columns}

// tiles draws a grid of quarter circles, half circles, leaves and dots.
func tiles(l pictureStyle, _, _ int64) painter {
	n := l.common.between(2, 5)
	cell := unit / n
	salt := l.own.pcg.Uint64()
	p := l.colors
	return func(x, y int64) rgb {
		cx, cy := x/cell, y/cell
		h := hash2(cx, cy, salt)
		back, fore := p[h%5], p[(h%5+1+h>>8%4)%5]
		u, v := x-cx*cell, y-cy*cell
		for range h >> 16 & 3 { // turn the tile
			u, v = v, cell-1-u
		}
		in := false
		switch h >> 20 % 8 {
		case 0:
			in = u*u+v*v < cell*cell
		case 1:
			in = inside(u, v, cell/2, cell/2, cell*2/5)
		case 2:
			in = inside(u, v, 0, 0, cell) && inside(u, v, cell, cell, cell)
		case 3:
			in = inside(u, v, 0, cell/2, cell/2)
		case 4:
			in = u > v
		case 5:
			d := distance(u, v) * 4 / cell
			in = d&1 == 0 && d < 4
		case 6:
			in = inside(u, v, cell/2, cell/2, cell*9/20) && !inside(u, v, cell/2, cell/2, cell/5)
		case 7:
			in = u*6/cell&1 == 0
		}
		if in {
			return fore
		}
		return back
	}
}

// rings draws bands around a corner or a point near the edge.
func rings(l pictureStyle, wide, tall int64) painter {
	p := l.colors
	width := unit / l.common.between(7, 14)
	cx, cy := pick(l.common.source, []int64{0, wide, wide / 2}), pick(l.common.source, []int64{0, tall, tall})
	cx += l.own.between(-unit/6, unit/6)
	shift := l.own.n(5)
	limit := l.own.between(5, 11)
	return func(x, y int64) rgb {
		band := distance(x-cx, y-cy) / width
		if band > limit {
			return p[0]
		}
		return p[1+(band+shift)%4]
	}
}

// waves draws stacked bands with a wavy upper edge.
func waves(l pictureStyle, wide, tall int64) painter {
	p := l.colors
	n := l.common.between(4, 9)
	list := make([]heightMap, n)
	freq := l.common.between(1, 3)
	for i := range n {
		base, amp, phase := tall/5+tall*i*4/(5*n), unit/l.own.between(14, 30), l.own.n(turn/3)+i*turn/7
		list[i] = newHeightMap(wide, func(x int64) int64 { return base + amp*sine(freq*x*turn/unit/2+phase)/4096 })
	}
	from, to := p[1], p[3]
	if from.luminance() < to.luminance() {
		from, to = to, from
	}
	return func(x, y int64) rgb {
		for i := n - 1; i >= 0; i-- {
			if y > list[i].at(x) {
				return mix(from, to, i*256/(n-1))
			}
		}
		return p[0]
	}
}

// glow draws a gradient of a few colors, sometimes with a disc or rings.
func glow(l pictureStyle, wide, tall int64) painter {
	light := newGradient(l, wide, tall)
	style := l.common.n(5)
	cx, cy, radius := wide/2, tall/2, unit*l.common.between(18, 34)/100
	ink := l.colors.brightest()
	return func(x, y int64) rgb {
		c := light.at(x, y)
		switch style {
		case 0:
			if inside(x, y, cx, cy, radius) {
				return mix(c, ink, 90+120*(y-cy+radius)/(2*radius))
			}
		case 1:
			if d := distance(x-cx, y-cy); d < radius && d > radius-unit/36 {
				return ink
			}
		case 2:
			if d := distance(x-cx, y-cy); d < radius && d*12/radius&1 == 1 {
				return ink
			}
		}
		return c
	}
}

// record draws a vinyl record with grooves and a label, cropped by the frame.
func record(l pictureStyle, wide, tall int64) painter {
	p := l.colors
	cx, cy := wide/2+unit*l.own.between(-20, 20)/100, tall/2+unit*l.own.between(-20, 20)/100
	radius := unit * l.common.between(42, 60) / 100
	labelR := radius * 36 / 100
	black := mix(0x15151a, p.darkest(), 60)
	a := l.own.n(turn)
	hx, hy := cosine(a), sine(a)
	salt := l.own.pcg.Uint64()
	top, bottom := p.contrasting(black), p[1]
	return func(x, y int64) rgb {
		dx, dy := x-cx, y-cy
		d := distance(dx, dy)
		switch {
		case d > radius:
			if d < radius+unit/30 { // the shadow
				return mix(p[0], 0, 60-60*(d-radius)*30/unit)
			}
			return p[0]
		case d < labelR/9:
			return p[0]
		case d < labelR:
			if d > labelR*5/6 && d < labelR*7/8 {
				return black
			}
			if dx*hx+dy*hy > 0 {
				return top
			}
			return bottom
		}
		along := (dx*hx + dy*hy) / max(d, 1) // cosine of the angle to the light
		shine := along * along >> 12
		shine = shine * shine >> 12 * shine >> 12
		groove := int64(hash2(d*90/radius, 0, salt) >> 28)
		return mix(black, 0xffffff, shine*70/4096+groove)
	}
}

// stripes draws stripes that change direction inside a circle.
func stripes(l pictureStyle, wide, tall int64) painter {
	p := l.colors
	n := l.common.between(8, 18)
	cx, cy := wide/2+unit*l.own.between(-14, 14)/100, tall/2+unit*l.own.between(-14, 14)/100
	radius := unit * l.common.between(26, 40) / 100
	a := l.common.n(turn / 2)
	hx, hy := cosine(a), sine(a)
	fore := p.contrasting(p[0])
	return func(x, y int64) rgb {
		along, across := (x*hx+y*hy)/4096+4*unit, (y*hx-x*hy)/4096+4*unit
		if inside(x, y, cx, cy, radius) {
			if across*n/unit&1 == 0 {
				return p[1]
			}
			return p[2]
		}
		if along*n/unit&1 == 0 {
			return p[0]
		}
		return mix(p[0], fore, 200)
	}
}

// moire draws overlapping rings around two centers.
func moire(l pictureStyle, wide, tall int64) painter {
	p := l.colors
	width := unit / l.common.between(16, 30)
	ax, ay := wide*l.own.between(10, 45)/100, tall*l.own.between(20, 80)/100
	bx, by := wide*l.own.between(55, 90)/100, tall*l.own.between(20, 80)/100
	ink := p.contrasting(p[0])
	return func(x, y int64) rgb {
		a, b := distance(x-ax, y-ay)/width&1, distance(x-bx, y-by)/width&1
		switch {
		case a == 1 && b == 1:
			return ink
		case a == 1:
			return p[1]
		case b == 1:
			return mix(p[0], p[3], 120)
		}
		return p[0]
	}
}

// bars draws a waveform.
func bars(l pictureStyle, wide, tall int64) painter {
	p := l.colors
	n := l.common.between(11, 29)
	step := unit / n
	salt := l.own.pcg.Uint64()
	on := p[0]
	top := p.contrasting(on)
	return func(x, y int64) rgb {
		i := x / step
		u := x - i*step - step/2
		swell := 2200 + 1900*sine(i*turn/n/2*unit/wide)/4096
		height := tall * int64(hash2(i, 0, salt)>>20) / 4096 * swell / 4096 * 42 / 100
		height = max(height, step/3)
		half := step * 32 / 100
		v := y - tall/2
		if v < 0 {
			v = -v
		}
		if u > -half && u < half && (v < height || inside(u, v, 0, height, half)) {
			return mix(top, p[1+i*3/(n+1)%3], 256*v/(tall*45/100))
		}
		return mix(on, 0, 40*y/tall)
	}
}

// halftone draws a rotated grid of dots whose size increases towards a point.
func halftone(l pictureStyle, wide, tall int64) painter {
	p := l.colors
	n := l.common.between(12, 26)
	cell := unit / n
	a := l.common.n(turn / 4)
	hx, hy := cosine(a), sine(a)
	lx, ly := l.own.n(wide), l.own.n(tall)
	reach := unit*l.common.between(60, 110)/100 + (wide-unit)/3
	ink := p.contrasting(p[0])
	away := 16 * unit / cell * cell // keeps coordinates positive
	return func(x, y int64) rgb {
		u, v := (x*hx+y*hy)/4096+away, (y*hx-x*hy)/4096+away
		cu, cv := u/cell*cell+cell/2, v/cell*cell+cell/2
		gx, gy := ((cu-away)*hx-(cv-away)*hy)/4096, ((cu-away)*hy+(cv-away)*hx)/4096
		far := distance(gx-lx, gy-ly)
		size := cell * 62 / 100 * (reach - far) / reach
		if size > 0 && inside(u, v, cu, cv, size) {
			return mix(ink, p[1], 256*far/reach)
		}
		return p[0]
	}
}

// discs draws a few overlapping circles.
func discs(l pictureStyle, wide, tall int64) painter {
	p := l.colors
	paper := p.brightest()
	n := l.common.between(3, 5)
	type disc struct {
		x, y, r int64
		c       rgb
	}
	list := make([]disc, n)
	for i := range list {
		c := p[(i+1)%5]
		if c == paper {
			c = p[0]
		}
		list[i] = disc{wide * l.own.between(18, 82) / 100, tall * l.own.between(18, 82) / 100, unit * l.own.between(16, 38) / 100, mix(c, 0xffffff, 30)}
	}
	return func(x, y int64) rgb {
		c := paper
		for i := range list {
			if d := &list[i]; inside(x, y, d.x, d.y, d.r) {
				c = multiply(c, d.c)
			}
		}
		return c
	}
}

// arches draws rows of concentric arches.
func arches(l pictureStyle, _, _ int64) painter {
	p := l.colors
	n := l.common.between(1, 3)
	cell := unit / n
	salt := l.own.pcg.Uint64()
	bands := l.common.between(3, 5)
	return func(x, y int64) rgb {
		row := y / cell
		shifted := x + row%2*cell/2
		col := shifted / cell
		u, v := shifted-col*cell-cell/2, y-row*cell
		d := max(u, -u)
		if r := cell / 2; v < r {
			d = distance(u, v-r)
		}
		if d > cell*48/100 {
			return p[0]
		}
		band := d * 2 * bands / cell
		return p[1+(band+int64(hash2(col, row, salt)>>8%4))%4]
	}
}

// petals draws a flower of circles.
func petals(l pictureStyle, wide, tall int64) painter {
	p := l.colors
	n := l.common.between(5, 12)
	cx, cy := wide/2, tall/2
	out, size := unit*l.common.between(20, 27)/100, unit*l.common.between(11, 18)/100
	a := l.own.n(turn / n)
	heart := unit * l.common.between(7, 14) / 100
	leaves := make([][2]int64, n)
	for i := range n {
		leaves[i] = [2]int64{cx + out*cosine(a+i*turn/n)/4096, cy + out*sine(a+i*turn/n)/4096}
	}
	return func(x, y int64) rgb {
		if inside(x, y, cx, cy, heart) {
			return p[3]
		}
		c, hit := p[0], 0
		if !inside(x, y, cx, cy, out+size) {
			return c
		}
		for i, leaf := range leaves {
			if inside(x, y, leaf[0], leaf[1], size) {
				hit++
				c = p[1+i%2]
			}
		}
		if hit > 1 {
			return p[4]
		}
		return c
	}
}

// columns draws vertical blocks of color, each with a gradient.
func columns(l pictureStyle, wide, _ int64) painter {
	p := l.colors
	n := l.common.between(5, 9) * wide / unit
	salt := l.own.pcg.Uint64()
	return func(x, y int64) rgb {
		i := x * n / wide
		h := hash2(i, 0, salt)
		from, to := p[h%5], p[(h%5+1+h>>8%4)%5]
		t := (y + int64(h>>16%unit)) % (2 * unit)
		if t > unit {
			t = 2*unit - t
		}
		return mix(from, to, t*256/unit)
	}
}
