package world

// The skin and hair colors of portraits.
var (
	skins = []rgb{0xf6d7c3, 0xefc1a0, 0xe0a982, 0xc98d63, 0xa86f48, 0x875234, 0x643a25, 0x4a2a1c}
	hairs = []rgb{0x1c1715, 0x2d211c, 0x4a3021, 0x6f4426, 0xa56a34, 0xd9a957, 0xb8b2a9, 0xe9e4da, 0x7a2f2a, 0x2b3a67}
)

// portrait draws a person in flat colors, without facial features.
func portrait(l pictureStyle) painter {
	s := l.own
	p := l.colors
	back := p[0]
	skin := pick(s.source, skins)
	for tries := 0; tries < 6 && similar(skin, back); tries++ {
		skin = pick(s.source, skins)
	}
	shade := mix(skin, 0x3a1010, 50)
	hair := pick(s.source, hairs)
	for tries := 0; tries < 6 && similar(hair, back) || similar(hair, skin); tries++ {
		hair = pick(s.source, hairs)
	}
	shirt := p.contrasting(back)
	if similar(shirt, skin) {
		shirt = p[1]
	}
	trim := p[2]
	style, extra, beard := s.n(7), s.n(6), s.chance(22)
	const cx, cy = unit / 2, unit * 43 / 100
	rx, ry := unit*s.between(155, 175)/1000, unit*s.between(195, 215)/1000
	tone := s.n(3)
	return func(x, y int64) rgb {
		d := x - cx
		if d < 0 {
			d = -d
		}
		face := inEllipse(x, y, cx, cy, rx, ry)
		switch { // the foreground
		case extra == 0 && headphones(x, y, cx, cy, rx, ry):
			return trim
		case extra == 1 && face && glasses(d, y, cy, rx):
			return 0x22222a
		case extra == 2 && y < cy-ry*45/100 && inEllipse(x, y, cx, cy-ry*40/100, rx*118/100, ry*80/100): // a cap
			if y > cy-ry*62/100 {
				return mix(trim, 0, 50)
			}
			return trim
		}
		if top := cy - ry; face || inEllipse(x, y, cx, top+ry*62/100, rx*112/100, ry*74/100) {
			if hairOver(style, x, y, cx, cy, rx, ry) {
				return hair
			}
		}
		if face {
			if beard && y > cy+ry*38/100 && !inEllipse(x, y, cx, cy+ry*36/100, rx*52/100, ry*18/100) {
				return hair
			}
			if x > cx+rx/3 && !inEllipse(x, y, cx-rx*28/100, cy-ry*6/100, rx*108/100, ry*110/100) {
				return shade
			}
			return skin
		}
		if inEllipse(x, y, cx-rx, cy+ry/12, rx/6, ry/6) || inEllipse(x, y, cx+rx, cy+ry/12, rx/6, ry/6) {
			if style != 1 && style != 4 {
				return shade // ears
			}
		}
		neck := d < rx*46/100 && y > cy && y < unit*74/100
		if neck && !inEllipse(x, y, cx, unit*110/100, unit*38/100, unit*40/100) || neck && inEllipse(x, y, cx, unit*70/100, rx*55/100, unit*7/100) {
			return shade
		}
		if inEllipse(x, y, cx, unit*110/100, unit*38/100, unit*42/100) {
			if inEllipse(x, y, cx, unit*70/100, rx*78/100, unit*10/100) {
				return trim
			}
			return shirt
		}
		if (style == 1 || style == 4) && hairBehind(style, x, y, cx, cy, rx, ry) {
			return mix(hair, 0, 40)
		}
		switch tone {
		case 0:
			if inside(x, y, cx, cy+unit/12, unit*44/100) {
				return mix(back, p.brightest(), 80)
			}
		case 1:
			return mix(back, p[3], y*140/unit)
		}
		return back
	}
}

// similar reports whether two colors are hard to distinguish.
func similar(a, b rgb) bool {
	ar, ag, ab := a.parts()
	br, bg, bb := b.parts()
	return max(ar-br, br-ar)+max(ag-bg, bg-ag)+max(ab-bb, bb-ab) < 90
}

// hairOver reports whether a point is in the hair in front of the head.
func hairOver(style, x, y, cx, cy, rx, ry int64) bool {
	up := y < cy
	switch style {
	case 0: // short, parted
		return up && !inEllipse(x, y, cx+rx/5, cy+ry*8/100, rx*95/100, ry*78/100)
	case 1: // long
		return y < cy+ry/4 && !inEllipse(x, y, cx, cy+ry*14/100, rx*84/100, ry*82/100)
	case 2: // cropped
		return y < cy-ry*42/100
	case 3: // a quiff
		return up && !inEllipse(x, y, cx-rx/4, cy+ry*12/100, rx*105/100, ry*76/100)
	case 4: // curls
		return up && !inEllipse(x, y, cx, cy+ry*18/100, rx*88/100, ry*80/100)
	case 5: // a fringe
		return y < cy-ry*26/100
	}
	return false // none
}

