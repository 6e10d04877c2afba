package upstream

import (
	"maps"
	"slices"
	"sync"
	"time"

	"mixcloud-graphql/mixcloud"
)

// A Flag is something that a viewer has switched on or off for a target.
type Flag int

// The flags that the actions change.
const (
	Following   Flag = iota // of a user
	Favorited               // of a cloudcast
	Reposted                // of a cloudcast
	ListenLater             // of a cloudcast
)

// overlayLife is for how long a write outweighs what is read. Mixcloud's reads
// lag behind writes by an unknown time; after a minute they are believed.
const overlayLife = time.Minute

// A mark names one flag of one target.
type mark struct {
	flag   Flag
	target string // canonical key
}

// A write is what a viewer has last made of a mark.
type write struct {
	want bool
	at   time.Time
	// churned: an earlier write of the mark was not seen to arrive yet. A read
	// that agrees may then be one from before both, so the write is kept for
	// its whole life.
	churned bool
}

// An overlay remembers the writes that reads may not show yet. It is safe for
// concurrent use.
type overlay struct {
	life   time.Duration // of a write
	mu     sync.Mutex
	writes map[string]map[mark]write // by audience
}

func (o *overlay) put(who string, m mark, want bool, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writes == nil {
		o.writes = map[string]map[mark]write{}
	}
	o.prune(now)
	mine := o.writes[who]
	if mine == nil {
		mine = map[mark]write{}
		o.writes[who] = mine
	}
	before, pending := mine[m]
	mine[m] = write{want: want, at: now, churned: pending && (before.churned || before.want != want)}
}

// prune forgets what has outlived its time, of all audiences: writes are rare
// enough to look at each when one is added.
func (o *overlay) prune(now time.Time) {
	for who, mine := range o.writes {
		maps.DeleteFunc(mine, func(_ mark, w write) bool { return now.Sub(w.at) >= o.life })
		if len(mine) == 0 {
			delete(o.writes, who)
		}
	}
}

// correct tells what a flag that was read should be, and by how much a count
// that goes with it is behind. A read that agrees ends the write's life.
func (o *overlay) correct(who string, m mark, read bool, now time.Time) (want bool, behind int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	w, pending := o.writes[who][m]
	switch {
	case !pending:
		return read, 0
	case now.Sub(w.at) >= o.life:
		delete(o.writes[who], m)
		return read, 0
	case read == w.want:
		if !w.churned {
			delete(o.writes[who], m)
		}
		return read, 0
	case w.want:
		return true, 1
	default:
		return false, -1
	}
}

// pending lists the targets of a flag that reads may not show yet, oldest
// first.
func (o *overlay) pending(who string, flag Flag, now time.Time) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	mine := o.writes[who]
	var marks []mark
	for m, w := range mine {
		if m.flag == flag && now.Sub(w.at) < o.life {
			marks = append(marks, m)
		}
	}
	slices.SortFunc(marks, func(a, b mark) int { return mine[a].at.Compare(mine[b].at) })
	targets := make([]string, len(marks))
	for i, m := range marks {
		targets[i] = m.target
	}
	return targets
}

func (o *overlay) has(who string, m mark, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	w, pending := o.writes[who][m]
	return pending && now.Sub(w.at) < o.life
}

func (o *overlay) idle(who string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, w := range o.writes[who] {
		if now.Sub(w.at) < o.life {
			return false
		}
	}
	return true
}

// Wrote tells that the viewer has set a flag of a target, so that what is read
// for them from now on shows it.
func (s *Session) Wrote(flag Flag, key string, want bool) {
	s.store.overlay.put(s.Audience(), mark{flag, mixcloud.Canonical(key)}, want, time.Now())
}

// Pending lists the targets whose flag was written and was not read back yet.
func (s *Session) Pending(flag Flag) []string {
	if s.Anonymous() {
		return nil
	}
	return s.store.overlay.pending(s.Audience(), flag, time.Now())
}

// Behind is by how much the counts of a target were corrected when this
// operation last read it: 1, 0 or -1. The viewer's own count of the same kind
// is behind by as much.
func (s *Session) Behind(flag Flag, key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.behind[mark{flag, mixcloud.Canonical(key)}]
}

