package upstream

import (
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud"
)

// A laggingMixcloud has one flag and its count, and its reads show a write only after a lag.
type laggingMixcloud struct {
	lag    time.Duration
	first  bool
	writes []written
}

type written struct {
	on bool
	at time.Time
}

// read returns what reads show at a time: the flag, and its contribution to the count.
func (l *laggingMixcloud) read(now time.Time) (bool, int) {
	on := l.first
	for _, w := range l.writes {
		if !w.at.Add(l.lag).After(now) {
			on = w.on
		}
	}
	return on, count(on)
}

// now returns the real state.
func (l *laggingMixcloud) now() bool {
	if n := len(l.writes); n > 0 {
		return l.writes[n-1].on
	}
	return l.first
}

func count(on bool) int {
	if on {
		return 1
	}
	return 0
}

func flagKeyOf(flag Flag, key string) flagKey {
	return flagKey{flag, mixcloud.ParseKey(key).Canonical()}
}

// TestRecentWrites_Property writes and reads at random times. As long as the lag is shorter
// than a write's life, the writer sees the last write with a matching count, and all others see
// what Mixcloud returns.
func TestRecentWrites_Property(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := recentWrites{life: time.Minute}
		upstream := &laggingMixcloud{
			lag:   time.Duration(rapid.IntRange(0, 59_999).Draw(t, "lag")) * time.Millisecond,
			first: rapid.Bool().Draw(t, "first"),
		}
		now := time.Unix(1e9, 0)
		m := flagKeyOf(Favorited, "/a/b/")
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 500, 5_000, 20_000, 59_999, 61_000}).Draw(t, "pause")) * time.Millisecond)
			if rapid.IntRange(0, 2).Draw(t, "what") == 0 {
				on := rapid.Bool().Draw(t, "on")
				upstream.writes = append(upstream.writes, written{on, now})
				o.put("me", m, on, now)
				o.put("me", flagKey{Reposted, m.target}, !on, now) // does not affect the other flag
			}
			read, shown := upstream.read(now)
			got, delta := o.correct("me", m, read, now)
			if want := upstream.now(); got != want || shown+delta != count(want) {
				t.Fatalf("at %v of %v, lag %v: %v with a count of %d, want %v", now, upstream.writes, upstream.lag, got, shown+delta, want)
			}
			if got, delta := o.correct("you", m, read, now); got != read || delta != 0 {
				t.Fatalf("another principal gets %v, %d, want %v", got, delta, read)
			}
			if got, delta := o.correct("me", flagKeyOf(Favorited, "/a/c/"), read, now); got != read || delta != 0 {
				t.Fatalf("another target is %v, %d, want %v", got, delta, read)
			}
		}
	})
}

// TestRecentWrites_Life checks when a write stops correcting reads: when a read agrees, unless
// an earlier write of the same flag may still be pending, and in any case after a minute.
func TestRecentWrites_Life(t *testing.T) {
	t.Parallel()
	start := time.Unix(1e9, 0)
	m := flagKeyOf(Following, "/spartacus/")
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	for name, test := range map[string]struct {
		do   func(*recentWrites)
		read bool // then this is read
		when int
		want bool
	}{
		"pending": {func(o *recentWrites) { o.put("", m, true, at(0)) }, false, 59, true},
		"too old": {func(o *recentWrites) { o.put("", m, true, at(0)) }, false, 60, false},
		"confirmed, then undone by another process": {func(o *recentWrites) { o.put("", m, true, at(0)); o.correct("", m, true, at(5)) }, false, 6, false},
		"reversed while pending": {func(o *recentWrites) {
			o.put("", m, true, at(0))
			o.put("", m, false, at(1))
			o.correct("", m, false, at(2)) // a read from before both
		}, true, 8, false},
		"reversed after a read has shown it": {func(o *recentWrites) {
			o.put("", m, true, at(0))
			o.correct("", m, true, at(5))
			o.put("", m, false, at(6))
			o.correct("", m, false, at(12))
		}, true, 13, true},
		"written twice": {func(o *recentWrites) { o.put("", m, true, at(0)); o.put("", m, true, at(50)) }, false, 100, true},
		"written twice, then confirmed": {func(o *recentWrites) {
			o.put("", m, true, at(0))
			o.put("", m, true, at(1))
			o.correct("", m, true, at(2))
		}, false, 3, false},
		"superseding write expires": {func(o *recentWrites) { o.put("", m, true, at(0)); o.put("", m, false, at(1)) }, true, 61, true},
	} {
		o := &recentWrites{life: time.Minute}
		test.do(o)
		if got, _ := o.correct("", m, test.read, at(test.when)); got != test.want {
			t.Errorf("%s: correct() = %v, want %v", name, got, test.want)
		}
	}
}

