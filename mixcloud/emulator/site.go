package emulator

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"mixcloud-graphql/mixcloud/emulator/world"
)

//go:embed site/*.html site/player.js
var sitePages embed.FS

var templates = template.Must(template.ParseFS(sitePages, "site/*.html"))

// The paths of the player's script and of its audio.
const (
	playerScript = "/widget/player.js"
	audioPath    = "/widget/audio/"
)

// maxPixels limits each side of a picture.
const maxPixels = 2048

// serveSite serves the parts of the site that the API links to: pictures, the player,
// and pages of users and shows. The journal and faults do not apply to them.
func (e *Emulator) serveSite(w http.ResponseWriter, r *http.Request) {
	if isAuthorize(r.URL.EscapedPath()) {
		e.serveAuthorize(w, r)
		return
	}
	e.applyDueLocking()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "405 Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/www")
	if picture, ok := strings.CutPrefix(path, "/unsafe/"); ok {
		e.servePicture(w, r, picture)
		return
	}
	if path == playerScript {
		http.ServeFileFS(w, r, sitePages, "site/player.js")
		return
	}
	if !strings.HasSuffix(path, "/") {
		location := e.mount(r) + r.URL.EscapedPath() + "/"
		if r.URL.RawQuery != "" {
			location += "?" + r.URL.RawQuery
		}
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	if path == audioPath {
		e.serveAudio(w, r)
		return
	}
	c := e.newCall(r)
	defer c.free()
	c.breakRequest()
	e.mu.RLock()
	name, data := c.sitePage(path)
	e.mu.RUnlock()
	if data == nil || c.routeError != nil {
		http.Error(w, "The Mixcloud emulator has no such page.", http.StatusNotFound)
		return
	}
	var body bytes.Buffer
	if err := templates.ExecuteTemplate(&body, name, data); err != nil {
		http.Error(w, "500 Internal Server Error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", html)
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src 'self' data: http: https:; style-src 'unsafe-inline'; script-src 'self'; media-src 'self'; frame-src 'self'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body.Bytes())
}

