package world

import (
	"slices"
	"time"
)

// Follow adds a follow to both users' lists and an activity to from's feed, with
// the time at. It does nothing if from follows to already. The lists remain sorted
// newest first; the new entry comes before entries with the same time.
func (w *World) Follow(from, to *User, at time.Time) {
	if slices.ContainsFunc(from.Following, func(e UserEdge) bool { return e.User == to }) {
		return
	}
	from.Following = insertUser(from.Following, UserEdge{to, at})
	to.Followers = insertUser(to.Followers, UserEdge{from, at})
	w.addActivity(&Activity{Kind: "follow", Title: "is now following", From: from, At: at, Users: []*User{to}})
}

// Unfollow undoes Follow and removes the activity from from's feed.
func (w *World) Unfollow(from, to *User) {
	from.Following = withoutUser(from.Following, to)
	to.Followers = withoutUser(to.Followers, from)
	w.removeActivities(from, "follow", func(a *Activity) bool { return slices.Contains(a.Users, to) })
}

// Favorite adds c to u's favorites, u to c's, and an activity to u's feed. See
// Follow for the order.
func (w *World) Favorite(u *User, c *Cloudcast, at time.Time) {
	if hasCloudcast(u.Favorites, c) {
		return
	}
	u.Favorites = insertCloudcast(u.Favorites, CloudcastEdge{c, at})
	c.Favorites = insertUser(c.Favorites, UserEdge{u, at})
	w.addActivity(&Activity{Kind: "favorite", Title: "favorited", From: u, At: at, Cloudcasts: []*Cloudcast{c}})
}

// Unfavorite undoes Favorite.
func (w *World) Unfavorite(u *User, c *Cloudcast) {
	u.Favorites = withoutCloudcast(u.Favorites, c)
	c.Favorites = withoutUser(c.Favorites, u)
	w.removeActivities(u, "favorite", func(a *Activity) bool { return slices.Contains(a.Cloudcasts, c) })
}

// Repost adds c to u's reposts and u to c's. It adds no activity: no recorded feed
// contains a repost.
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

// ListenLater adds c to u's listen-later list.
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
	return slices.Insert(list, insertIndex(list, e.At, func(e UserEdge) time.Time { return e.At }), e)
}

func insertCloudcast(list []CloudcastEdge, e CloudcastEdge) []CloudcastEdge {
	return slices.Insert(list, insertIndex(list, e.At, func(e CloudcastEdge) time.Time { return e.At }), e)
}

// insertIndex returns the index of the first element that is not newer than at.
func insertIndex[T any](list []T, at time.Time, timeOf func(T) time.Time) int {
	i, _ := slices.BinarySearchFunc(list, at, func(have T, at time.Time) int {
		if timeOf(have).After(at) {
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

// addActivity assigns an ID to an activity and adds it to its user's feed.
func (w *World) addActivity(a *Activity) {
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
	a.From.Feed = slices.Insert(feed, insertIndex(feed, a.At, func(a *Activity) time.Time { return a.At }), a)
}

// removeActivities removes the matching activities of a kind from a feed.
func (w *World) removeActivities(from *User, kind string, match func(*Activity) bool) {
	from.Feed = slices.DeleteFunc(from.Feed, func(a *Activity) bool { return a.Kind == kind && match(a) })
}

// Reserve assigns c, whose Owner and Name are set, an ID and a slug that is made of
// its name and unique for its owner. [World.Cloudcast] does not return c before
// [World.AddToLists] was called.
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

// FindReserved returns a cloudcast, even if it is only reserved, or nil.
func (w *World) FindReserved(owner, slug string) *Cloudcast {
	if c := w.index.reserved[pair{fold(owner), slug}]; c != nil {
		return c
	}
	return w.Cloudcast(owner, slug)
}

// AddToLists adds a cloudcast that is reserved, or was removed by
// [World.RemoveFromLists], to the lists of its owner, tags, tracks, artists and its
// owner's city, to Latest and, the first time, to the owner's feed. It adds a private
// cloudcast to the owner's Private only. The lists remain sorted newest first; c comes
// before elements with the same time.
//
// It also adds new tags, artists and tracks to w.
func (w *World) AddToLists(c *Cloudcast) {
	at := pair{fold(c.Owner.Username), c.Slug}
	delete(w.index.reserved, at)
	w.index.cloudcasts[at] = c
	w.registerTagsAndTracks(c)
	if c.Private() {
		c.Owner.Private = insertByCreated(c.Owner.Private, c)
		return
	}
	c.Owner.Cloudcasts = insertByCreated(c.Owner.Cloudcasts, c)
	w.Latest = insertByCreated(w.Latest, c)
	w.eachList(c, func(list *[]*Cloudcast) {
		if !slices.Contains(*list, c) {
			*list = insertByCreated(*list, c)
		}
	})
	c.WasPublic = true
	if !slices.ContainsFunc(c.Owner.Feed, func(a *Activity) bool { return a.Kind == "upload" && slices.Contains(a.Cloudcasts, c) }) {
		w.addActivity(&Activity{Kind: "upload", Title: "uploaded", From: c.Owner, At: c.Created, Cloudcasts: []*Cloudcast{c}})
	}
}

// RemoveFromLists removes a cloudcast from the lists that AddToLists adds it to,
// so that it can be changed. It is still found by its key.
func (w *World) RemoveFromLists(c *Cloudcast) {
	drop := func(list *[]*Cloudcast) {
		*list = slices.DeleteFunc(*list, func(have *Cloudcast) bool { return have == c })
	}
	drop(&c.Owner.Private)
	drop(&c.Owner.Cloudcasts)
	drop(&w.Latest)
	w.eachList(c, drop)
}

// eachList calls do with the lists of c's tags, tracks, artists and city.
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

// registerTagsAndTracks adds the new tags, artists and tracks of a cloudcast to w, and
// replaces others with the existing ones of the same slug.
func (w *World) registerTagsAndTracks(c *Cloudcast) {
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

// NamedTag returns the tag of a name. A new tag becomes part of w when
// [World.AddToLists] is called with a cloudcast that has it. The result is nil for
// a name without a letter or a digit.
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

// NamedTrack returns the track of an artist and a title. A new track becomes part of
// w when [World.AddToLists] is called with a cloudcast that has it. Names without a
// letter or a digit have the slug "unknown".
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

// CoverPath returns the path and the primary color of a cover that is derived from
// a hash of at least 32 hexadecimal digits.
func CoverPath(hash string) (path, color string) {
	h := hash[:32]
	path = "extaudio/" + h[0:1] + "/" + h[1:2] + "/" + h[2:3] + "/" + h[3:4] + "/" +
		h[4:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
	return path, primaryColor(path)
}
