package mixcloud

// A Category is one of the categories into which Mixcloud divides cloudcasts.
type Category struct {
	Object
	Key      Key    // "/categories/ambient/", as received
	URL      string // derived from Key when absent
	Name     string // derived from Key when absent
	Slug     string // derived from Key when absent
	Format   string // "music" or "talk"; "" when absent
	Type     string // "category"; only with [WithMetadata]
	Pictures Pictures
	Metadata Metadata
}

func (c *Category) identity() Key { return c.Key }

func (c *Category) decode(v value) {
	c.json = v.Value
	for name, m := range v.members() {
		switch name {
		case "key":
			c.Key = m.key()
		case "url":
			c.URL = m.text()
		case "name":
			c.Name = m.text()
		case "slug":
			c.Slug = m.text()
		case "format":
			c.Format = m.text()
		case "type":
			c.Type = m.text()
		case "pictures":
			c.Pictures = decodePictures(m)
		case "metadata":
			c.Metadata.decode(m)
		}
	}
	deriveSlugged(c.Key, &c.URL, &c.Name, &c.Slug)
}
