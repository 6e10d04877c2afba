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

// goldenIDs reads testdata/ids.golden: an id, its kind, its key and, for a comment or an
// activity, the owner and the time.
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

// Ids of all releases can be decoded, because clients store them. Lines may be added to
// the file but never changed.
func TestParseID_AllReleases(t *testing.T) {
	t.Parallel()
	ids := goldenIDs(t)
	kinds := map[Kind]bool{}
	for text, want := range ids {
		kinds[want.Kind] = true
		got, err := ParseID(text)
		if err != nil {
			t.Errorf("ParseID(%s) returned the error %v, want %v", text, err, want)
			continue
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(mixcloud.CanonicalKey{})); diff != "" {
			t.Errorf("ParseID(%s) (-want +got):\n%s", text, diff)
		}
	}
	for kind := range kindCodes {
		if !kinds[kind] {
			t.Errorf("testdata/ids.golden has no id of the kind %s", kind)
		}
	}
}

// No two kinds share a code.
func TestKindCodes_Unique(t *testing.T) {
	t.Parallel()
	seen := map[string]Kind{}
	for kind, code := range kindCodes {
		if other, ok := seen[code]; ok {
			t.Errorf("the kinds %s and %s have the same code %q", kind, other, code)
		}
		seen[code] = kind
	}
}

// encodeID encodes the lines of an id, valid or not.
func encodeID(lines ...string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(lines, "\n")))
}

// Ids that String never returns are errors.
func TestParseID_Forged(t *testing.T) {
	t.Parallel()
	good := encodeID("1u", "/spartacus/")
	if _, err := ParseID(good); err != nil {
		t.Fatalf("ParseID of a valid id: %v", err)
	}
	for name, text := range map[string]string{
		"empty":                        "",
		"not base64":                   "spartacus!",
		"padded":                       base64.URLEncoding.EncodeToString([]byte("1u\n/spartacus/")),
		"standard base64":              base64.RawStdEncoding.EncodeToString([]byte("1c\n/a/%C3%BF%C3%BF/")) + "+",
		"stray bits at the end":        good[:len(good)-1] + "9",
		"a line break":                 good[:8] + "\n" + good[8:],
		"no key":                       encodeID("1u"),
		"an empty key":                 encodeID("1u", ""),
		"another version":              encodeID("2u", "/spartacus/"),
		"an unknown kind":              encodeID("1z", "/spartacus/"),
		"no kind":                      encodeID("1", "/spartacus/"),
		"a key of another kind":        encodeID("1u", "/spartacus/party-time/"),
		"a list's key":                 encodeID("1c", "/spartacus/followers/"),
		"a page of the site":           encodeID("1u", "/popular/"),
		"another case":                 encodeID("1u", "/Spartacus/"),
		"another escaping":             encodeID("1u", "/spartacu%73/"),
		"an old prefix of a tag":       encodeID("1t", "/discover/funk/"),
		"a city as a tag":              encodeID("1t", "/genres/city:athens/"),
		"no slash at the end":          encodeID("1u", "/spartacus"),
		"dots":                         encodeID("1c", "/spartacus/../"),
		"a query":                      encodeID("1u", "/spartacus/?x=1"),
		"a URL":                        encodeID("1u", "https://www.mixcloud.com/spartacus/"),
		"a third line":                 encodeID("1u", "/spartacus/", ""),
		"a comment without an owner":   encodeID("1m", "/comments/cr/1/2/c3/"),
		"a comment of a tag":           encodeID("1m", "/comments/cr/1/2/c3/", "/genres/funk/", "1"),
		"a comment that is a user":     encodeID("1m", "/spartacus/", "/spartacus/", "1"),
		"an activity of another owner": encodeID("1f", "/demo/feed/1/", "/spartacus/", "1"),
		"an activity of a cloudcast":   encodeID("1f", "/spartacus/party-time/feed/1/", "/spartacus/party-time/", "1"),
		"a time that is not a number":  encodeID("1m", "/comments/cr/1/2/c3/", "/demo/", "now"),
		"a time with a plus":           encodeID("1m", "/comments/cr/1/2/c3/", "/demo/", "+1"),
		"a time with zeros":            encodeID("1m", "/comments/cr/1/2/c3/", "/demo/", "01"),
		"a time before 1970":           encodeID("1m", "/comments/cr/1/2/c3/", "/demo/", "-1"),
		"a time after 9999":            encodeID("1m", "/comments/cr/1/2/c3/", "/demo/", "253402300800"),
		"too long":                     encodeID("1u", "/"+strings.Repeat("a", 5000)+"/"),
		"a control character":          encodeID("1m", "/comments/cr/1/2/c\x003/", "/demo/", "1"),
	} {
		if id, err := ParseID(text); err == nil {
			t.Errorf("%s: ParseID(%q) returned %v, want an error", name, text, id)
		}
	}
}

