package auth

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

const testSecret = "0123456789abcdef0123456789abcdef"

func TestNewKeys(t *testing.T) {
	t.Parallel()
	for secret, ok := range map[string]bool{
		testSecret: true, testSecret + "\n": true, "  " + testSecret: true, strings.Repeat("é", 16): true,
		"": false, testSecret[1:]: false, testSecret[1:] + " ": false, strings.Repeat(" ", 64): false,
	} {
		_, err := NewKeys(secret)
		if (err == nil) != ok {
			t.Errorf("NewKeys(%q): error %v, want an error: %t", secret, err, !ok)
		}
		if err != nil && strings.TrimSpace(secret) != "" && strings.Contains(err.Error(), strings.TrimSpace(secret)) {
			t.Errorf("the error contains the key: %v", err)
		}
	}
}

// Values of earlier releases must stay valid, so these texts never change.
func TestKeys_StayTheSame(t *testing.T) {
	t.Parallel()
	keys, err := NewKeys(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := keys.Principal("demo-token"), "_b76noGHdP1J5fT0VL_N4SIhauY0Y2R-fOBCUrvazLY"; got != want {
		t.Errorf("the principal is %q, want %q", got, want)
	}
	const sealed = "1.-5bFjqpGp8MEw1ftybz8iqiSQXxf4OC8uvA_uVtmK5200RcqzSCP6FubcQpDffD-5c-M0rWqsolhSCihSKdHoh2RoHIYHg"
	if got, ok := keys.session.open(sealed); !ok || string(got) != `{"t":"demo-token","i":"ID","s":1700000000}` {
		t.Errorf("open of an earlier release's session = %q, %t, want the session", got, ok)
	}
}

func TestKeys_Differ(t *testing.T) {
	t.Parallel()
	a, b := RandomKeys(), RandomKeys()
	if a.Principal("x") == b.Principal("x") || a.Principal("x") == a.Principal("y") || a.Principal("") != "" {
		t.Error("principals are equal for different keys or tokens, or set without a token")
	}
	sealed := a.session.seal([]byte("x"))
	if again := a.session.seal([]byte("x")); sealed == again {
		t.Error("the same content was sealed to the same text twice, want different texts")
	}
	for name, s := range map[string]sealer{"another purpose": a.attempt, "another key": b.session} {
		if got, ok := s.open(sealed); ok {
			t.Errorf("%s opened a sealed session: %q", name, got)
		}
	}
	keys, err := NewKeys(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %v", keys, keys, keys, keys, *keys)
	for _, key := range [][]byte{keys.principal[:], []byte(testSecret)} {
		if strings.Contains(printed, fmt.Sprint(key[:4])[1:10]) || strings.Contains(printed, string(key)) {
			t.Errorf("a key was formatted in plain text: %s", printed)
		}
	}
}

// Sealed text opens to its content, and no changed text opens.
func TestSeal(t *testing.T) {
	t.Parallel()
	keys := RandomKeys()
	rapid.Check(t, func(t *rapid.T) {
		content := rapid.SliceOfN(rapid.Byte(), 0, 1500).Draw(t, "content")
		sealed := keys.session.seal(content)
		got, ok := keys.session.open(sealed)
		if !ok || string(got) != string(content) {
			t.Fatalf("open(seal(%q)) = %q, %t, want the content", content, got, ok)
		}
		at := rapid.IntRange(0, len(sealed)-1).Draw(t, "at")
		with := rapid.SampledFrom([]string{"", "A", "-", "=", "\n", "é"}).Draw(t, "with")
		if changed := sealed[:at] + with + sealed[at+1:]; changed != sealed {
			if got, ok := keys.session.open(changed); ok {
				t.Fatalf("open of the changed text %q = %q, want a refusal", changed, got)
			}
		}
	})
}

func FuzzOpen(f *testing.F) {
	keys, err := NewKeys(testSecret)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(keys.session.seal([]byte("x")))
	f.Add(keys.attempt.seal(nil))
	for _, seed := range []string{"", "1.", "1.A", "1.====", "2.AAAA", "1." + strings.Repeat("A", 5000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sealed string) {
		content, ok := keys.session.open(sealed)
		if !ok {
			return
		}
		// Only the key's owner can have sealed it: sealing again yields a different text with
		// the same content.
		again, ok := keys.session.open(keys.session.seal(content))
		if !ok || string(again) != string(content) {
			t.Errorf("open(%q) = %q, but open(seal(%[2]q)) = %q, %t, want the same content", sealed, content, again, ok)
		}
	})
}

func TestNonces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newLocalNonces(3)
		use := func(name string, life time.Duration) bool {
			first, err := n.Use(t.Context(), name, time.Now().Add(life))
			if err != nil {
				t.Fatal(err)
			}
			return first
		}
		if !use("a", time.Minute) || use("a", time.Minute) || !use("b", time.Hour) || use("b", time.Hour) {
			t.Error("a new nonce was refused, or a used one accepted")
		}
		time.Sleep(time.Minute)
		if !use("c", time.Hour) || len(n.used.until) != 2 {
			t.Errorf("nonces %v are stored after one expired, want 2, and the new one accepted", n.used.until)
		}
		for _, name := range []string{"d", "e", "f", "g"} {
			if !use(name, time.Hour) {
				t.Errorf("the new nonce %s was refused", name)
			}
		}
		if len(n.used.until) != 3 || len(n.used.queue) != 3 || use("g", time.Hour) || use("e", time.Hour) {
			t.Errorf("nonces %v are stored, want the latest 3, of which g and e are refused", n.used.until)
		}
	})
}
