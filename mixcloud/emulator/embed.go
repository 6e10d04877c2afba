package emulator

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// A player is the widget's frame on somebody's page.
type player struct {
	feed          string // site URL of what is played
	width, height string // as HTML has them; "" for 100% and 120
	color         string // six hex digits; "" for the widget's own
	light         bool
}

// frame is the HTML of a player: the newer form, with the cover hidden (observed
// 2016-19: embed_json_html_2016_fragment.json).
func (c *call) frame(p player) string {
	src := c.widget(p)
	return `<iframe width="` + orElse(p.width, "100%") + `" height="` + orElse(p.height, "120") +
		`" src="` + strings.ReplaceAll(src, "&", "&amp;") + `" frameborder="0"></iframe>`
}

// widget is the URL of a player's page.
func (c *call) widget(p player) string {
	src := c.base + "/www/widget/iframe/?feed=" + url.QueryEscape(p.feed) + "&hide_cover=1"
	if p.light {
		src += "&light=1"
	}
	if p.color != "" {
		src += "&color=" + p.color
	}
	return src
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// askedPlayer reads width, height, color and light (documented), and drops what
// is no measure, no color, no flag: it would end up in somebody's HTML.
func (c *call) askedPlayer(feed string) player {
	if c.breaks(embedIgnoresSize) {
		return player{feed: feed}
	}
	return player{
		feed:   feed,
		width:  measure(c.query.Get("width")),
		height: measure(c.query.Get("height")),
		color:  color(c.query.Get("color")),
		light:  isFlag(c.query.Get("light")),
	}
}

// measure keeps a number or a percentage.
func measure(s string) string {
	digits := strings.TrimSuffix(s, "%")
	if len(digits) > 5 || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return s
}

// color keeps six hex digits, with or without a # before them.
func color(s string) string {
	s = strings.TrimPrefix(s, "#")
	if len(s) != 6 || strings.Trim(s, "0123456789abcdefABCDEF") != "" {
		return ""
	}
	return s
}

func isFlag(s string) bool { return s == "1" || s == "true" }

func (c *call) embedHTML() error {
	if c.breaks(embedHTMLJSON) {
		return c.embedJSON()
	}
	cast, err := c.wantCloudcast()
	if err != nil {
		return err
	}
	c.plain(http.StatusOK)
	c.buf = append(c.buf, c.frame(c.askedPlayer(site+cast.Key()))...)
	return nil
}

// embedJSON has the member html; others were never seen.
func (c *call) embedJSON() error {
	cast, err := c.wantCloudcast()
	if err != nil {
		return err
	}
	frame := c.frame(c.askedPlayer(site + cast.Key()))
	if c.breaks(embedJSONText) {
		c.text(frame)
		return nil
	}
	c.open('{')
	c.string("html", frame)
	c.close('}')
	return nil
}

// An embeddable is what oEmbed knows of a page of the site.
type embeddable struct {
	url, title string
	author     *world.User
	picture    string // below a size
}

type oEmbedMember struct{ name, value string }

// oEmbed answers for the URL of a cloudcast, a user or a playlist (its members
// are those that clients read; no whole answer was recorded).
func (c *call) oEmbed() error {
	it, err := c.lookUp(c.query.Get("url"))
	if err != nil {
		return err
	}
	p := c.askedPlayer(it.url)
	p.width = atMost(orElse(p.width, "100%"), c.query.Get("maxwidth"))
	p.height = atMost(orElse(p.height, "120"), c.query.Get("maxheight"))
	frame := c.frame(p)
	image := "image"
	if c.breaks(oEmbedThumbnail) {
		image = "thumbnail_url"
	}
	members := []oEmbedMember{
		{"version", "1.0"},
		{"type", "rich"},
		{"provider_name", "Mixcloud"},
		{"provider_url", site + "/"},
		{"title", it.title},
		{"author_name", it.author.Name},
		{"author_url", site + it.author.Key()},
		{"html", frame},
		{"embed", frame},
		{image, c.pictures + "600x600/" + it.picture},
		{"url", it.url},
		{"width", p.width},
		{"height", p.height},
		{"cache_age", "86400"},
	}
	if c.breaks(oEmbedNoAuthor) {
		members = slices.DeleteFunc(members, func(m oEmbedMember) bool { return strings.HasPrefix(m.name, "author_") })
	}
	if c.query.Get("format") == "xml" && !c.breaks(oEmbedNoXML) {
		c.plain(http.StatusOK)
		c.contentType = "text/xml; charset=utf-8"
		c.callback = ""
		var out bytes.Buffer
		out.WriteString(xml.Header + "<oembed>\n")
		for _, m := range members {
			out.WriteString("  <" + m.name + ">")
			_ = xml.EscapeText(&out, []byte(m.value)) // a buffer takes everything
			out.WriteString("</" + m.name + ">\n")
		}
		out.WriteString("</oembed>\n")
		c.buf = append(c.buf, out.Bytes()...)
		return nil
	}
	c.open('{')
	for _, m := range members {
		number, err := strconv.Atoi(m.value)
		if err == nil && (m.name == "width" || m.name == "height" || m.name == "cache_age") {
			c.int(m.name, number)
		} else {
			c.string(m.name, m.value)
		}
	}
	c.close('}')
	return nil
}

// atMost bounds a measure by a number; a percentage gives way to the number.
func atMost(have, bound string) string {
	most, err := strconv.Atoi(bound)
	if err != nil || most <= 0 {
		return have
	}
	if n, err := strconv.Atoi(have); err == nil && n <= most {
		return have
	}
	return strconv.Itoa(most)
}

// lookUp finds what a URL of the site shows. The emulator's own pages under
// /www/ count as the site.
func (c *call) lookUp(address string) (embeddable, error) {
	nothing := notFound("No such page.")
	path, ok := c.sitePath(address)
	if !ok {
		return embeddable{}, nothing
	}
	segments := split(path)
	for i, s := range segments {
		var err error
		if segments[i], err = url.PathUnescape(s); err != nil {
			return embeddable{}, nothing
		}
	}
	u := c.world.User(segments[0])
	if u == nil {
		return embeddable{}, nothing
	}
	switch {
	case len(segments) == 1:
		return embeddable{site + u.Key(), u.Name, u, userPicture(u)}, nil
	case len(segments) == 2:
		cast := c.world.Cloudcast(u.Username, segments[1])
		if cast == nil || cast.Draft || c.scheduled(cast) {
			return embeddable{}, nothing
		}
		return embeddable{site + cast.Key(), cast.Name, u, pictureOf(cast)}, nil
	case len(segments) == 3 && segments[1] == "playlists":
		if p := c.world.Playlist(u.Username, segments[2]); p != nil {
			return embeddable{site + p.Key(), p.Name, u, userPicture(u)}, nil
		}
	}
	return embeddable{}, nothing
}

// sitePath is the path of a URL on the site.
func (c *call) sitePath(address string) (string, bool) {
	address = strings.TrimSpace(address)
	if path, ok := strings.CutPrefix(address, c.base+"/www/"); ok {
		path, _, _ = strings.Cut(path, "?")
		return "/" + path, path != ""
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	switch strings.ToLower(u.Hostname()) {
	case "mixcloud.com", "www.mixcloud.com", "m.mixcloud.com", "beta.mixcloud.com":
		return u.EscapedPath(), strings.Trim(u.EscapedPath(), "/") != ""
	}
	return "", false
}
