package auth

import (
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestSafeRedirect(t *testing.T) {
	t.Parallel()
	safe := []string{
		"/", "/x", "/x/", "/playground/main.js", "/app/page?a=b&c=%2F%2Fevil.example", "/x?next=https://evil.example", "/x#y", "/x?#", "/?q",
		"/%C3%A9t%C3%A9/", "/a:b", "/x;y=z", "/~user/@x", "/a..b/...", "/x?a=%0d%0a", "/not/oauth/login", "/oauthx", "/x?..%2f", "/" + strings.Repeat("x", maxNext-1),
	}
	for _, next := range safe {
		if got := safeRedirect(next); got != next {
			t.Errorf("safeRedirect(%q) = %q, want it unchanged", next, got)
		}
	}
	refused := map[string][]string{
		"not an absolute path":            {"", "x", "./x", "?x", "#x", "evil.example", " /x", "\t/x"},
		"another host":                    {"//evil.example", "///evil.example", "//", "//evil.example@x", "/\t/evil.example", "/\n/evil.example", "https://evil.example", "https:/x", "https:x", "HTTPS://evil.example/", "data:text/html,x", "javascript:alert(1)", "javascript://%0aalert(1)", "mailto:x@y"},
		"backslashes":                     {`/\evil.example`, `\/evil.example`, `\\evil.example`, `/x\y`, "/%5cevil.example", "/%5Cevil.example", "/x?a=\\"},
		"encoded slashes":                 {"/%2fevil.example", "/%2Fevil.example", "/x/%2f%2fy", "/%2f", "/x%2f..%2f"},
		"encoded twice":                   {"/%252fevil.example", "/%255cevil.example", "/%25"},
		"dots":                            {"/.", "/..", "/./x", "/../x", "/x/..", "/x/../y", "/.//evil.example", "/%2e%2e/x", "/%2e/x", "/..//evil.example", "/x/%2E%2e"},
		"empty segments":                  {"/x//y", "/x//", "/x//evil.example"},
		"control characters":              {"/x\r\nSet-Cookie: a=b", "/x\x00", "/x\x7f", "/%00", "/%0d%0aSet-Cookie:%20a", "/%7f", "/%1F", "/x\n"},
		"not ASCII":                       {"/é", "/\u2028", "/\u202e", "/\uff0f\uff0fevil.example", "/\xff", "/%ff", "/x?\u00a0"},
		"characters that must be escaped": {"/x y", `/"`, "/<script>", "/{x}", "/x|y", "/x`"},
		"broken encodings":                {"/%", "/%2", "/%zz", "/x%"},
		"signing in and out":              {"/oauth/login", "/oauth/logout", "/oauth/callback?x", "/oauth", "/oauth/", "/OAuth/login", "/%6fauth/login", "/oauth?x"},
		"too long for a cookie":           {"/" + strings.Repeat("x", maxNext)},
	}
	for reason, all := range refused {
		for _, next := range all {
			if got := safeRedirect(next); got != "/" {
				t.Errorf("%s: safeRedirect(%q) = %q, want \"/\"", reason, next, got)
			}
		}
	}
}

// A browser that is redirected to the result of safeRedirect stays on this server, on a path that
// means the same if it is cleaned or decoded once more, and never in a loop.
func FuzzSafeRedirect(f *testing.F) {
	for _, seed := range []string{
		"/x", "//evil.example", `/\evil.example`, "/%2fevil.example", "/%5cevil.example", "https://evil.example", "/x\r\ny", "/.//e", "/a?b#c", "/oauth/login", "/%6fauth", "/%2e%2e/",
		"/\t/e", "/é", "/%25%32%66", "/;//e", "/a:b@c", "/?//e", "/#//e",
	} {
		f.Add(seed)
	}
	base, err := url.Parse("https://graph.example/oauth/callback")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got := safeRedirect(next)
		if got != "/" && got != next {
			t.Fatalf("safeRedirect(%q) = %q, want \"/\" or the same", next, got)
		}
		// Browsers remove these before they parse a URL, and read \ as /.
		for _, read := range []string{got, strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(got), strings.TrimSpace(got)} {
			ref, err := url.Parse(read)
			if err != nil {
				t.Fatalf("safeRedirect returned %q, which is not a URL: %v", got, err)
			}
			to := base.ResolveReference(ref)
			if to.Scheme != "https" || to.Host != "graph.example" || to.User != nil {
				t.Fatalf("safeRedirect returned %q, which redirects to another origin: %s", got, to)
			}
			decoded, err := url.PathUnescape(to.EscapedPath())
			if err != nil {
				t.Fatalf("safeRedirect returned %q, whose path cannot be decoded: %v", got, err)
			}
			again, err := url.PathUnescape(decoded)
			if err != nil || again != decoded {
				t.Fatalf("safeRedirect returned %q, whose path can be decoded twice", got)
			}
			if clean := path.Clean(decoded); clean != strings.TrimSuffix(decoded, "/") && clean != decoded {
				t.Fatalf("safeRedirect returned %q, whose path is cleaned to %q, want a clean path", got, clean)
			}
			if strings.HasPrefix(decoded, "//") || strings.ContainsAny(decoded, "\\\x00\r\n") || strings.HasPrefix(strings.ToLower(decoded+"/"), "/oauth/") {
				t.Fatalf("safeRedirect returned %q, with the unsafe path %q", got, decoded)
			}
		}
		for _, c := range []byte(got) {
			if c <= ' ' || c >= 0x7f {
				t.Fatalf("safeRedirect returned %q with the byte %#x, want only printable ASCII", got, c)
			}
		}
	})
}