// A text that ParseID accepts is the one that String returns for the id.
func FuzzParseID(f *testing.F) {
	for text := range goldenIDs(f) {
		f.Add(text)
	}
	f.Add(encodeID("1m", "/comments/cr/1/2/c3/", "/demo/", "1"))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseID(text)
		if err != nil {
			if id.Kind != "" || !id.Key.IsZero() {
				t.Errorf("got error %v and the id %v, want a zero id", err, id)
			}
			return
		}
		if got := id.String(); got != text {
			t.Errorf("ParseID(%q) = %v, whose text is %q, want the same text", text, id, got)
		}
		if key := id.Key.String(); strings.Contains(key, "/../") || strings.ContainsAny(key, "?#\n ") || !strings.HasPrefix(key, "/") {
			t.Errorf("ParseID(%q) returned the key %q, want a valid path", text, id.Key)
		}
	})
}

// Every id of a valid key can be decoded.
func FuzzNodeID(f *testing.F) {
	f.Add("spartacus", "party-time", int64(1_700_000_000))
	f.Add("νυχτερινό-τραμ", "τελευταία", int64(0))
	f.Add("a+b", "100%", int64(253402300799))
	f.Fuzz(func(t *testing.T, user, slug string, second int64) {
		owner, show := mixcloud.ParseKey(wireKey(user)), mixcloud.ParseKey(wireKey(user, slug))
		ids := map[string]bool{ // whether the key is valid
			resourceID(KindUser, owner):     hasKind(owner, mixcloud.KindUser),
			resourceID(KindCloudcast, show): hasKind(show, mixcloud.KindCloudcast),
		}
		at := time.Unix(second, 0).UTC()
		validTime := second >= 0 && second <= maxUnix
		for key, kind := range map[mixcloud.CanonicalKey]mixcloud.Kind{owner.Canonical(): mixcloud.KindUser, show.Canonical(): mixcloud.KindCloudcast} {
			ids[listItemID(KindComment, mixcloud.ParseKey("/comments/cr/1/2/c3/"), key, &at)] = validTime && hasKind(key.Key(), kind)
		}
		ids[listItemID(KindActivity, mixcloud.ParseKey(owner.String()+"feed/1/"), owner.Canonical(), &at)] = validTime && hasKind(owner, mixcloud.KindUser)
		for text, valid := range ids {
			id, err := ParseID(text)
			if valid && err != nil {
				t.Errorf("ParseID(%q) for %q and %q: error %v, want none", text, owner, show, err)
			}
			if err == nil && id.String() != text {
				t.Errorf("ParseID(%q) = %v, whose text is %q, want the same text", text, id, id)
			}
		}
	})
}

// hasKind reports whether a key is that of a resource of a kind.
func hasKind(key mixcloud.Key, kind mixcloud.Kind) bool {
	ref, err := mixcloud.ParseRef(key.String())
	return err == nil && ref.Kind == kind
}

// Encoding an id allocates only the result, for all spellings of a key: a page has
// hundreds of ids.
func TestResourceID_Allocations(t *testing.T) { //nolint:paralleltest // AllocsPerRun counts the allocations of the whole process
	for _, text := range []string{"/spartacus/party-time/", "/Spartacus/party-time/", "/discover/funk/", "/%c3%96zg/"} {
		key := mixcloud.ParseKey(text)
		if n := testing.AllocsPerRun(100, func() { _ = resourceID(KindCloudcast, key) }); n > 1 {
			t.Errorf("%s: %v allocations, want at most 1", text, n)
		}
	}
}
