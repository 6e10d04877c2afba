package world

import "slices"

// Clone returns a copy of w that shares no mutable memory with it. It takes a
// quarter of the time of New. Cloudcasts that are reserved but not in lists are
// omitted. Several goroutines may clone one World.
func (w *World) Clone() *World {
	c := cloner{copies[User]{}, copies[Cloudcast]{}, copies[Tag]{}, copies[City]{}, copies[Category]{}, copies[Artist]{}, copies[Track]{}, copies[Playlist]{}}
	fresh := *w
	fresh.index = index{
		users: allocate(c.users, w.index.users), cloudcasts: allocate(c.cloudcasts, w.index.cloudcasts),
		tags: allocate(c.tags, w.index.tags), cities: allocate(c.cities, w.index.cities),
		categories: allocate(c.categories, w.index.categories), artists: allocate(c.artists, w.index.artists),
		tracks: allocate(c.tracks, w.index.tracks), playlists: allocate(c.playlists, w.index.playlists),
	}
	fresh.Users, fresh.Tags, fresh.Cities = c.users.list(w.Users), c.tags.list(w.Tags), c.cities.list(w.Cities)
	fresh.Categories, fresh.Artists = c.categories.list(w.Categories), c.artists.list(w.Artists)
	fresh.Popular, fresh.Hot, fresh.Latest = c.cloudcasts.list(w.Popular), c.cloudcasts.list(w.Hot), c.cloudcasts.list(w.Latest)
	c.fill()
	return &fresh
}

// A cloner maps every object that has references to its copy.
type cloner struct {
	users      copies[User]
	cloudcasts copies[Cloudcast]
	tags       copies[Tag]
	cities     copies[City]
	categories copies[Category]
	artists    copies[Artist]
	tracks     copies[Track]
	playlists  copies[Playlist]
}

// copies maps originals to their copies.
type copies[T any] map[*T]*T

// allocate copies the objects of an index and returns the index of the copies.
// Pointers inside the copies still point to originals.
func allocate[K comparable, T any](c copies[T], index map[K]*T) map[K]*T {
	fresh := make(map[K]*T, len(index))
	memory := make([]T, 0, len(index))
	for name, old := range index {
		memory = append(memory, *old)
		c[old] = &memory[len(memory)-1]
		fresh[name] = c[old]
	}
	return fresh
}

// list returns the list of the copies of a list's objects.
func (c copies[T]) list(list []*T) []*T {
	list = slices.Clone(list)
	for i, old := range list {
		list[i] = c[old]
	}
	return list
}

// fill replaces the pointers inside all copies with pointers to copies.
func (c *cloner) fill() {
	for _, u := range c.users {
		c.user(u)
	}
	for _, cast := range c.cloudcasts {
		c.cloudcast(cast)
	}
	for _, t := range c.tags {
		t.Cloudcasts = c.cloudcasts.list(t.Cloudcasts)
	}
	for _, city := range c.cities {
		city.Cloudcasts = c.cloudcasts.list(city.Cloudcasts)
	}
	for _, g := range c.categories {
		g.Cloudcasts, g.UserpickCloudcasts = c.cloudcasts.list(g.Cloudcasts), c.cloudcasts.list(g.UserpickCloudcasts)
		g.Users, g.UserpickUsers = c.users.list(g.Users), c.users.list(g.UserpickUsers)
	}
	for _, a := range c.artists {
		a.Tracks, a.Cloudcasts = c.tracks.list(a.Tracks), c.cloudcasts.list(a.Cloudcasts)
	}
	for _, t := range c.tracks {
		t.Artist, t.Cloudcasts = c.artists[t.Artist], c.cloudcasts.list(t.Cloudcasts)
	}
	for _, p := range c.playlists {
		p.Owner, p.Cloudcasts = c.users[p.Owner], c.cloudcasts.list(p.Cloudcasts)
	}
}

func (c *cloner) user(u *User) {
	u.Cloudcasts, u.Private = c.cloudcasts.list(u.Cloudcasts), c.cloudcasts.list(u.Private)
	u.Favorites, u.Listens = c.cloudcastEdges(u.Favorites), c.cloudcastEdges(u.Listens)
	u.ListenLater, u.Reposts = c.cloudcastEdges(u.ListenLater), c.cloudcastEdges(u.Reposts)
	u.Followers, u.Following = c.userEdges(u.Followers), c.userEdges(u.Following)
	u.Comments, u.Playlists = c.comments(u.Comments), c.playlists.list(u.Playlists)
	u.Feed = slices.Clone(u.Feed)
	for i, old := range u.Feed {
		a := *old
		a.From, a.Cloudcasts, a.Users = c.users[a.From], c.cloudcasts.list(a.Cloudcasts), c.users.list(a.Users)
		u.Feed[i] = &a
	}
}

func (c *cloner) cloudcast(cast *Cloudcast) {
	cast.Owner, cast.Tags, cast.Hosts = c.users[cast.Owner], c.tags.list(cast.Tags), c.users.list(cast.Hosts)
	cast.Sections = slices.Clone(cast.Sections)
	for i, s := range cast.Sections {
		cast.Sections[i].Track = c.tracks[s.Track] // nil for a chapter
	}
	cast.Favorites, cast.Reposts = c.userEdges(cast.Favorites), c.userEdges(cast.Reposts)
	cast.Listeners, cast.Comments = c.userEdges(cast.Listeners), c.comments(cast.Comments)
	cast.Similar = c.cloudcasts.list(cast.Similar)
}

func (c *cloner) userEdges(list []UserEdge) []UserEdge {
	list = slices.Clone(list)
	for i, e := range list {
		list[i].User = c.users[e.User]
	}
	return list
}

func (c *cloner) cloudcastEdges(list []CloudcastEdge) []CloudcastEdge {
	list = slices.Clone(list)
	for i, e := range list {
		list[i].Cloudcast = c.cloudcasts[e.Cloudcast]
	}
	return list
}

func (c *cloner) comments(list []*Comment) []*Comment {
	list = slices.Clone(list)
	for i, old := range list {
		comment := *old
		comment.Author = c.users[comment.Author]
		list[i] = &comment
	}
	return list
}
