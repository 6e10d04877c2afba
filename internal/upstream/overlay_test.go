package upstream

import (
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mixcloud-graphql/mixcloud"
)

// A laggard is a Mixcloud with one flag and its count, whose reads show a write
// only after a while.
type laggard struct {
	lag    time.Duration
	first  bool
	writes []written
}

type written struct {
	on bool
	at time.Time
}

// read is what can be read at a time: the flag, and by how much the count is
// above that of nobody's flag.
func (l *laggard) read(now time.Time) (bool, int) {
	on := l.first
	for _, w := range l.writes {
		if !w.at.Add(l.lag).After(now) {
			on = w.on
		}
	}
	return on, count(on)
}

// now is how it really is.
func (l *laggard) now() bool {
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

// TestOverlay_Property writes and reads at any times. As long as reads lag by
// less than a write's life, whoever wrote sees what was written last, with the
// count that goes with it, and everybody else what Mixcloud says.
func TestOverlay_Property(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := overlay{life: time.Minute}
		upstream := &laggard{
			lag:   time.Duration(rapid.IntRange(0, 59_999).Draw(t, "lag")) * time.Millisecond,
			first: rapid.Bool().Draw(t, "first"),
		}
		now := time.Unix(1e9, 0)
		m := mark{Favorited, "/a/b/"}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 500, 5_000, 20_000, 59_999, 61_000}).Draw(t, "pause")) * time.Millisecond)
			if rapid.IntRange(0, 2).Draw(t, "what") == 0 {
				on := rapid.Bool().Draw(t, "on")
				upstream.writes = append(upstream.writes, written{on, now})
				o.put("me", m, on, now)
				o.put("me", mark{Reposted, m.target}, !on, now) // is nothing to the other flag
			}
			read, shown := upstream.read(now)
			got, behind := o.correct("me", m, read, now)
			if want := upstream.now(); got != want || shown+behind != count(want) {
				t.Fatalf("at %v of %v, lag %v: %v with a count of %d, want %v", now, upstream.writes, upstream.lag, got, shown+behind, want)
			}
			if got, behind := o.correct("you", m, read, now); got != read || behind != 0 {
				t.Fatalf("somebody else is told %v, %d and not %v", got, behind, read)
			}
			if got, behind := o.correct("me", mark{Favorited, "/a/c/"}, read, now); got != read || behind != 0 {
				t.Fatalf("another target is said to be %v, %d and not %v", got, behind, read)
			}
		}
	})
}

