package model

import (
	"encoding/base64"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mixcloud-graphql/mixcloud"
)

// goldenIDs reads testdata/ids.golden: an id, its kind, its key and, for what
// has no address of its own, the owner and the second.
func goldenIDs(t testing.TB) map[string]NodeID {
	t.Helper()
	text, err := os.ReadFile("testdata/ids.golden")
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]NodeID{}
	for line := range strings.SplitSeq(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, " ")
		id := NodeID{Kind: Kind(fields[1]), Key: mixcloud.ParseKey(fields[2])}
		if len(fields) == 5 {
			seconds, err := strconv.ParseInt(fields[4], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			id.Owner, id.Time = mixcloud.ParseKey(fields[3]).Canonical(), time.Unix(seconds, 0).UTC()
		}
		ids[fields[0]] = id
	}
	return ids
}

// TestParseID_OfEveryRelease decodes ids that were given out once: clients keep
// them for ever. Lines may be added to the file, and never changed.
func TestParseID_OfEveryRelease(t *testing.T) {
	t.Parallel()
	ids := goldenIDs(t)
	kinds := map[Kind]bool{}
	for text, want := range ids {
		kinds[want.Kind] = true
		got, err := ParseID(text)
		if err != nil {
			t.Errorf("%s, which is %v: %v", text, want, err)
			continue
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(mixcloud.CanonicalKey{})); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	for kind := range kindCodes {
		if !kinds[kind] {
			t.Errorf("no id of a %s is kept", kind)
		}
	}
}

// TestKindCodes keeps two kinds from sharing a code.
func TestKindCodes(t *testing.T) {
	t.Parallel()
	seen := map[string]Kind{}
	for kind, code := range kindCodes {
		if other, ok := seen[code]; ok {
			t.Errorf("%s and %s are both %q", kind, other, code)
		}
		seen[code] = kind
	}
}

func encoded(lines ...string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(lines, "\n")))
}

// TestParseID_Forged refuses what String never gives.
func TestParseID_Forged(t *testing.T) {
	t.Parallel()
	good := encoded("1u", "/spartacus/")
	if _, err := ParseID(good); err != nil {
		t.Fatalf("the id that the others are made of: %v", err)
	}
	for name, text := range map[string]string{
		"empty":                        "",
		"no base64":                    "spartacus!",
		"padded":                       base64.URLEncoding.EncodeToString([]byte("1u\n/spartacus/")),
		"standard base64":              base64.RawStdEncoding.EncodeToString([]byte("1c\n/a/%C3%BF%C3%BF/")) + "+",
		"stray bits at the end":        good[:len(good)-1] + "9",
		"a line break in it":           good[:8] + "\n" + good[8:],
		"no key":                       encoded("1u"),
		"an empty key":                 encoded("1u", ""),
		"another version":              encoded("2u", "/spartacus/"),
		"an unknown kind":              encoded("1z", "/spartacus/"),
		"no kind":                      encoded("1", "/spartacus/"),
		"a key of another kind":        encoded("1u", "/spartacus/party-time/"),
		"a list's key":                 encoded("1c", "/spartacus/followers/"),
		"a page of the site":           encoded("1u", "/popular/"),
		"another case":                 encoded("1u", "/Spartacus/"),
		"another escaping":             encoded("1u", "/spartacu%73/"),
		"an old prefix of a tag":       encoded("1t", "/discover/funk/"),
		"a city as a tag":              encoded("1t", "/genres/city:athens/"),
		"no slash at the end":          encoded("1u", "/spartacus"),
		"dots":                         encoded("1c", "/spartacus/../"),
		"a query":                      encoded("1u", "/spartacus/?x=1"),
		"an address":                   encoded("1u", "https://www.mixcloud.com/spartacus/"),
		"a third line":                 encoded("1u", "/spartacus/", ""),
		"a comment without an owner":   encoded("1m", "/comments/cr/1/2/c3/"),
		"a comment of a tag":           encoded("1m", "/comments/cr/1/2/c3/", "/genres/funk/", "1"),
		"a comment that is a user":     encoded("1m", "/spartacus/", "/spartacus/", "1"),
		"an activity of somebody else": encoded("1f", "/demo/feed/1/", "/spartacus/", "1"),
		"an activity of a cloudcast":   encoded("1f", "/spartacus/party-time/feed/1/", "/spartacus/party-time/", "1"),
		"a time that is none":          encoded("1m", "/comments/cr/1/2/c3/", "/demo/", "now"),
		"a time with a plus":           encoded("1m", "/comments/cr/1/2/c3/", "/demo/", "+1"),
		"a time with zeros":            encoded("1m", "/comments/cr/1/2/c3/", "/demo/", "01"),
		"a time before 1970":           encoded("1m", "/comments/cr/1/2/c3/", "/demo/", "-1"),
		"a time after 9999":            encoded("1m", "/comments/cr/1/2/c3/", "/demo/", "253402300800"),
		"too long":                     encoded("1u", "/"+strings.Repeat("a", 5000)+"/"),
		"a control character":          encoded("1m", "/comments/cr/1/2/c\x003/", "/demo/", "1"),
	} {
		if id, err := ParseID(text); err == nil {
			t.Errorf("%s: %q is read as %v", name, text, id)
		}
	}
}

