package emulator

import (
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// An action is a write of a user to another user or to a cloudcast. Only the
// messages of follow and listen-later are observed, in a client's documentation and
// in a mock (result_listen_later_added_mock.json); the others are inferred.
type action struct {
	segment string // of the path
	doc     string
	onUser  bool
	exists  func(*world.User, target) bool
	do      func(*world.World, *world.User, target, time.Time)
	undo    func(*world.World, *world.User, target)

	done, undone, absent string // messages; the target's name follows
}

// A target is the target of an action; one of the fields is set.
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

// pointer returns the user or the cloudcast, to compare targets.
func (t target) pointer() any {
	if t.user != nil {
		return t.user
	}
	return t.cloudcast
}

var actions = []*action{
	{
		segment: "follow", doc: "follow a user", onUser: true,
		exists: func(u *world.User, t target) bool { return hasUser(u.Following, t.user) },
		do:     func(w *world.World, u *world.User, t target, at time.Time) { w.Follow(u, t.user, at) },
		undo:   func(w *world.World, u *world.User, t target) { w.Unfollow(u, t.user) },
		done:   "Now following ", undone: "No longer following ", absent: "Not following ",
	},
	{
		segment: "favorite", doc: "favorite a show",
		exists: func(u *world.User, t target) bool { return hasCloudcast(u.Favorites, t.cloudcast) },
		do:     func(w *world.World, u *world.User, t target, at time.Time) { w.Favorite(u, t.cloudcast, at) },
		undo:   func(w *world.World, u *world.User, t target) { w.Unfavorite(u, t.cloudcast) },
		done:   "Added to favorites: ", undone: "Removed from favorites: ", absent: "Not in favorites: ",
	},
	{
		segment: "repost", doc: "repost a show",
		exists: func(u *world.User, t target) bool { return hasCloudcast(u.Reposts, t.cloudcast) },
		do:     func(w *world.World, u *world.User, t target, at time.Time) { w.Repost(u, t.cloudcast, at) },
		undo:   func(w *world.World, u *world.User, t target) { w.Unrepost(u, t.cloudcast) },
		done:   "Reposted: ", undone: "No longer reposted: ", absent: "Not reposted: ",
	},
	{
		segment: "listen-later", doc: "add a show to the listen-later list",
		exists: func(u *world.User, t target) bool { return hasCloudcast(u.ListenLater, t.cloudcast) },
		do:     func(w *world.World, u *world.User, t target, at time.Time) { w.ListenLater(u, t.cloudcast, at) },
		undo:   func(w *world.World, u *world.User, t target) { w.UnlistenLater(u, t.cloudcast) },
		done:   "Added to listen later: ", undone: "Removed from listen later: ", absent: "Not in listen later: ",
	},
}

// doAction executes or undoes an action. Repeating an action succeeds (inferred);
// undoing an action that was not done is a 404 (client code). If a user follows
// themselves, the response has status 200 and success false (clients observed such
// responses; for which action is inferred).
func (c *call) doAction(a *action, undo bool) error {
	var t target
	var err error
	if a.onUser {
		t.user, err = c.findUser()
	} else {
		t.cloudcast, err = c.findCloudcast()
	}
	if err != nil {
		return err
	}
	if t.user == c.viewer {
		c.writeResult(false, "You cannot follow yourself.", "")
		return nil
	}
	is := c.edgeExists(edge{a.segment, c.viewer, t.pointer()}, a.exists(c.viewer, t))
	switch {
	case undo && !is:
		return notFound(a.absent + t.name())
	case undo:
		c.applyAction(a, t, false)
		c.writeResult(true, a.undone+t.name(), "")
	default:
		if !is {
			c.applyAction(a, t, true)
		}
		c.writeResult(true, a.done+t.name(), "")
	}
	return nil
}

// edgeExists reports whether an edge exists after all writes, including those that
// reads do not show yet. read is true if reads show the edge.
func (c *call) edgeExists(e edge, read bool) bool {
	if pending, ok := c.pending.edges[e]; ok {
		return pending.exists
	}
	return read
}

func (c *call) applyAction(a *action, t target, on bool) {
	e, u, pending := c.Emulator, c.viewer, &c.pending
	at := e.writeTime()
	pending.serial++
	serial, key := pending.serial, edge{a.segment, u, t.pointer()}
	if pending.edges == nil {
		pending.edges = make(map[edge]pendingEdge)
	}
	pending.edges[key] = pendingEdge{on, serial}
	e.applyAfterLag(func() {
		if on {
			a.do(e.world, u, t, at)
		} else {
			a.undo(e.world, u, t)
		}
		if pending.edges[key].serial == serial {
			delete(pending.edges, key)
		}
		if a.onUser {
			e.listCache.clearUserSearches() // searches sort users by followers
		}
	})
}