// hairBehind reports whether a point is in the hair behind the head.
func hairBehind(style, x, y, cx, cy, rx, ry int64) bool {
	if style == 4 {
		for i := range int64(9) {
			a := turn/2 + i*turn/16
			if inside(x, y, cx+rx*105/100*cosine(a)/4096, cy-ry/4+ry*90/100*sine(a)/4096, rx*46/100) {
				return true
			}
		}
		return false
	}
	return inEllipse(x, y, cx, cy+ry*10/100, rx*128/100, ry*118/100) ||
		y > cy && y < cy+ry*150/100 && x > cx-rx*128/100 && x < cx+rx*128/100
}

func headphones(x, y, cx, cy, rx, ry int64) bool {
	for _, side := range []int64{-1, 1} {
		if inEllipse(x, y, cx+side*rx*104/100, cy+ry/12, rx*24/100, ry*34/100) {
			return true
		}
	}
	return y < cy && inEllipse(x, y, cx, cy, rx*122/100, ry*126/100) && !inEllipse(x, y, cx, cy, rx*108/100, ry*113/100)
}

func glasses(d, y, cy, rx int64) bool {
	v := y - cy + rx/8
	ring := inside(d, v, rx*46/100, 0, rx*36/100) && !inside(d, v, rx*46/100, 0, rx*28/100)
	return ring || d < rx*14/100 && v > -rx/14 && v < rx/14
}

// silhouette draws the default picture of a user.
func silhouette(l pictureStyle) painter {
	back := mix(l.colors[0], 0x8a8f98, 150)
	fore := mix(back, 0xffffff, 150)
	return func(x, y int64) rgb {
		const c = unit / 2
		if inside(x, y, c, unit*40/100, unit*17/100) || inEllipse(x, y, c, unit*98/100, unit*31/100, unit*35/100) {
			return fore
		}
		return back
	}
}

// logo draws the logo of a station, a label or an alias: one shape on a background.
func logo(l pictureStyle) painter {
	s, p := l.own, l.colors
	back, fore := p[0], p.contrasting(p[0])
	second := p[1+s.n(4)]
	if second == fore {
		second = mix(fore, back, 110)
	}
	shape, n := s.n(9), s.between(3, 6)
	turned := s.n(turn)
	hx, hy := cosine(turned), sine(turned)
	const c = unit / 2
	const r = unit * 34 / 100
	return func(x, y int64) rgb {
		u, v := x-c, y-c
		d := distance(u, v)
		switch shape {
		case 0: // waves in a circle
			if d < r {
				if (v+unit+sine(u*turn/unit*2)*unit/26/4096)*2*n/unit&1 == 0 {
					return fore
				}
				return second
			}
		case 1: // a transmitter: rings that open upwards
			if d < r && (d < r/5 || d*2*n/r&1 == 1 && v < max(u, -u)/2) {
				return fore
			}
			if v > 0 && max(u, -u) < r/12 && v < r {
				return fore
			}
		case 2: // bars
			i := (u + r) * 5 / (2 * r)
			if u > -r && i < 5 && (u+r)*5%(2*r) < 2*r*64/100 && max(v, -v) < r*(3+i*7%5)/8 {
				return fore
			}
		case 3: // two half circles
			along := u*hx + v*hy
			if along > 0 && inside(u, v, hy*r/12000, -hx*r/12000, r) {
				return fore
			}
			if along <= 0 && inside(u, v, -hy*r/12000, hx*r/12000, r) {
				return second
			}
		case 4: // a record
			if d < r {
				if d < r/7 {
					return back
				}
				if d < r*45/100 {
					return second
				}
				if d*14/r&1 == 0 {
					return mix(fore, back, 40)
				}
				return fore
			}
		case 5: // a sun over water
			if v < r/5 && inside(u, v, 0, r/5, r*80/100) {
				return fore
			}
			if v > r/5+r/10 && v < r && max(u, -u) < r-v/3 && (v-r/10)*6/r&1 == 1 {
				return second
			}
		case 6: // a clover of circles
			for i := range int64(4) {
				a := turn/8 + i*turn/4
				if inside(u, v, r*55/100*cosine(a)/4096, r*55/100*sine(a)/4096, r*56/100) {
					if i%2 == 0 {
						return fore
					}
					return second
				}
			}
		case 7: // an arch
			w := max(u, -u)
			if v < r/3 {
				w = distance(u, v-r/3)
			}
			if band := w * n / r; v < r && band < n && band&1 == n&1^1 {
				return fore
			}
		case 8: // a play symbol in a ring
			if d < r && d > r*82/100 {
				return fore
			}
			if u > -r*26/100 && (u+r*26/100)*10 < (r*45/100-max(v, -v))*17 {
				return second
			}
		}
		return back
	}
}
