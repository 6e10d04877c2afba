package world

// A gradient blends the colors of a few points. It is computed at the corners of cells
// and interpolated between them.
type gradient struct {
	columns int64
	corners [][3]int32 // red, green and blue, each times 256
}

const gradientCell = unit / 64

func newGradient(l pictureStyle, wide, tall int64) *gradient {
	type point struct{ x, y, r, g, b int64 }
	var points [5]point
	for i := range points {
		r, g, b := l.colors[i].parts()
		points[i] = point{l.own.n(wide), l.own.n(tall), r << 8, g << 8, b << 8}
	}
	f := &gradient{columns: wide/gradientCell + 2}
	down := tall/gradientCell + 2
	f.corners = make([][3]int32, 0, f.columns*down)
	for y := range down {
		for x := range f.columns {
			var r, g, b, sum int64
			for _, p := range points {
				dx, dy := (x*gradientCell-p.x)>>5, (y*gradientCell-p.y)>>5
				d := (dx*dx+dy*dy)>>6 + 60
				w := 1 << 46 / (d * d)
				r, g, b, sum = r+w*p.r, g+w*p.g, b+w*p.b, sum+w
			}
			f.corners = append(f.corners, [3]int32{int32(r / sum), int32(g / sum), int32(b / sum)})
		}
	}
	return f
}

func (f *gradient) at(x, y int64) rgb {
	i := y/gradientCell*f.columns + x/gradientCell
	fx, fy := int32(x%gradientCell), int32(y%gradientCell)
	a, b, c, d := &f.corners[i], &f.corners[i+1], &f.corners[i+f.columns], &f.corners[i+f.columns+1]
	var out rgb
	for k := range 3 {
		top := a[k] + (b[k]-a[k])*fx/gradientCell
		bottom := c[k] + (d[k]-c[k])*fx/gradientCell
		out = out<<8 | rgb((top+(bottom-top)*fy/gradientCell)>>8)
	}
	return out
}
