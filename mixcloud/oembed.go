package mixcloud

import (
	"bytes"
	"context"
	"encoding/xml"
	"net/url"
	"strings"
)

// OEmbedOptions are the options of an oEmbed widget. Mixcloud chooses the options
// that are not set.
type OEmbedOptions struct {
	Width, Height, MaxWidth, MaxHeight *int   // pixels
	Color                              string // six hex digits, with or without "#"
	Light                              *bool  // the light widget
}

// An OEmbed is the response of the oEmbed endpoint. Its fields are those that
// other clients read. No complete response was recorded, so each may be nil.
type OEmbed struct {
	Object
	Version, Type, ProviderName, ProviderURL *string
	Title, AuthorName, AuthorURL             *string
	// HTML is not sanitized: use it only in pages that trust Mixcloud.
	HTML  *string
	Image *string // URL of a picture (thumbnail_url in the oEmbed specification)
	Embed *string
	URL   *string
	// Width and Height are numbers of pixels, or percentages such as "100%".
	Width, Height *string
	CacheAge      *int // seconds
}

func (o *OEmbed) decode(v value) {
	o.json = v.Value
	for name, m := range v.members() {
		switch name {
		case "version":
			o.Version = m.textOrNil()
		case "type":
			o.Type = m.textOrNil()
		case "provider_name":
			o.ProviderName = m.textOrNil()
		case "provider_url":
			o.ProviderURL = m.textOrNil()
		case "title":
			o.Title = m.textOrNil()
		case "author_name":
			o.AuthorName = m.textOrNil()
		case "author_url":
			o.AuthorURL = m.textOrNil()
		case "html":
			o.HTML = m.textOrNil()
		case "image":
			o.Image = m.textOrNil()
		case "embed":
			o.Embed = m.textOrNil()
		case "url":
			o.URL = m.textOrNil()
		case "width":
			o.Width = m.textOrNil()
		case "height":
			o.Height = m.textOrNil()
		case "cache_age":
			o.CacheAge = m.integer()
		}
	}
}

// OEmbed returns the oEmbed data of the page at resourceURL, which is a key or an
// URL on the website. No token is sent.
func (c *Client) OEmbed(ctx context.Context, resourceURL string, o OEmbedOptions) (*OEmbed, error) {
	r, err := c.oembedRequest("OEmbed", "json", resourceURL, o)
	if err != nil {
		return nil, err
	}
	oembed := new(OEmbed)
	if err := c.fetchJSON(ctx, r, oembed.decodeChecked); err != nil {
		return nil, err
	}
	return oembed, nil
}

// decodeChecked decodes a response, or returns why it is not an oEmbed response.
func (o *OEmbed) decodeChecked(v value) (problem string) {
	if v.first() != '{' {
		return "the response is not an object"
	}
	if o.decode(v); o.Type == nil && o.Title == nil && o.HTML == nil {
		return "the object has no member of oEmbed"
	}
	return ""
}

// OEmbedXML returns the response to [Client.OEmbed] in XML, as received.
func (c *Client) OEmbedXML(ctx context.Context, resourceURL string, o OEmbedOptions) (string, error) {
	r, err := c.oembedRequest("OEmbedXML", "xml", resourceURL, o)
	if err != nil {
		return "", err
	}
	return c.fetchText(ctx, r, "text/xml, application/xml, */*;q=0.1", isOEmbedXML)
}

func (c *Client) oembedRequest(op, format, resourceURL string, o OEmbedOptions) (request, error) {
	page, err := pageURL(resourceURL)
	if err != nil {
		return request{}, err
	}
	query := url.Values{"url": {page}, "format": {format}}
	for name, n := range map[string]*int{"width": o.Width, "height": o.Height, "maxwidth": o.MaxWidth, "maxheight": o.MaxHeight} {
		if err := setPixels(query, name, n); err != nil {
			return request{}, err
		}
	}
	if err := setColor(query, o.Color); err != nil {
		return request{}, err
	}
	if o.Light != nil {
		query.Set("light", map[bool]string{true: "1", false: "0"}[*o.Light])
	}
	return request{op: op, base: c.oembed, path: "/", query: query, anonymous: true}, nil
}

// pageURL returns the URL to send to the oEmbed endpoint. For a key it is the URL
// of the page. It does not check which page a URL names, because Mixcloud itself
// checks which pages can be embedded.
func pageURL(s string) (string, error) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") {
		ref, err := ParseRef(s)
		if err != nil {
			return "", err
		}
		return siteURL(ref.Key), nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || len(s) > maxPath {
		return "", &InvalidError{Arg: "url", Reason: "is not an http or https URL"}
	}
	return s, nil
}

// isOEmbedXML reports whether a body is an oEmbed document, and not an HTML page.
func isOEmbedXML(body []byte) bool {
	var document struct {
		XMLName xml.Name `xml:"oembed"`
	}
	return xml.NewDecoder(bytes.NewReader(body)).Decode(&document) == nil
}