// TestRecentWrites_Forgets checks that expired writes are removed.
func TestRecentWrites_Forgets(t *testing.T) {
	t.Parallel()
	o := recentWrites{life: time.Minute}
	now := time.Unix(1e9, 0)
	for i := range 1000 {
		o.put(string(rune('a'+i%26)), flagKeyOf(Following, string(rune(i+100))), true, now.Add(time.Duration(i)*time.Second))
	}
	stored := 0
	for _, mine := range o.writes {
		stored += len(mine)
	}
	if stored != 60 {
		t.Errorf("%d writes are stored, want the 60 of the last minute", stored)
	}
}

// storeOf returns a store whose Mixcloud is never called.
func storeOf(t *testing.T) *Store {
	t.Helper()
	client, err := mixcloud.New()
	if err != nil {
		t.Fatal(err)
	}
	s := NewStore(client, Options{})
	t.Cleanup(func() { _ = s.Close(t.Context()) })
	return s
}

// TestSession_Corrects corrects all kinds of values with a flag, and does not change absent
// flags, hidden counts and the values of other operations.
func TestSession_Corrects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := storeOf(t)
		mine, yours, anonymous := s.Session("a"), s.Session("b"), s.Session("")
		no, five := func() *bool { return new(bool) }, func() *int { n := 5; return &n }
		cast := func() mixcloud.Cloudcast {
			return mixcloud.Cloudcast{
				Key: mixcloud.ParseKey("/Spartacus/party-time/"), Favorited: no(), Reposted: no(), IsListenLater: no(), FavoriteCount: five(), RepostCount: five(),
				User: &mixcloud.User{Key: mixcloud.ParseKey("/spartacus/"), Following: no()}, Hosts: []mixcloud.User{{Key: mixcloud.ParseKey("/SPARTACUS/"), Following: no()}, {Key: mixcloud.ParseKey("/x/"), Following: no()}},
			}
		}
		mine.RecordWrite(Following, mixcloud.ParseKey("/spartacus/"), true)
		mine.RecordWrite(Favorited, mixcloud.ParseKey("/spartacus/party-time/"), true)
		time.Sleep(time.Second)
		mine.RecordWrite(Reposted, mixcloud.ParseKey("/spartacus/party-time/"), true)
		mine.RecordWrite(ListenLater, mixcloud.ParseKey("/spartacus/party-time/"), true)

		later := s.Session("a") // another operation of the same token
		c := later.CorrectCloudcast(cast())
		if !*c.Favorited || !*c.Reposted || !*c.IsListenLater || *c.FavoriteCount != 6 || *c.RepostCount != 6 ||
			!*c.User.Following || !*c.Hosts[0].Following || *c.Hosts[1].Following {
			t.Errorf("CorrectFullCloudcast() = %+v, want all writes applied", show.Value(c))
		}
		if n := later.CountDelta(Favorited, mixcloud.ParseKey("/spartacus/PARTY-time/").Canonical()); n != 0 { // slugs are case-sensitive, user names are not
			t.Errorf("CountDelta() of another slug = %d, want 0", n)
		}
		if n := later.CountDelta(Favorited, mixcloud.ParseKey("/SPARTACUS/party-time/").Canonical()); n != 1 {
			t.Errorf("CountDelta() of the same key in upper case = %d, want 1", n)
		}
		hidden := cast()
		hidden.HiddenStats = new(true)
		hidden = later.CorrectCloudcast(hidden)
		if !*hidden.Favorited || *hidden.FavoriteCount != 5 || *hidden.RepostCount != 5 {
			t.Errorf("CorrectCloudcast() = %+v, want favorited and the counts unchanged", show.Value(hidden))
		}
		u := later.CorrectFullUser(mixcloud.FullUser{User: mixcloud.User{Key: mixcloud.ParseKey("/spartacus/"), Following: no()}, FollowerCount: five(), FollowingCount: five()})
		if !*u.Following || *u.FollowerCount != 6 || *u.FollowingCount != 5 {
			t.Errorf("CorrectFullUser() = %+v, want following and 6 followers", show.Value(u))
		}
		bare := later.CorrectFullUser(mixcloud.FullUser{User: mixcloud.User{Key: mixcloud.ParseKey("/spartacus/")}, FollowerCount: five()})
		if bare.Following != nil || *bare.FollowerCount != 5 {
			t.Errorf("CorrectFullUser() without a flag = %+v, want it unchanged", show.Value(bare))
		}
		for name, other := range map[string]*Session{"another token": yours, "anonymous": anonymous} {
			c := other.CorrectCloudcast(cast())
			if diff := cmp.Diff(cast(), c, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
				t.Errorf("%s reads the writes of another principal (-want +got):\n%s", name, diff)
			}
			if pending := other.Pending(Following); len(pending) > 0 {
				t.Errorf("%s has pending writes %q, want none", name, pending)
			}
		}
		mine.RecordWrite(Favorited, mixcloud.ParseKey("/first/one/"), true)
		if got := later.Pending(Favorited); !slices.Equal(got, []mixcloud.CanonicalKey{mixcloud.ParseKey("/spartacus/party-time/").Canonical(), mixcloud.ParseKey("/first/one/").Canonical()}) {
			t.Errorf("Pending() = %q, want both favorites in order", got)
		}
		time.Sleep(time.Minute)
		if got := later.Pending(Favorited); len(got) != 0 {
			t.Errorf("Pending() after a minute = %q, want none", got)
		}
		zero := 0
		mine.RecordWrite(Favorited, mixcloud.ParseKey("/a/b/"), false)
		c = later.CorrectCloudcast(mixcloud.Cloudcast{Key: mixcloud.ParseKey("/a/b/"), Favorited: new(true), FavoriteCount: &zero})
		if *c.Favorited || *c.FavoriteCount != 0 {
			t.Errorf("CorrectCloudcast() = %+v, want not favorited and a count of 0", show.Value(c))
		}
	})
}

// TestSession_JustUploaded checks that for ten minutes, and only for its own principal, an
// upload may be "not found yet".
func TestSession_JustUploaded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := storeOf(t)
		s.Session("a").RecordUpload(mixcloud.ParseKey("/Demo/night-bus/"))
		for _, test := range []struct {
			after time.Duration
			token string
			key   string
			want  bool
		}{
			{0, "a", "/demo/night-bus/", true},
			{0, "a", "/demo/night-bus-2/", false},
			{0, "b", "/demo/night-bus/", false},
			{0, "", "/demo/night-bus/", false},
			{10*time.Minute - 1, "a", "/DEMO/night-bus/", true},
			{1, "a", "/demo/night-bus/", false},
		} {
			time.Sleep(test.after)
			if got := s.Session(test.token).JustUploaded(mixcloud.ParseKey(test.key)); got != test.want {
				t.Errorf("%+v: JustUploaded() = %v, want %v", test, got, test.want)
			}
		}
	})
}
