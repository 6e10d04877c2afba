package upstream

import "time"

// A Class says what kind of thing a read is about. How long its answers are
// good for and which breaker watches over it come from one table, below.
type Class uint8

// The classes.
const (
	ClassUser         Class = iota // a user by key
	ClassCloudcast                 // a cloudcast by key
	ClassTag                       // a tag, a city or a combination of them
	ClassCategory                  // a category by key
	ClassPlaylist                  // a playlist by key
	ClassArtist                    // an artist by key
	ClassTrack                     // a track by key
	ClassList                      // a part of a list that hangs on a user, a cloudcast or a playlist
	ClassChart                     // a part of a list that Mixcloud makes up: popular, hot, new, of a tag, of a category
	ClassSearch                    // a part of a search's list
	ClassCategoryList              // the list of all categories
	ClassEmbed                     // a player's HTML; asked for without a token, so the same for everybody
	ClassViewer                    // the holder of the token, as "/me/"

	classes int = iota
)

// names are what people call the classes.
var names = [classes]string{
	"user", "cloudcast", "tag", "category", "playlist", "artist", "track",
	"list", "chart", "search", "categories", "player", "viewer",
}

// String is the class's name, such as "cloudcast".
func (c Class) String() string { return names[c] }

// Classes are all of them, in the table's order.
func Classes() []Class {
	all := make([]Class, classes)
	for i := range all {
		all[i] = Class(i) //nolint:gosec // a dozen
	}
	return all
}

// Lifetime is the class's row of the table.
func (c Class) Lifetime() Lifetime { return lifetimes[c] }

// A Lifetime says for how long an answer of a class is good. All times count
// from the answer.
type Lifetime struct {
	// Fresh is how long it answers as if it had just been fetched.
	Fresh time.Duration
	// Revalidate is how long it answers at once after that, while it is
	// fetched anew in the background.
	Revalidate time.Duration
	// Keep is how long it answers when Mixcloud does not, from the beginning.
	Keep time.Duration
	// Missing is how long "not found" is believed. It is never kept for longer.
	Missing time.Duration
}

const (
	second = time.Second
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
)

// lifetimes is the one place that says what is kept for how long. Tags,
// categories and players change with the site's own releases; resources when
// their owners edit them, but their counts all the time; lists whenever somebody
// does something. What is not found may be there in a moment: it was perhaps
// just uploaded.
var lifetimes = [classes]Lifetime{
	//                  fresh        revalidate   keep      missing
	ClassUser:         {5 * minute, 1 * hour, 1 * day, 1 * minute},
	ClassCloudcast:    {5 * minute, 1 * hour, 1 * day, 30 * second},
	ClassTag:          {1 * hour, 1 * day, 1 * day, 10 * minute},
	ClassCategory:     {1 * hour, 1 * day, 1 * day, 10 * minute},
	ClassPlaylist:     {5 * minute, 1 * hour, 1 * day, 1 * minute},
	ClassArtist:       {1 * hour, 1 * day, 1 * day, 10 * minute},
	ClassTrack:        {1 * hour, 1 * day, 1 * day, 10 * minute},
	ClassList:         {1 * minute, 30 * minute, 1 * day, 30 * second},
	ClassChart:        {2 * minute, 1 * hour, 1 * day, 10 * minute},
	ClassSearch:       {5 * minute, 1 * hour, 1 * day, 1 * minute},
	ClassCategoryList: {6 * hour, 1 * day, 1 * day, 10 * minute},
	ClassEmbed:        {6 * hour, 1 * day, 1 * day, 10 * minute},
	ClassViewer:       {30 * second, 0, 1 * day, 0},
}

// A route is a part of Mixcloud that fails on its own: each has a circuit
// breaker.
type route uint8

const (
	routeResource route = iota // one object by its key
	routeList                  // lists that hang on an object
	routeChart                 // lists that Mixcloud computes, of a tag or a category
	routeFixed                 // those that exist once: fixedAddresses
	routeSearch
	routeEmbed  // another host, at least for oEmbed
	routeViewer // whatever checks a token
	routeWrite

	routes int = iota
)

func (c Class) route() route {
	switch c {
	case ClassList:
		return routeList
	case ClassChart, ClassCategoryList:
		return routeChart
	case ClassSearch:
		return routeSearch
	case ClassEmbed:
		return routeEmbed
	case ClassViewer:
		return routeViewer
	default:
		return routeResource
	}
}

// lifetime is the class's own, with what the configuration says of it.
func (o *Options) lifetime(c Class) Lifetime {
	life, own := o.Lifetimes[c]
	if !own {
		life = lifetimes[c]
	}
	if o.Keep != 0 {
		life.Keep = o.Keep
	}
	life.Keep = max(life.Keep, life.Fresh)
	life.Revalidate = min(life.Revalidate, life.Keep-life.Fresh)
	return life
}

// String is the route's name in the log.
func (r route) String() string {
	return [...]string{"resource", "list", "chart", "fixed", "search", "embed", "viewer", "write"}[r]
}