// servePicture serves the picture of a path such as 300x300/profile/a/b/c/d/….
func (e *Emulator) servePicture(w http.ResponseWriter, r *http.Request, path string) {
	dimensions, path, _ := strings.Cut(path, "/")
	width, height, ok := pixels(dimensions)
	if !ok || path == "" {
		http.Error(w, "400 Bad Request", http.StatusBadRequest)
		return
	}
	picture, err := world.Picture(path, width, height)
	if err != nil {
		http.Error(w, "404 Not Found", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", http.DetectContentType(picture))
	w.Header().Set("Content-Length", strconv.Itoa(len(picture)))
	w.Header().Set("Cache-Control", "public, max-age=86400")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	_, _ = w.Write(picture)
}

// pixels parses a size such as 300x300.
func pixels(s string) (width, height int, ok bool) {
	a, b, ok := strings.Cut(s, "x")
	width, err1 := strconv.Atoi(a)
	height, err2 := strconv.Atoi(b)
	return width, height, ok && err1 == nil && err2 == nil && 0 < min(width, height) && max(width, height) <= maxPixels
}

// A page is the data of the templates.
type page struct {
	Title, By, ByURL, Text, Picture string
	Facts                           []string
	Links                           []pageLink // displayed next to Facts
	Shows                           []pageLink
	Light, Cover                    bool
	Color                           template.CSS
	Bars                            []bar
	Length                          int    // of the show that a player plays, in seconds
	Audio, Script                   string // URLs of a player's audio and of its script
	Player                          string // URL of the player of a show's page
}

type pageLink struct{ Title, By, URL, Picture string }

// A bar of the player's waveform.
type bar struct{ X, Y, Height int }

// sitePage returns the template and the data of a page; nil for an unknown path.
func (c *call) sitePage(path string) (string, *page) {
	segments := split(path)
	for i := range segments {
		segments[i], _ = url.PathUnescape(segments[i])
	}
	switch {
	case path == "/":
		return "page.html", &page{Title: "Mixcloud emulator", Text: "All users and shows are generated. Each show has a generated loop as its audio.", Shows: c.pageLinks(c.world.Popular)}
	case path == "/widget/iframe/":
		return "widget.html", c.widgetPage()
	case len(segments) >= 2 && catalogPages[segments[0]] != nil:
		return "page.html", catalogPages[segments[0]](c, segments[1:])
	case len(segments) == 1:
		u := c.world.User(segments[0])
		if u == nil {
			return "", nil
		}
		return "page.html", &page{
			Title: u.Name, By: "@" + u.Username, ByURL: c.pageURL(u.Key()), Text: u.Biog,
			Picture: c.pictures + "300x300/" + userPicture(u),
			Facts: []string{
				fmt.Sprint(len(u.Cloudcasts), " shows"), fmt.Sprint(len(u.Followers), " followers"),
				strings.Trim(u.City+", "+u.Country, ", "),
			},
			Shows: c.pageLinks(u.Cloudcasts),
		}
	case len(segments) == 2:
		cast := c.world.Cloudcast(segments[0], segments[1])
		if cast == nil || cast.Draft || c.scheduled(cast) {
			return "", nil
		}
		return "page.html", c.showPage(cast)
	case len(segments) == 3 && segments[1] == "playlists":
		if p := c.world.Playlist(segments[0], segments[2]); p != nil {
			return "page.html", &page{
				Title: p.Name, By: p.Owner.Name, ByURL: c.pageURL(p.Owner.Key()),
				Picture: c.pictures + "300x300/" + userPicture(p.Owner), Shows: c.pageLinks(p.Cloudcasts),
			}
		}
	}
	return "", nil
}

func (c *call) showPage(cast *world.Cloudcast) *page {
	p := &page{
		Title: cast.Name, By: cast.Owner.Name, ByURL: c.pageURL(cast.Owner.Key()), Text: cast.Description,
		Picture: c.pictures + "300x300/" + pictureOf(cast),
		Facts:   []string{cast.Created.UTC().Format("2 January 2006")},
		Shows:   c.pageLinks(cast.Similar),
		Player:  c.widget(player{feed: site + cast.Key()}),
	}
	if cast.AudioLength > 0 {
		p.Facts = append(p.Facts, fmt.Sprintf("%d:%02d:%02d", cast.AudioLength/3600, cast.AudioLength/60%60, cast.AudioLength%60))
	}
	for _, t := range cast.Tags {
		p.Links = append(p.Links, pageLink{Title: t.Name, URL: c.pageURL("/genres/" + world.Escape(t.Slug) + "/")})
	}
	return p
}

// pageURL returns the URL of the emulator's page for a key.
func (c *call) pageURL(key string) string { return c.base + "/www" + key }

// pageLinks returns links to the first 24 shows of a list.
func (c *call) pageLinks(casts []*world.Cloudcast) []pageLink {
	var links []pageLink
	for _, cast := range casts[:min(len(casts), 24)] {
		if !cast.Private() {
			links = append(links, pageLink{cast.Name, cast.Owner.Name, c.pageURL(cast.Key()), c.pictures + "100x100/" + pictureOf(cast)})
		}
	}
	return links
}

// widgetPage returns the player of the feed in the query: a site URL or a key
// (observed in a mock of 2018).
func (c *call) widgetPage() *page {
	feed := c.query.Get("feed")
	if strings.HasPrefix(feed, "/") {
		feed = site + feed
	}
	it, err := c.resolveURL(feed)
	if err != nil {
		return nil
	}
	p := &page{
		Title: it.title, By: it.author.Name,
		ByURL:   c.pageURL(strings.TrimPrefix(it.url, site)),
		Picture: c.pictures + "300x300/" + it.picture,
		Light:   isFlag(c.query.Get("light")),
		Cover:   !isFlag(c.query.Get("hide_cover")),
		Color:   template.CSS("#" + cmp.Or(validColor(c.query.Get("color")), "7351ff")), //nolint:gosec // six hex digits
	}
	key := strings.TrimPrefix(it.url, site)
	p.Length = cmp.Or(it.length, 60)
	p.Audio = c.base + "/www" + audioPath + "?feed=" + url.QueryEscape(key)
	p.Script = c.base + "/www" + playerScript
	seed := uint32(2166136261)
	for i := range len(it.url) {
		seed = (seed ^ uint32(it.url[i])) * 16777619
	}
	for i := range 96 { // a waveform that depends on the show
		seed = seed*1664525 + 1013904223
		height := 6 + int(seed>>27)
		p.Bars = append(p.Bars, bar{X: 4 * i, Y: 20 - height/2, Height: height})
	}
	return p
}
