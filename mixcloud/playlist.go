package mixcloud

// A Playlist is a user's list of cloudcasts. No playlist was recorded: every field
// but Key, URL, Name and Slug may be empty.
type Playlist struct {
	Object
	Key            Key    // "/spartacus/playlists/party/", as received
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

func (p *Playlist) identity() Key { return p.Key }

func (p *Playlist) decode(v value) {
	p.json = v.Value
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
