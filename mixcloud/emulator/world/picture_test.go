package world

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"net/http"
	"strings"
	"testing"
)

// samplePictures returns several paths of every kind.
func samplePictures(w *World) []string {
	var list []string
	shows, covers := 0, 0
	for _, u := range w.Users {
		if u.Picture != "" && len(list) < 24 {
			list = append(list, u.Picture)
		}
		if u.Cover != "" && covers < 12 {
			covers++
			list = append(list, u.Cover)
		}
	}
	for _, c := range w.Latest {
		if c.Picture != "" && shows < 60 {
			shows++
			list = append(list, c.Picture)
		}
	}
	for _, c := range w.Categories {
		list = append(list, c.Picture)
	}
	return append(list, "defaults/users/1.png", "defaults/users/7.png", "", "/", "tmp/a/b", "extaudio/x/y/z/w/old.jpg")
}

func TestArt_SamePixelsEverywhere(t *testing.T) {
	t.Parallel()
	h := sha256.New()
	for _, path := range samplePictures(sharedWorld(1)) {
		for _, size := range [][2]int{{25, 25}, {64, 64}, {167, 24}} {
			a, b := Art(path, size[0], size[1]).(*image.RGBA), Art(path, size[0], size[1]).(*image.RGBA)
			if !bytes.Equal(a.Pix, b.Pix) {
				t.Errorf("%s: Art returned different pixels for the same arguments", path)
			}
			h.Write(a.Pix)
		}
	}
	checkGolden(t, "art.sha256", hex.EncodeToString(h.Sum(nil))+"\n")
}

func TestPicture_DecodesInEverySize(t *testing.T) {
	t.Parallel()
	sizes := [][2]int{{25, 25}, {50, 50}, {80, 80}, {300, 300}, {335, 48}, {1, 1}, {1, 32}}
	for i, path := range samplePictures(sharedWorld(1)) {
		size := sizes[i%len(sizes)]
		if i%40 == 0 {
			size = [2]int{1024, 1024}
		}
		b, err := Picture(path, size[0], size[1])
		if err != nil {
			t.Fatal(err)
		}
		m, format, err := image.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("decoding the picture %s: %v", path, err)
		}
		want := "jpeg"
		if strings.HasSuffix(path, ".png") {
			want = "png"
		}
		if format != want || http.DetectContentType(b) != "image/"+want {
			t.Errorf("%s is a %s, want a %s", path, format, want)
		}
		if got := m.Bounds().Size(); got != image.Pt(size[0], size[1]) {
			t.Errorf("%s has %v pixels, want %v", path, got, size)
		}
	}
}

func TestPicture_RejectsInvalidSizes(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{0, 10}, {10, 0}, {-1, 10}, {2049, 100}, {10, 1 << 30}, {33, 1}, {60, 2000}} {
		if b, err := Picture("extaudio/a", size[0], size[1]); err == nil {
			t.Errorf("%v: %d bytes, want an error", size, len(b))
		}
	}
}

func TestArt_LooksDifferent(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	paths := map[string]bool{}
	for _, path := range samplePictures(sharedWorld(2)) {
		if paths[path] || strings.HasPrefix(path, "defaults/") {
			continue
		}
		paths[path] = true
		key := string(Art(path, 40, 40).(*image.RGBA).Pix)
		if other, ok := seen[key]; ok {
			t.Errorf("the pictures %s and %s are equal, want different ones", path, other)
		}
		seen[key] = path
	}
}

// TestArt_FamiliesLookRelated checks that the episodes of a series share a design, and
// that the picture and the cover of a user share colors.
func TestArt_FamiliesLookRelated(t *testing.T) {
	t.Parallel()
	a, b := styleOf("extaudio/1/2/3/4/aaaa-1"), styleOf("extaudio/1/2/3/4/bbbb-2")
	if a.family != b.family || a.colors != b.colors {
		t.Error("two pictures of a family have different designs or colors, want the same")
	}
	if x, y := a.common.n(1<<30), b.common.n(1<<30); x != y {
		t.Error("two pictures of a family have different common sources, want the same")
	}
	if x, y := a.own.n(1<<30), b.own.n(1<<30); x == y {
		t.Error("two pictures of a family have the same own source, want different ones")
	}
	for _, u := range sharedWorld(1).Users {
		if u.Picture != "" && u.Cover != "" && styleOf(u.Picture).colors != styleOf(u.Cover).colors {
			t.Errorf("%s: picture and cover have different colors, want the same", u.Username)
		}
	}
}

func TestArt_ShowsItsPrimaryColor(t *testing.T) {
	t.Parallel()
	shown, all := 0, 0
	for _, c := range sharedWorld(1).Latest[:300] {
		if c.Picture == "" {
			continue
		}
		all++
		m := Art(c.Picture, 40, 40).(*image.RGBA)
		for i := 0; i < len(m.Pix); i += 4 {
			if fmt.Sprintf("%02x%02x%02x", m.Pix[i], m.Pix[i+1], m.Pix[i+2]) == c.PrimaryColor {
				shown++
				break
			}
		}
	}
	if 100*shown < 60*all {
		t.Errorf("%d of %d covers contain their primary color, want at least 60%%", shown, all)
	}
}

func FuzzPicture(f *testing.F) {
	for _, path := range samplePictures(sharedWorld(1)) {
		f.Add(path, uint8(40), uint8(30))
	}
	f.Fuzz(func(t *testing.T, path string, width, height uint8) {
		b, err := Picture(path, int(width), int(height))
		w, h := int(width), int(height)
		if ok := w > 0 && h > 0 && w <= 32*h && h <= 32*w; ok != (err == nil) {
			t.Fatalf("Picture with %dx%d pixels: error %v, want one only for an empty size or a ratio above 32", width, height, err)
		}
		if err == nil {
			if _, _, err := image.DecodeConfig(bytes.NewReader(b)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestSine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ angle, want int64 }{
		{0, 0}, {turn / 12, 2048}, {turn / 4, 4096}, {turn / 2, 0}, {3 * turn / 4, -4096}, {-turn / 4, -4096}, {turn + turn/4, 4096},
	} {
		if got := sine(tt.angle); got < tt.want-12 || got > tt.want+12 {
			t.Errorf("sine(%d) = %d, want about %d", tt.angle, got, tt.want)
		}
	}
}

func BenchmarkPicture(b *testing.B) {
	for _, size := range []int{50, 300, 1024} {
		paths := samplePictures(sharedWorld(1))[24:60]
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if _, err := Picture(paths[i%len(paths)], size, size); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
