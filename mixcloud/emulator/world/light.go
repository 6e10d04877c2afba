package world

// A light is a field of colour around lamps, known at the corners of cells and
// interpolated between them.
type light struct {
	across  int64
	corners [][3]int32 // red, green and blue, each times 256
}

const lightCell = unit / 64

func newLight(l look, wide, tall int64) *light {
	type lamp struct{ x, y, r, g, b int64 }
	var lamps [5]lamp
	for i := range lamps {
		r, g, b := l.colors[i].parts()
		lamps[i] = lamp{l.own.n(wide), l.own.n(tall), r << 8, g << 8, b << 8}
	}
	f := &light{across: wide/lightCell + 2}
	down := tall/lightCell + 2
	f.corners = make([][3]int32, 0, f.across*down)
	for y := range down {
		for x := range f.across {
			var r, g, b, sum int64
			for _, lamp := range lamps {
				dx, dy := (x*lightCell-lamp.x)>>5, (y*lightCell-lamp.y)>>5
				d := (dx*dx+dy*dy)>>6 + 60
				w := 1 << 46 / (d * d)
				r, g, b, sum = r+w*lamp.r, g+w*lamp.g, b+w*lamp.b, sum+w
			}
			f.corners = append(f.corners, [3]int32{int32(r / sum), int32(g / sum), int32(b / sum)})
		}
	}
	return f
}

func (f *light) at(x, y int64) rgb {
	i := y/lightCell*f.across + x/lightCell
	fx, fy := int32(x%lightCell), int32(y%lightCell)
	a, b, c, d := &f.corners[i], &f.corners[i+1], &f.corners[i+f.across], &f.corners[i+f.across+1]
	var out rgb
	for k := range 3 {
		top := a[k] + (b[k]-a[k])*fx/lightCell
		bottom := c[k] + (d[k]-c[k])*fx/lightCell
		out = out<<8 | rgb((top+(bottom-top)*fy/lightCell)>>8)
	}
	return out
}
