package mixcloud

import "time"

// The kinds of activities that were observed. There may be others.
const (
	ActivityUpload   = "upload"
	ActivityListen   = "listen"
	ActivityFavorite = "favorite"
	ActivityFollow   = "follow"
)

// An Activity is an entry of a feed: the action of the user From on Cloudcasts
// or Users. Kind is the kind of action.
type Activity struct {
	Object
	Key         Key    // "/spartacus/feed/566658648/", as received
	URL         string // a page of the site with a fragment; derived from Key when absent
	Title       string // English words for Kind, such as "listened to"
	Kind        string // such as [ActivityUpload]; the type member of the JSON
	CreatedTime *time.Time
	From        *User       // nil when absent
	Cloudcasts  []Cloudcast // nil when absent; exactly one in all recordings
	Users       []User      // nil when absent; set for "follow"
}

func (a *Activity) identity() Key { return a.Key }

func (a *Activity) decode(v value) {
	a.json = v.Value
	for name, m := range v.members() {
		switch name {
		case "key":
			a.Key = m.key()
		case "url":
			a.URL = m.text()
		case "title":
			a.Title = m.text()
		case "type":
			a.Kind = m.text()
		case "created_time":
			a.CreatedTime = m.instant()
		case "from":
			a.From = decodeOne[User](m)
		case "cloudcasts":
			a.Cloudcasts, _ = decodeList[Cloudcast](m)
		case "users":
			a.Users, _ = decodeList[User](m)
		}
	}
	if a.URL == "" {
		a.URL = siteURL(a.Key)
	}
}