// FuzzParseID holds that no text but its own names a node.
func FuzzParseID(f *testing.F) {
	for text := range goldenIDs(f) {
		f.Add(text)
	}
	f.Add(encoded("1m", "/comments/cr/1/2/c3/", "/demo/", "1"))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseID(text)
		if err != nil {
			if id.Kind != "" || !id.Key.IsZero() {
				t.Errorf("a refused id gives %v", id)
			}
			return
		}
		if again := id.String(); again != text {
			t.Errorf("%q is read as %v, which is %q", text, id, again)
		}
		if key := id.Key.String(); strings.Contains(key, "/../") || strings.ContainsAny(key, "?#\n ") || !strings.HasPrefix(key, "/") {
			t.Errorf("%q has the key %q", text, id.Key)
		}
	})
}

// FuzzNodeID holds that every id of a possible key can be read again.
func FuzzNodeID(f *testing.F) {
	f.Add("spartacus", "party-time", int64(1_700_000_000))
	f.Add("νυχτερινό-τραμ", "τελευταία", int64(0))
	f.Add("a+b", "100%", int64(253402300799))
	f.Fuzz(func(t *testing.T, user, slug string, second int64) {
		owner, show := mixcloud.ParseKey(wireKey(user)), mixcloud.ParseKey(wireKey(user, slug))
		ids := map[string]bool{ // whether it has to be read again
			resourceID(KindUser, owner):     is(owner, mixcloud.KindUser),
			resourceID(KindCloudcast, show): is(show, mixcloud.KindCloudcast),
		}
		at := time.Unix(second, 0).UTC()
		timely := second >= 0 && second <= maxUnix
		for key, kind := range map[mixcloud.CanonicalKey]mixcloud.Kind{owner.Canonical(): mixcloud.KindUser, show.Canonical(): mixcloud.KindCloudcast} {
			ids[listedID(KindComment, mixcloud.ParseKey("/comments/cr/1/2/c3/"), key, &at)] = timely && is(key.Key(), kind)
		}
		ids[listedID(KindActivity, mixcloud.ParseKey(owner.String()+"feed/1/"), owner.Canonical(), &at)] = timely && is(owner, mixcloud.KindUser)
		for text, possible := range ids {
			id, err := ParseID(text)
			if possible && err != nil {
				t.Errorf("%q of %q and %q: %v", text, owner, show, err)
			}
			if err == nil && id.String() != text {
				t.Errorf("%q is read as %v", text, id)
			}
		}
	})
}

// is tells whether a key is one of a kind.
func is(key mixcloud.Key, kind mixcloud.Kind) bool {
	ref, err := mixcloud.ParseRef(key.String())
	return err == nil && ref.Kind == kind
}

// TestResourceID_Allocations holds that an id costs its text alone, whichever way
// its key is spelled: a page has hundreds of them.
func TestResourceID_Allocations(t *testing.T) { //nolint:paralleltest // AllocsPerRun counts those of the whole process
	for _, text := range []string{"/spartacus/party-time/", "/Spartacus/party-time/", "/discover/funk/", "/%c3%96zg/"} {
		key := mixcloud.ParseKey(text)
		if n := testing.AllocsPerRun(100, func() { _ = resourceID(KindCloudcast, key) }); n > 1 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}