// TestOverlay_Life tells when a write is believed no longer: when a read agrees,
// unless an earlier one of the same flag may still be on its way, and in any
// case after a minute.
func TestOverlay_Life(t *testing.T) {
	t.Parallel()
	start := time.Unix(1e9, 0)
	m := mark{Following, "/spartacus/"}
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	for name, test := range map[string]struct {
		do   func(*overlay)
		read bool // what is read then
		when int
		want bool
	}{
		"pending":                    {func(o *overlay) { o.put("", m, true, at(0)) }, false, 59, true},
		"too old":                    {func(o *overlay) { o.put("", m, true, at(0)) }, false, 60, false},
		"agreed, then undone abroad": {func(o *overlay) { o.put("", m, true, at(0)); o.correct("", m, true, at(5)) }, false, 6, false},
		"undone while pending": {func(o *overlay) {
			o.put("", m, true, at(0))
			o.put("", m, false, at(1))
			o.correct("", m, false, at(2)) // a read of before both
		}, true, 8, false},
		"undone after it was seen": {func(o *overlay) {
			o.put("", m, true, at(0))
			o.correct("", m, true, at(5))
			o.put("", m, false, at(6))
			o.correct("", m, false, at(12))
		}, true, 13, true},
		"done twice":                  {func(o *overlay) { o.put("", m, true, at(0)); o.put("", m, true, at(50)) }, false, 100, true},
		"done twice, then agreed":     {func(o *overlay) { o.put("", m, true, at(0)); o.put("", m, true, at(1)); o.correct("", m, true, at(2)) }, false, 3, false},
		"a churned one ends with age": {func(o *overlay) { o.put("", m, true, at(0)); o.put("", m, false, at(1)) }, true, 61, true},
	} {
		o := &overlay{life: time.Minute}
		test.do(o)
		if got, _ := o.correct("", m, test.read, at(test.when)); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestOverlay_Forgets keeps nothing of those who write no more.
func TestOverlay_Forgets(t *testing.T) {
	t.Parallel()
	o := overlay{life: time.Minute}
	now := time.Unix(1e9, 0)
	for i := range 1000 {
		o.put(string(rune('a'+i%26)), mark{Following, string(rune(i + 100))}, true, now.Add(time.Duration(i)*time.Second))
	}
	kept := 0
	for _, mine := range o.writes {
		kept += len(mine)
	}
	if kept != 60 {
		t.Errorf("%d writes are kept, want those of the last minute", kept)
	}
}

// storeOf makes a store that is never asked for anything.
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

// TestSession_Corrects corrects values of every shape that carry a flag, and
// leaves absent flags, hidden counts and other operations' values alone.
func TestSession_Corrects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := storeOf(t)
		mine, yours, nobodys := s.Session("a"), s.Session("b"), s.Session("")
		no, five := func() *bool { return new(bool) }, func() *int { n := 5; return &n }
		cast := func() mixcloud.Cloudcast {
			return mixcloud.Cloudcast{
				Key: "/Spartacus/party-time/", Favorited: no(), Reposted: no(), IsListenLater: no(), FavoriteCount: five(), RepostCount: five(),
				User: &mixcloud.User{Key: "/spartacus/", Following: no()}, Hosts: []mixcloud.User{{Key: "/SPARTACUS/", Following: no()}, {Key: "/x/", Following: no()}},
			}
		}
		mine.Wrote(Following, "/spartacus/", true)
		mine.Wrote(Favorited, "/spartacus/party-time/", true)
		time.Sleep(time.Second)
		mine.Wrote(Reposted, "/spartacus/party-time/", true)
		mine.Wrote(ListenLater, "/spartacus/party-time/", true)

		later := s.Session("a") // another operation of the same token
		c := later.CorrectCloudcast(cast())
		if !*c.Favorited || !*c.Reposted || !*c.IsListenLater || *c.FavoriteCount != 6 || *c.RepostCount != 6 ||
			!*c.User.Following || !*c.Hosts[0].Following || *c.Hosts[1].Following {
			t.Errorf("corrected: %+v", c)
		}
		if n := later.Behind(Favorited, "/spartacus/PARTY-time/"); n != 0 { // slugs have a case, user names have none
			t.Errorf("another slug is behind by %d", n)
		}
		if n := later.Behind(Favorited, "/SPARTACUS/party-time/"); n != 1 {
			t.Errorf("behind by %d", n)
		}
		hidden := cast()
		hidden.HiddenStats = new(true)
		hidden = later.CorrectCloudcast(hidden)
		if !*hidden.Favorited || *hidden.FavoriteCount != 5 || *hidden.RepostCount != 5 {
			t.Errorf("hidden: %+v", hidden)
		}
		u := later.CorrectFullUser(mixcloud.FullUser{User: mixcloud.User{Key: "/spartacus/", Following: no()}, FollowerCount: five(), FollowingCount: five()})
		if !*u.Following || *u.FollowerCount != 6 || *u.FollowingCount != 5 {
			t.Errorf("user: %+v", u)
		}
		bare := later.CorrectFullUser(mixcloud.FullUser{User: mixcloud.User{Key: "/spartacus/"}, FollowerCount: five()})
		if bare.Following != nil || *bare.FollowerCount != 5 {
			t.Errorf("without a flag nothing is known: %+v", bare)
		}
		for name, other := range map[string]*Session{"another token": yours, "nobody": nobodys} {
			c := other.CorrectCloudcast(cast())
			if diff := cmp.Diff(cast(), c, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
				t.Errorf("%s sees another's writes: %s", name, diff)
			}
			if pending := other.Pending(Following); len(pending) > 0 {
				t.Errorf("%s has %q pending", name, pending)
			}
		}
		mine.Wrote(Favorited, "/first/one/", true)
		if got := later.Pending(Favorited); !slices.Equal(got, []string{"/spartacus/party-time/", "/first/one/"}) {
			t.Errorf("pending: %q", got)
		}
		time.Sleep(time.Minute)
		if got := later.Pending(Favorited); len(got) != 0 {
			t.Errorf("pending after a minute: %q", got)
		}
		zero := 0
		mine.Wrote(Favorited, "/a/b/", false)
		c = later.CorrectCloudcast(mixcloud.Cloudcast{Key: "/a/b/", Favorited: new(true), FavoriteCount: &zero})
		if *c.Favorited || *c.FavoriteCount != 0 {
			t.Errorf("a count below nothing: %+v", c)
		}
	})
}

// TestSession_JustUploaded knows for ten minutes, for its own audience, that an
// upload may not be found yet.
func TestSession_JustUploaded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := storeOf(t)
		s.Session("a").Uploaded("/Demo/night-bus/")
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
			if got := s.Session(test.token).JustUploaded(test.key); got != test.want {
				t.Errorf("%+v: %v", test, got)
			}
		}
	})
}
