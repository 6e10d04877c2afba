package world

import (
	"slices"
	"time"
)

// Follow puts each user on the other's list, as of at, and says so in from's
// feed. A second time changes nothing. All lists stay newest first; among equals
// the added one comes first.
func (w *World) Follow(from, to *User, at time.Time) {
	if slices.ContainsFunc(from.Following, func(e UserEdge) bool { return e.User == to }) {
		return
	}
	from.Following = insertUser(from.Following, UserEdge{to, at})
	to.Followers = insertUser(to.Followers, UserEdge{from, at})
	w.tell(&Activity{Kind: "follow", Title: "is now following", From: from, At: at, Users: []*User{to}})
}

// Unfollow undoes Follow, and forgets it in from's feed.
func (w *World) Unfollow(from, to *User) {
	from.Following = withoutUser(from.Following, to)
	to.Followers = withoutUser(to.Followers, from)
	w.untell(from, "follow", func(a *Activity) bool { return slices.Contains(a.Users, to) })
}

// Favorite puts c on u's favorites and u on c's, as Follow does with users.
func (w *World) Favorite(u *User, c *Cloudcast, at time.Time) {
	if hasCloudcast(u.Favorites, c) {
		return
	}
	u.Favorites = insertCloudcast(u.Favorites, CloudcastEdge{c, at})
	c.Favorites = insertUser(c.Favorites, UserEdge{u, at})
	w.tell(&Activity{Kind: "favorite", Title: "favorited", From: u, At: at, Cloudcasts: []*Cloudcast{c}})
}

// Unfavorite undoes Favorite.
func (w *World) Unfavorite(u *User, c *Cloudcast) {
	u.Favorites = withoutCloudcast(u.Favorites, c)
	c.Favorites = withoutUser(c.Favorites, u)
	w.untell(u, "favorite", func(a *Activity) bool { return slices.Contains(a.Cloudcasts, c) })
}

// Repost puts c on u's reposts and u on c's. No feed was ever seen to tell of
// one.
func (w *World) Repost(u *User, c *Cloudcast, at time.Time) {
	if hasCloudcast(u.Reposts, c) {
		return
	}
	u.Reposts = insertCloudcast(u.Reposts, CloudcastEdge{c, at})
	c.Reposts = insertUser(c.Reposts, UserEdge{u, at})
}

// Unrepost undoes Repost.
func (w *World) Unrepost(u *User, c *Cloudcast) {
	u.Reposts = withoutCloudcast(u.Reposts, c)
	c.Reposts = withoutUser(c.Reposts, u)
}

// ListenLater puts c on u's pile for later.
func (w *World) ListenLater(u *User, c *Cloudcast, at time.Time) {
	if !hasCloudcast(u.ListenLater, c) {
		u.ListenLater = insertCloudcast(u.ListenLater, CloudcastEdge{c, at})
	}
}

// UnlistenLater undoes ListenLater.
func (w *World) UnlistenLater(u *User, c *Cloudcast) {
	u.ListenLater = withoutCloudcast(u.ListenLater, c)
}

func hasCloudcast(list []CloudcastEdge, c *Cloudcast) bool {
	return slices.ContainsFunc(list, func(e CloudcastEdge) bool { return e.Cloudcast == c })
}

func insertUser(list []UserEdge, e UserEdge) []UserEdge {
	return slices.Insert(list, firstUpTo(list, e.At, func(e UserEdge) time.Time { return e.At }), e)
}

func insertCloudcast(list []CloudcastEdge, e CloudcastEdge) []CloudcastEdge {
	return slices.Insert(list, firstUpTo(list, e.At, func(e CloudcastEdge) time.Time { return e.At }), e)
}

// firstUpTo is where the first element stands that is not newer than at.
func firstUpTo[T any](list []T, at time.Time, of func(T) time.Time) int {
	i, _ := slices.BinarySearchFunc(list, at, func(have T, at time.Time) int {
		if of(have).After(at) {
			return -1
		}
		return 1
	})
	return i
}

func withoutUser(list []UserEdge, u *User) []UserEdge {
	return slices.DeleteFunc(list, func(e UserEdge) bool { return e.User == u })
}

func withoutCloudcast(list []CloudcastEdge, c *Cloudcast) []CloudcastEdge {
	return slices.DeleteFunc(list, func(e CloudcastEdge) bool { return e.Cloudcast == c })
}

// tell puts an activity into the feed of who did it, and gives it an ID.
func (w *World) tell(a *Activity) {
	if w.lastActivityID == 0 {
		for _, u := range w.Users {
			for _, old := range u.Feed {
				w.lastActivityID = max(w.lastActivityID, old.ID)
			}
		}
	}
	w.lastActivityID++
	a.ID = w.lastActivityID
	feed := a.From.Feed
	a.From.Feed = slices.Insert(feed, firstUpTo(feed, a.At, func(a *Activity) time.Time { return a.At }), a)
}

// untell takes activities of a kind out of a feed.
func (w *World) untell(from *User, kind string, about func(*Activity) bool) {
	from.Feed = slices.DeleteFunc(from.Feed, func(a *Activity) bool { return a.Kind == kind && about(a) })
}

// Reserve gives c, whose Owner and Name are set, an ID and a slug made of its
// name and unique for its owner. [World.Cloudcast] does not find it before it is
// filed.
func (w *World) Reserve(c *Cloudcast) {
	w.lastCloudcastID++
	c.ID = w.lastCloudcastID
	owner := fold(c.Owner.Username)
	c.Slug = w.freeSlug(owner, Slugify(c.Name))
	if w.index.reserved == nil {
		w.index.reserved = make(map[pair]*Cloudcast)
	}
	w.index.reserved[pair{owner, c.Slug}] = c
}

