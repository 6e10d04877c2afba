package mixcloud

import "time"

// A Comment is a comment on a cloudcast or on a user's profile.
type Comment struct {
	Object
	Key        Key        // "/comments/cr/204/28/c8955637/", as received
	URL        string     // a page of the site with a fragment; derived from Key when absent
	Text       string     // the comment member: plain text, perhaps with newlines and links
	Type       string     // "comment"; only with [WithMetadata]
	SubmitDate *time.Time // nil when absent
	User       *User      // the author; nil when absent
}

func (c *Comment) identity() Key { return c.Key }

func (c *Comment) decode(v value) {
	c.json = v.Value
	for name, m := range v.members() {
		switch name {
		case "key":
			c.Key = m.key()
		case "url":
			c.URL = m.text()
		case "comment":
			c.Text = m.text()
		case "type":
			c.Type = m.text()
		case "submit_date":
			c.SubmitDate = m.instant()
		case "user":
			c.User = decodeOne[User](m)
		}
	}
	if c.URL == "" {
		c.URL = siteURL(c.Key)
	}
}
