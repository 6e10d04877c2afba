package upstream

import (
	"context"
	"crypto/rand"
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
	uploaded                // of a cloudcast: it was just made; no flag of Mixcloud's
)

// String is the last element of the flag's address, such as "favorite".
func (f Flag) String() string {
	return [...]string{"follow", "favorite", "repost", "listen-later", "upload"}[f]
}

// overlayLife is for how long a write outweighs what is read. Mixcloud's reads
// lag behind writes by an unknown time; after a minute they are believed.
const overlayLife = time.Minute

// maxMarks bounds what is remembered of one viewer; the oldest write goes first.
const maxMarks = 1000

// A mark names one flag of one target.
type mark struct {
	flag   Flag
	target string // canonical key
}

// A write is what a viewer has last made of a mark.
type write struct {
	id   string
	want bool
	at   time.Time
	// done: a read has agreed. It is remembered all the same, so that another
	// process cannot bring it up again.
	done bool
	// churned: an earlier write of the mark was not seen to arrive yet. A read
	// that agrees may then be one from before both, so the write is kept for
	// its whole life.
	churned bool
	// listed: a read of the list that the flag decides about has agreed.
	listed bool
}

// An overlay remembers the writes that reads may not show yet. It is safe for
// concurrent use.
type overlay struct {
	life   time.Duration // of a write
	mu     sync.Mutex
	writes map[string]map[mark]write // by audience
}

func (o *overlay) put(who string, m mark, want bool, now time.Time) write {
	o.mu.Lock()
	defer o.mu.Unlock()
	mine := o.of(who, now)
	before := mine[m]
	if len(mine) >= maxMarks {
		oldest := m
		for other, w := range mine {
			if w.at.Before(mine[oldest].at) || oldest == m {
				oldest = other
			}
		}
		delete(mine, oldest)
	}
	w := write{id: rand.Text(), want: want, at: now, churned: before.outlasts(want)}
	mine[m] = w
	return w
}

// outlasts reports whether a write, or none, may still be read as having
// happened after one that wants this.
func (w write) outlasts(want bool) bool {
	return w.id != "" && !w.done && (w.churned || w.want != want)
}

// of are the writes of an audience, to be added to.
func (o *overlay) of(who string, now time.Time) map[mark]write {
	if o.writes == nil {
		o.writes = map[string]map[mark]write{}
	}
	o.prune(now)
	mine := o.writes[who]
	if mine == nil {
		mine = map[mark]write{}
		o.writes[who] = mine
	}
	return mine
}

// learn takes over what another process has told; false if that is no news.
func (o *overlay) learn(who string, told Written, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	m, at := mark{told.Flag, told.Target}, now.Add(-told.Age)
	before := o.writes[who][m]
	if told.Age >= o.life || before.id == told.ID || before.id != "" && before.at.After(at) {
		return false
	}
	o.of(who, now)[m] = write{id: told.ID, want: told.Want, at: at, churned: told.Churned || before.outlasts(told.Want)}
	return true
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
	case !pending || w.done:
		return read, 0
	case now.Sub(w.at) >= o.life:
		delete(o.writes[who], m)
		return read, 0
	case read == w.want:
		if !w.churned {
			w.done = true
			o.writes[who][m] = w
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
		if m.flag == flag && o.lives(w, now) {
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
	return pending && o.lives(w, now)
}

// lives reports whether a write still outweighs what is read.
func (o *overlay) lives(w write, now time.Time) bool { return !w.done && now.Sub(w.at) < o.life }

func (o *overlay) idle(who string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, w := range o.writes[who] {
		if o.lives(w, now) {
			return false
		}
	}
	return true
}

// Wrote tells that the viewer has set a flag of a target, so that what is read
// for them from now on shows it.
func (s *Session) Wrote(flag Flag, key string, want bool) {
	s.tell(&s.store.overlay, mark{flag, mixcloud.Canonical(key)}, want)
}

// tell remembers a write, here and in other processes.
func (s *Session) tell(o *overlay, m mark, want bool) {
	w := o.put(s.Audience(), m, want, time.Now())
	if marks := s.store.options.Marks; marks != nil && !s.Anonymous() {
		marks.Tell(context.WithoutCancel(s.store.ctx), s.Audience(), Written{ID: w.id, Flag: m.flag, Target: m.target, Want: want, Churned: w.churned})
	}
}

// silent is what was heard where there is nothing to hear.
var silent = func() chan struct{} {
	heard := make(chan struct{})
	close(heard)
	return heard
}()

// listen asks what other processes have told of a flight's viewer, beside
// whatever the flight does meanwhile. What it gives is closed when that is
// known.
func (s *Store) listen(f *flight) <-chan struct{} {
	if s.options.Marks == nil || f.key.who == (audience{}) || !s.sharing(f.starter.as()) {
		return silent
	}
	heard := make(chan struct{})
	s.wg.Go(func() {
		defer close(heard)
		v := f.starter.viewer.Load()
		for _, w := range s.options.Marks.Told(f.ctx, v.who.String()) {
			o := &s.overlay
			if w.Flag == uploaded {
				o = &s.uploads
			}
			if o.learn(v.who.String(), w, time.Now()) {
				v.wroteAt(s.clock.now() - w.Age)
			}
		}
	})
	return heard
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
