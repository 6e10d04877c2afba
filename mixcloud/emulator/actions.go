package emulator

import (
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// An action is what a user does to another user or to a cloudcast. Only the
// messages of follow and of listen-later were ever seen, in a client's
// documentation and in a mock (result_listen_later_added_mock.json); the others
// are inferred from them.
type action struct {
	segment string // of the path
	doc     string
	onUser  bool
	is      func(*world.User, target) bool
	do      func(*world.World, *world.User, target, time.Time)
	undo    func(*world.World, *world.User, target)

	done, undone, absent string // messages; the target's name follows
}

// A target is what an action is done to: one of both.
type target struct {
	user      *world.User
	cloudcast *world.Cloudcast
}

func (t target) name() string {
	if t.user != nil {
		return t.user.Username
	}
	return t.cloudcast.Name
}

// pointer tells targets apart.
func (t target) pointer() any {
	if t.user != nil {
		return t.user
	}
	return t.cloudcast
}

var actions = []*action{
	{
		segment: "follow", doc: "follow a user", onUser: true,
		is:   func(u *world.User, t target) bool { return hasUser(u.Following, t.user) },
		do:   func(w *world.World, u *world.User, t target, at time.Time) { w.Follow(u, t.user, at) },
		undo: func(w *world.World, u *world.User, t target) { w.Unfollow(u, t.user) },
		done: "Now following ", undone: "No longer following ", absent: "Not following ",
	},
	{
		segment: "favorite", doc: "favorite a show",
		is:   func(u *world.User, t target) bool { return hasCloudcast(u.Favorites, t.cloudcast) },
		do:   func(w *world.World, u *world.User, t target, at time.Time) { w.Favorite(u, t.cloudcast, at) },
		undo: func(w *world.World, u *world.User, t target) { w.Unfavorite(u, t.cloudcast) },
		done: "Added to favorites: ", undone: "Removed from favorites: ", absent: "Not in favorites: ",
	},
	{
		segment: "repost", doc: "repost a show",
		is:   func(u *world.User, t target) bool { return hasCloudcast(u.Reposts, t.cloudcast) },
		do:   func(w *world.World, u *world.User, t target, at time.Time) { w.Repost(u, t.cloudcast, at) },
		undo: func(w *world.World, u *world.User, t target) { w.Unrepost(u, t.cloudcast) },
		done: "Reposted: ", undone: "No longer reposted: ", absent: "Not reposted: ",
	},
	{
		segment: "listen-later", doc: "put a show aside to listen to later",
		is:   func(u *world.User, t target) bool { return hasCloudcast(u.ListenLater, t.cloudcast) },
		do:   func(w *world.World, u *world.User, t target, at time.Time) { w.ListenLater(u, t.cloudcast, at) },
		undo: func(w *world.World, u *world.User, t target) { w.UnlistenLater(u, t.cloudcast) },
		done: "Added to listen later: ", undone: "Removed from listen later: ", absent: "Not in listen later: ",
	},
}

// act does or undoes an action. Doing what is done already is a success
// (inferred), undoing what was not done is not found (client code). Following
// oneself is refused with status 200 (clients met such refusals; which they were
// is inferred).
func (c *call) act(a *action, undo bool) error {
	var t target
	var err error
	if a.onUser {
		t.user, err = c.wantUser()
	} else {
		t.cloudcast, err = c.wantCloudcast()
	}
	if err != nil {
		return err
	}
	if t.user == c.viewer {
		c.result(false, "You cannot follow yourself.", "")
		return nil
	}
	is := c.wrote(edge{a.segment, c.viewer, t.pointer()}, a.is(c.viewer, t))
	switch {
	case undo && !is:
		return notFound(a.absent + t.name())
	case undo:
		c.change(a, t, false)
		c.result(true, a.undone+t.name(), "")
	default:
		if !is {
			c.change(a, t, true)
		}
		c.result(true, a.done+t.name(), "")
	}
	return nil
}

// wrote is what an edge is for writes, who do not lag: the last that was written,
// or else what can be read.
func (c *call) wrote(e edge, read bool) bool {
	if pending, ok := c.outbox.edges[e]; ok {
		return pending.on
	}
	return read
}

func (c *call) change(a *action, t target, on bool) {
	e, u, o := c.Emulator, c.viewer, &c.outbox
	at := e.date()
	o.serial++
	serial, which := o.serial, edge{a.segment, u, t.pointer()}
	if o.edges == nil {
		o.edges = make(map[edge]pendingEdge)
	}
	o.edges[which] = pendingEdge{on, serial}
	e.commit(func() {
		if on {
			a.do(e.world, u, t, at)
		} else {
			a.undo(e.world, u, t)
		}
		if o.edges[which].serial == serial {
			delete(o.edges, which)
		}
		if a.onUser {
			e.orders.forgetUsers() // they are sorted by their followers
		}
	})
}
