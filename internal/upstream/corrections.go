package upstream

import (
	"context"
	"slices"
	"time"

	"mixcloud-graphql/mixcloud"
)

// RecordWrite records that the viewer has set a flag of a target, so that the viewer's later reads
// show it.
func (s *Session) RecordWrite(flag Flag, key mixcloud.Key, want bool) {
	s.publish(&s.store.writes, flagKey{flag, key.Canonical()}, want)
}

// publish records a write in this process and publishes it to the other processes.
func (s *Session) publish(r *recentWrites, k flagKey, want bool) {
	w := r.put(s.Principal(), k, want, time.Now())
	if shared := s.store.options.SharedWrites; shared != nil && !s.Anonymous() {
		shared.Publish(context.WithoutCancel(s.store.ctx), s.Principal(), SharedWrite{ID: w.id, Flag: k.flag, Target: k.target.String(), Want: want, Supersedes: w.supersedes})
	}
}

// Pending returns the targets with a recent write of the flag that no read has shown yet.
func (s *Session) Pending(flag Flag) []mixcloud.CanonicalKey {
	if s.Anonymous() {
		return nil
	}
	return s.store.writes.pending(s.Principal(), flag, time.Now())
}

// CountDelta returns the correction that this operation's last read applied to the count of a
// target: 1, 0 or -1. The viewer's own count of the same kind needs the same correction.
func (s *Session) CountDelta(flag Flag, key mixcloud.CanonicalKey) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deltas[flagKey{flag, key}]
}

// correct returns the corrected flag, and replaces *count by a pointer to the corrected count
// if count is not nil. It does not modify the values, which are shared.
func (s *Session) correct(flag Flag, key mixcloud.Key, value *bool, count **int) *bool {
	if value == nil {
		return nil
	}
	m := flagKey{flag, key.Canonical()}
	want, delta := s.store.writes.correct(s.Principal(), m, *value, time.Now())
	s.mu.Lock()
	if s.deltas == nil {
		s.deltas = map[flagKey]int{}
	}
	s.deltas[m] = delta
	s.mu.Unlock()
	if delta == 0 {
		return value
	}
	if count != nil && *count != nil {
		corrected := max(**count+delta, 0)
		*count = &corrected
	}
	return &want
}

// NoPendingWrites reports whether the viewer has no pending writes, so that no read needs a
// correction. This is nearly always the case.
func (s *Session) NoPendingWrites() bool {
	return s.Anonymous() || s.store.writes.idle(s.Principal(), time.Now())
}

// The methods below apply the viewer's recent writes to a value that Fetch returned. They modify
// copies, because the values are shared.

// CorrectUser corrects a partial user.
func (s *Session) CorrectUser(u mixcloud.User) mixcloud.User {
	if !s.NoPendingWrites() {
		u.Following = s.correct(Following, u.Key, u.Following, nil)
	}
	return u
}

// CorrectFullUser corrects a full user, including its counts.
func (s *Session) CorrectFullUser(u mixcloud.FullUser) mixcloud.FullUser {
	if !s.NoPendingWrites() {
		u.Following = s.correct(Following, u.Key, u.Following, &u.FollowerCount)
	}
	return u
}

// CorrectCloudcast corrects a cloudcast, including its uploader and hosts.
func (s *Session) CorrectCloudcast(c mixcloud.Cloudcast) mixcloud.Cloudcast {
	if s.NoPendingWrites() {
		return c
	}
	favorites, reposts := &c.FavoriteCount, &c.RepostCount
	if c.HiddenStats != nil && *c.HiddenStats {
		favorites, reposts = nil, nil // hidden counts are zeros, and must stay zeros
	}
	c.Favorited = s.correct(Favorited, c.Key, c.Favorited, favorites)
	c.Reposted = s.correct(Reposted, c.Key, c.Reposted, reposts)
	c.IsListenLater = s.correct(ListenLater, c.Key, c.IsListenLater, nil)
	c.User = s.correctUser(c.User)
	c.Hosts = s.correctUsers(c.Hosts)
	return c
}

// CorrectFullCloudcast corrects a full cloudcast.
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

// CorrectActivity corrects the objects of an activity.
func (s *Session) CorrectActivity(a mixcloud.Activity) mixcloud.Activity {
	if s.NoPendingWrites() {
		return a
	}
	a.From, a.Users, a.Cloudcasts = s.correctUser(a.From), s.correctUsers(a.Users), slices.Clone(a.Cloudcasts)
	for i := range a.Cloudcasts {
		a.Cloudcasts[i] = s.CorrectCloudcast(a.Cloudcasts[i])
	}
	return a
}

func (s *Session) correctUser(u *mixcloud.User) *mixcloud.User {
	if u == nil || s.NoPendingWrites() {
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

// Recent returns the viewer's writes of a flag in the last minute, latest first. It includes
// writes that a read of the target has shown, since lists may show a write later than the target.
func (s *Session) Recent(flag Flag) []RecentWrite {
	if s.Anonymous() {
		return nil
	}
	return s.store.writes.recent(s.Principal(), flag, time.Now())
}

// PendingWrites returns the number of the viewer's writes in the last minute that lists may not
// show yet.
func (s *Session) PendingWrites() int {
	n := 0
	for _, flag := range []Flag{Following, Favorited, ListenLater} {
		n += len(s.Recent(flag))
	}
	return n
}

// MarkListed records that a list shows the viewer's latest write of a target's flag: from now on
// the list needs no correction.
func (s *Session) MarkListed(flag Flag, key mixcloud.CanonicalKey) {
	s.store.writes.markListed(s.Principal(), flagKey{flag, key})
}

// RecordUpload records that the viewer has uploaded a cloudcast. Mixcloud may return 404 for it
// for some minutes.
func (s *Session) RecordUpload(key mixcloud.Key) {
	s.publish(&s.store.uploads, flagKey{uploaded, key.Canonical()}, true)
}

// JustUploaded reports whether the viewer uploaded the cloudcast with this key so recently that
// Mixcloud may still respond with "not found".
func (s *Session) JustUploaded(key mixcloud.Key) bool {
	return !s.Anonymous() && s.store.uploads.has(s.Principal(), flagKey{uploaded, key.Canonical()}, time.Now())
}
