package emulator

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// A player is the widget's iframe in a page of another site.
type player struct {
	feed          string // site URL of the cloudcast
	width, height string // as in HTML; "" for 100% and 120
	color         string // six hex digits; "" for the default
	light         bool
}

// frame returns the HTML of a player with a hidden cover, in the form that was
// observed from 2016 to 2019 (embed_json_html_2016_fragment.json).
func (c *call) frame(p player) string {
	src := c.widget(p)
	return `<iframe width="` + cmp.Or(p.width, "100%") + `" height="` + cmp.Or(p.height, "120") +
		`" src="` + strings.ReplaceAll(src, "&", "&amp;") + `" frameborder="0"></iframe>`
}

// widget returns the URL of a player's page.
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

// playerFromQuery reads width, height, color and light (documented). It ignores
// invalid values, because they would become part of another site's HTML.
func (c *call) playerFromQuery(feed string) player {
	return player{
		feed:   feed,
		width:  validDimension(c.query.Get("width")),
		height: validDimension(c.query.Get("height")),
		color:  validColor(c.query.Get("color")),
		light:  isFlag(c.query.Get("light")),
	}
}

// validDimension returns s if it is a number or a percentage, otherwise "".
func validDimension(s string) string {
	digits := strings.TrimSuffix(s, "%")
	if len(digits) > 5 || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	return s
}

// validColor returns the six hex digits of a color with or without #, otherwise "".
func validColor(s string) string {
	s = strings.TrimPrefix(s, "#")
	if len(s) != 6 || strings.Trim(s, "0123456789abcdefABCDEF") != "" {
		return ""
	}
	return s
}

func isFlag(s string) bool { return s == "1" || s == "true" }

func (c *call) embedHTML() error {
	cast, err := c.findCloudcast()
	if err != nil {
		return err
	}
	c.startHTML(http.StatusOK)
	c.buf = append(c.buf, c.frame(c.playerFromQuery(site+cast.Key()))...)
	return nil
}

// embedJSON writes the member html; no other member was observed.
func (c *call) embedJSON() error {
	cast, err := c.findCloudcast()
	if err != nil {
		return err
	}
	c.open('{')
	c.string("html", c.frame(c.playerFromQuery(site+cast.Key())))
	c.close('}')
	return nil
}

// An embedTarget is the oEmbed data of a page of the site.
type embedTarget struct {
	url, title string
	author     *world.User
	picture    string // path after the size segment
	length     int    // of a cloudcast's audio, in seconds
}

type oEmbedMember struct{ name, value string }

// oEmbed writes the oEmbed data of a cloudcast, a user or a playlist (the members
// are those that clients read; there is no recording of a complete response).
func (c *call) oEmbed() error {
	it, err := c.resolveURL(c.query.Get("url"))
	if err != nil {
		return err
	}
	p := c.playerFromQuery(it.url)
	p.width = limitDimension(cmp.Or(p.width, "100%"), c.query.Get("maxwidth"))
	p.height = limitDimension(cmp.Or(p.height, "120"), c.query.Get("maxheight"))
	frame := c.frame(p)
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
		{"image", c.pictures + "600x600/" + it.picture},
		{"url", it.url},
		{"width", p.width},
		{"height", p.height},
		{"cache_age", "86400"},
	}
	if c.query.Get("format") == "xml" {
		c.startHTML(http.StatusOK)
		c.contentType = "text/xml; charset=utf-8"
		c.callback = ""
		var out bytes.Buffer
		out.WriteString(xml.Header + "<oembed>\n")
		for _, m := range members {
			out.WriteString("  <" + m.name + ">")
			_ = xml.EscapeText(&out, []byte(m.value)) // a bytes.Buffer does not fail
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

// limitDimension limits a dimension to a number, which also replaces a percentage.
func limitDimension(have, bound string) string {
	most, err := strconv.Atoi(bound)
	if err != nil || most <= 0 {
		return have
	}
	if n, err := strconv.Atoi(have); err == nil && n <= most {
		return have
	}
	return strconv.Itoa(most)
}

// resolveURL returns the oEmbed data of a page, by its URL on the site or under /www/
// of the emulator.
func (c *call) resolveURL(pageURL string) (embedTarget, error) {
	nothing := notFound("No such page.")
	path, ok := c.sitePath(pageURL)
	if !ok {
		return embedTarget{}, nothing
	}
	segments := split(path)
	for i, s := range segments {
		var err error
		if segments[i], err = url.PathUnescape(s); err != nil {
			return embedTarget{}, nothing
		}
	}
	u := c.world.User(segments[0])
	if u == nil {
		return embedTarget{}, nothing
	}
	switch {
	case len(segments) == 1:
		return embedTarget{url: site + u.Key(), title: u.Name, author: u, picture: userPicture(u)}, nil
	case len(segments) == 2:
		cast := c.world.Cloudcast(u.Username, segments[1])
		if cast == nil || cast.Draft || c.scheduled(cast) {
			return embedTarget{}, nothing
		}
		return embedTarget{site + cast.Key(), cast.Name, u, pictureOf(cast), cast.AudioLength}, nil
	case len(segments) == 3 && segments[1] == "playlists":
		if p := c.world.Playlist(u.Username, segments[2]); p != nil {
			return embedTarget{url: site + p.Key(), title: p.Name, author: u, picture: userPicture(u)}, nil
		}
	}
	return embedTarget{}, nothing
}

// sitePath returns the path of a URL of the site.
func (c *call) sitePath(pageURL string) (string, bool) {
	pageURL = strings.TrimSpace(pageURL)
	if path, ok := strings.CutPrefix(pageURL, c.base+"/www/"); ok {
		path, _, _ = strings.Cut(path, "?")
		return "/" + path, path != ""
	}
	u, err := url.Parse(pageURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	switch strings.ToLower(u.Hostname()) {
	case "mixcloud.com", "www.mixcloud.com", "m.mixcloud.com", "beta.mixcloud.com":
		return u.EscapedPath(), strings.Trim(u.EscapedPath(), "/") != ""
	}
	return "", false
}
