package mixcloud

// A Playlist is a user's own list of cloudcasts. No answer with one was
// recorded: beside key, url and name every member is optional.
type Playlist struct {
	object
	Key            string // "/spartacus/playlists/party/", as received
	URL            string // derived from Key when absent
	Name           string // derived from Key when absent
	Slug           string // derived from Key when absent
	Type           string // only with [WithMetadata]
	Owner          *User  // nil when absent
	CloudcastCount *int
	Description    *string
	Pictures       Pictures
	Metadata       Metadata
}

func (p *Playlist) identity() string { return p.Key }

func (p *Playlist) decode(v value) {
	p.raw = string(v)
	for name, m := range v.members() {
		switch name {
		case "key":
			p.Key = m.key()
		case "url":
			p.URL = m.text()
		case "name":
			p.Name = m.text()
		case "slug":
			p.Slug = m.text()
		case "type":
			p.Type = m.text()
		case "owner":
			p.Owner = decodeOne[User](m)
		case "cloudcast_count":
			p.CloudcastCount = m.integer()
		case "description":
			p.Description = m.textOrNil()
		case "pictures":
			p.Pictures = decodePictures(m)
		case "metadata":
			p.Metadata.decode(m)
		}
	}
	deriveSlugged(p.Key, &p.URL, &p.Name, &p.Slug)
}
