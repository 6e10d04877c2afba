package emulator

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// catalogPages are the pages of tags, cities, categories, artists and tracks, by the first segment
// of their paths. A function receives the other segments, unescaped, and returns nil for an unknown page.
var catalogPages = map[string]func(*call, []string) *page{
	"genres":     (*call).selectionPage,
	"discover":   (*call).selectionPage,
	"tag":        (*call).selectionPage,
	"categories": (*call).categoryPage,
	"artist":     (*call).artistPage,
	"track":      (*call).trackPage,
}

// selectionPage returns the page of tags, of cities, or of both.
func (c *call) selectionPage(segments []string) *page {
	if len(segments) != 1 {
		return nil
	}
	s, err := c.parseSelection(segments[0])
	if err != nil {
		return nil
	}
	return &page{Title: s.name, Facts: []string{countOf(s.casts)}, Shows: c.pageLinks(s.casts)}
}

// categoryPage returns the page of a category. On the site its key begins with /categories/.
func (c *call) categoryPage(segments []string) *page {
	if len(segments) != 1 {
		return nil
	}
	category := c.world.Category(segments[0])
	if category == nil {
		return nil
	}
	return &page{
		Title: category.Name, Picture: c.pictures + "300x300/" + category.Picture,
		Facts: []string{category.Format, countOf(category.Cloudcasts)}, Shows: c.pageLinks(category.Cloudcasts),
	}
}

func (c *call) artistPage(segments []string) *page {
	if len(segments) != 1 {
		return nil
	}
	artist := c.world.Artist(segments[0])
	if artist == nil {
		return nil
	}
	p := &page{Title: artist.Name, Facts: []string{countOf(artist.Cloudcasts)}, Shows: c.pageLinks(artist.Cloudcasts)}
	for _, track := range artist.Tracks {
		p.Links = append(p.Links, pageLink{Title: track.Name, URL: c.pageURL(track.Key())})
	}
	return p
}

func (c *call) trackPage(segments []string) *page {
	if len(segments) != 2 {
		return nil
	}
	track := c.world.Track(segments[0], segments[1])
	if track == nil {
		return nil
	}
	return &page{
		Title: track.Name, By: track.Artist.Name, ByURL: c.pageURL(track.Artist.Key()),
		Facts: []string{countOf(track.Cloudcasts)}, Shows: c.pageLinks(track.Cloudcasts),
	}
}

// serveAudio serves the loop of the cloudcast that the parameter feed names. It supports ranges,
// which some browsers need to play it.
func (e *Emulator) serveAudio(w http.ResponseWriter, r *http.Request) {
	c := e.newCall(r)
	defer c.free()
	feed := r.URL.Query().Get("feed")
	e.mu.RLock()
	it, err := c.resolveURL(site + "/" + strings.TrimPrefix(feed, "/"))
	e.mu.RUnlock()
	if err != nil {
		http.Error(w, "The Mixcloud emulator has no such show.", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "audio/wav")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(world.Loop(strings.TrimPrefix(it.url, site))))
}

// countOf returns the number of public shows, as a text.
func countOf(casts []*world.Cloudcast) string {
	n := len(publicOnly(casts))
	if n == 1 {
		return "1 show"
	}
	return strconv.Itoa(n) + " shows"
}