// Reserved finds an upload that may not be filed yet; nil when there is none.
func (w *World) Reserved(owner, slug string) *Cloudcast {
	if c := w.index.reserved[pair{fold(owner), slug}]; c != nil {
		return c
	}
	return w.Cloudcast(owner, slug)
}

// File puts a reserved or an unfiled cloudcast where it can be seen: on the
// owner's, the tags', the tracklist's and the owner's city's lists, in Latest
// and, the first time, in the owner's feed; or only in the owner's Private if it
// is unlisted, a draft or not published yet. All lists stay newest first; among
// equals the added one comes first.
//
// Tags, artists and tracks that the world does not know yet are added to it.
func (w *World) File(c *Cloudcast) {
	at := pair{fold(c.Owner.Username), c.Slug}
	delete(w.index.reserved, at)
	w.index.cloudcasts[at] = c
	w.adopt(c)
	if c.Private() {
		c.Owner.Private = insertNewest(c.Owner.Private, c)
		return
	}
	c.Owner.Cloudcasts = insertNewest(c.Owner.Cloudcasts, c)
	w.Latest = insertNewest(w.Latest, c)
	w.eachList(c, func(list *[]*Cloudcast) {
		if !slices.Contains(*list, c) {
			*list = insertNewest(*list, c)
		}
	})
	c.WasPublic = true
	if !slices.ContainsFunc(c.Owner.Feed, func(a *Activity) bool { return a.Kind == "upload" && slices.Contains(a.Cloudcasts, c) }) {
		w.tell(&Activity{Kind: "upload", Title: "uploaded", From: c.Owner, At: c.Created, Cloudcasts: []*Cloudcast{c}})
	}
}

// Unfile takes a cloudcast off the lists that File puts it on, so that it can be
// changed. Its key still leads to it.
func (w *World) Unfile(c *Cloudcast) {
	drop := func(list *[]*Cloudcast) {
		*list = slices.DeleteFunc(*list, func(have *Cloudcast) bool { return have == c })
	}
	drop(&c.Owner.Private)
	drop(&c.Owner.Cloudcasts)
	drop(&w.Latest)
	w.eachList(c, drop)
}

// eachList goes through the lists of what c says of itself.
func (w *World) eachList(c *Cloudcast, do func(*[]*Cloudcast)) {
	for _, t := range c.Tags {
		do(&t.Cloudcasts)
	}
	for _, s := range c.Sections {
		if s.Track != nil {
			do(&s.Track.Cloudcasts)
			do(&s.Track.Artist.Cloudcasts)
		}
	}
	if city := w.City(Slugify(c.Owner.City)); city != nil {
		do(&city.Cloudcasts)
	}
}

// adopt adds to the world what it does not know yet of a cloudcast's tags and
// tracks, and puts what it knows in the place of what is called the same.
func (w *World) adopt(c *Cloudcast) {
	for i, t := range c.Tags {
		if known := w.index.tags[t.Slug]; known != nil {
			c.Tags[i] = known
			continue
		}
		w.index.tags[t.Slug] = t
		w.Tags = append(w.Tags, t)
	}
	for i, s := range c.Sections {
		if s.Track == nil {
			continue
		}
		if known := w.index.artists[s.Track.Artist.Slug]; known != nil {
			s.Track.Artist = known
		} else {
			w.index.artists[s.Track.Artist.Slug] = s.Track.Artist
			w.Artists = append(w.Artists, s.Track.Artist)
		}
		artist := s.Track.Artist
		if known := w.index.tracks[pair{artist.Slug, s.Track.Slug}]; known != nil {
			c.Sections[i].Track = known
			continue
		}
		w.index.tracks[pair{artist.Slug, s.Track.Slug}] = s.Track
		artist.Tracks = append(artist.Tracks, s.Track)
	}
}

// NamedTag finds the tag of a name, or makes one that the world does not know
// until a cloudcast with it is filed; nil for a name without a letter or a
// digit.
func (w *World) NamedTag(name string) *Tag {
	slug := Slugify(name)
	if slug == "" {
		return nil
	}
	if t := w.Tag(slug); t != nil {
		return t
	}
	return &Tag{Slug: slug, Name: tagName(name)}
}

// NamedTrack finds the track of an artist and a title, or makes one that the
// world does not know until a cloudcast with it is filed. Names without a letter
// or a digit all have the slug "unknown".
func (w *World) NamedTrack(artist, title string) *Track {
	a := w.Artist(slugOr(artist, "unknown"))
	if a == nil {
		a = &Artist{Slug: slugOr(artist, "unknown"), Name: artist}
	}
	if t := w.Track(a.Slug, slugOr(title, "unknown")); t != nil {
		return t
	}
	return &Track{Slug: slugOr(title, "unknown"), Name: title, Artist: a}
}

func slugOr(name, otherwise string) string {
	if slug := Slugify(name); slug != "" {
		return slug
	}
	return otherwise
}

// CoverPath is the path of a cover that hangs on a picture's hash, at least 32
// hexadecimal digits, and the color that it is remembered by.
func CoverPath(hash string) (path, color string) {
	h := hash[:32]
	path = "extaudio/" + h[0:1] + "/" + h[1:2] + "/" + h[2:3] + "/" + h[3:4] + "/" +
		h[4:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
	return path, primaryColor(path)
}