// correct corrects one flag, and count with it unless it is nil: they are made
// to point elsewhere, for what they point to is shared.
func (s *Session) correct(flag Flag, key string, value *bool, count **int) *bool {
	if value == nil {
		return nil
	}
	m := mark{flag, mixcloud.Canonical(key)}
	want, behind := s.store.overlay.correct(s.Audience(), m, *value, time.Now())
	s.mu.Lock()
	if s.behind == nil {
		s.behind = map[mark]int{}
	}
	s.behind[m] = behind
	s.mu.Unlock()
	if behind == 0 {
		return value
	}
	if count != nil && *count != nil {
		corrected := max(**count+behind, 0)
		*count = &corrected
	}
	return &want
}

// Settled reports that nothing that is read needs to be corrected, which is
// nearly always so.
func (s *Session) Settled() bool {
	return s.Anonymous() || s.store.overlay.idle(s.Audience(), time.Now())
}

// The methods below give what a value that Fetch returned looks like once it
// shows the viewer's writes. They change nothing of it: what has to be different
// is copied.

// CorrectUser corrects a partial user.
func (s *Session) CorrectUser(u mixcloud.User) mixcloud.User {
	if !s.Settled() {
		u.Following = s.correct(Following, u.Key, u.Following, nil)
	}
	return u
}

// CorrectFullUser is CorrectUser with the counts of a full user.
func (s *Session) CorrectFullUser(u mixcloud.FullUser) mixcloud.FullUser {
	if !s.Settled() {
		u.Following = s.correct(Following, u.Key, u.Following, &u.FollowerCount)
	}
	return u
}

// CorrectCloudcast corrects a cloudcast, its uploader and hosts included.
func (s *Session) CorrectCloudcast(c mixcloud.Cloudcast) mixcloud.Cloudcast {
	if s.Settled() {
		return c
	}
	favorites, reposts := &c.FavoriteCount, &c.RepostCount
	if c.HiddenStats != nil && *c.HiddenStats {
		favorites, reposts = nil, nil // zeros that mean nothing stay so
	}
	c.Favorited = s.correct(Favorited, c.Key, c.Favorited, favorites)
	c.Reposted = s.correct(Reposted, c.Key, c.Reposted, reposts)
	c.IsListenLater = s.correct(ListenLater, c.Key, c.IsListenLater, nil)
	c.User = s.correctUser(c.User)
	c.Hosts = s.correctUsers(c.Hosts)
	return c
}

// CorrectFullCloudcast is CorrectCloudcast of a full cloudcast.
func (s *Session) CorrectFullCloudcast(c mixcloud.FullCloudcast) mixcloud.FullCloudcast {
	c.Cloudcast = s.CorrectCloudcast(c.Cloudcast)
	return c
}

// CorrectPlaylist corrects a playlist's owner.
func (s *Session) CorrectPlaylist(p mixcloud.Playlist) mixcloud.Playlist {
	p.Owner = s.correctUser(p.Owner)
	return p
}

// CorrectComment corrects a comment's author.
func (s *Session) CorrectComment(c mixcloud.Comment) mixcloud.Comment {
	c.User = s.correctUser(c.User)
	return c
}

// CorrectActivity corrects all that an activity tells of.
func (s *Session) CorrectActivity(a mixcloud.Activity) mixcloud.Activity {
	if s.Settled() {
		return a
	}
	a.From, a.Users, a.Cloudcasts = s.correctUser(a.From), s.correctUsers(a.Users), slices.Clone(a.Cloudcasts)
	for i := range a.Cloudcasts {
		a.Cloudcasts[i] = s.CorrectCloudcast(a.Cloudcasts[i])
	}
	return a
}

func (s *Session) correctUser(u *mixcloud.User) *mixcloud.User {
	if u == nil || s.Settled() {
		return u
	}
	corrected := s.CorrectUser(*u)
	return &corrected
}

func (s *Session) correctUsers(users []mixcloud.User) []mixcloud.User {
	users = slices.Clone(users)
	for i := range users {
		users[i] = s.CorrectUser(users[i])
	}
	return users
}
