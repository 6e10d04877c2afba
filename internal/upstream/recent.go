package upstream

import (
	"cmp"
	"slices"
	"time"

	"mixcloud-graphql/mixcloud"
)

// maxRecent bounds the writes that lists are corrected for. Of more within a
// minute the latest count.
const maxRecent = 20

// A RecentWrite is a viewer's latest change of one flag of one target, which
// lists may not show yet.
type RecentWrite struct {
	Key  string // canonical
	Want bool   // the target was put on the list, or taken off
	At   time.Time
	// Again says that the opposite was written shortly before: a list that looks
	// right may be one from before both.
	Again bool
	// Listed says that a read of the list has shown it.
	Listed bool
}

// Recent returns the viewer's writes of a flag in the last minute, the latest
// first. Reads of the target itself do not end them: lists may lag behind those.
func (s *Session) Recent(flag Flag) []RecentWrite {
	if s.Anonymous() {
		return nil
	}
	return s.store.overlay.recent(s.Audience(), flag, time.Now())
}

// Listed records that a list shows the viewer's latest write of a target's flag:
// from now on the list is believed.
func (s *Session) Listed(flag Flag, key string) {
	o, m := &s.store.overlay, mark{flag, mixcloud.Canonical(key)}
	o.mu.Lock()
	defer o.mu.Unlock()
	if w, ok := o.writes[s.Audience()][m]; ok && !w.churned {
		w.listed = true
		o.writes[s.Audience()][m] = w
	}
}

func (o *overlay) recent(who string, flag Flag, now time.Time) []RecentWrite {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []RecentWrite
	for m, w := range o.writes[who] {
		if m.flag == flag && now.Sub(w.at) < o.life {
			all = append(all, RecentWrite{Key: m.target, Want: w.want, At: w.at, Again: w.churned, Listed: w.listed})
		}
	}
	slices.SortFunc(all, func(a, b RecentWrite) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Key, b.Key)) })
	return all[:min(len(all), maxRecent)]
}
