package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"mixcloud-graphql/mixcloud/emulator"
)

// FuzzUpload checks that every upload is either accepted, found and logged, or rejected
// without an effect.
func FuzzUpload(f *testing.F) {
	for _, form := range []form{
		withAudio("name=x", "description=y", "tags-0-tag=Funk", "sections-0-artist=a", "sections-0-song=b", "hosts-0-username=spartacus").and(cover),
		withAudio("name=x", "publish_date=2030-01-01T00:00:00Z", "disable_comments=1", "unlisted=0"), fieldsOnly("name=x"), withAudio("name=\xff", "tags-0-tag=\u0000"),
		withAudio("name=!!", "tags-0-tag=!!", "sections-0-chapter=\r\n"), withAudio("name=feed", "sections-999999999999999999999-chapter=x", "tags-4-tag=ß"),
	} {
		contentType, body := form.encode(f)
		f.Add("/upload/", contentType, body)
		f.Add("/upload/demo/room-tone/edit/", contentType, body)
		f.Add("/upload/", contentType, body[:len(body)/2])
	}
	f.Add("/upload/", "application/x-www-form-urlencoded", "name=x&tags-0-tag=%ff")
	f.Add("/demo/room-tone/favorite/", "application/x-www-form-urlencoded", "method=delete")
	f.Add("/www/oauth/access_token", "application/x-www-form-urlencoded", "client_id=demo-client&client_secret=demo-secret&code=x")
	f.Add("/www/oauth/authorize?client_id=demo-client&redirect_uri=http://a/", "application/x-www-form-urlencoded", "form=x&choice=allow")
	e := newWritableEmulator(f, emulator.WithSeed(1))
	f.Fuzz(func(t *testing.T, target, contentType, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(u.Path, "/") || u.Host != "" || strings.HasPrefix(u.Path, "/__emulator/") {
			return
		}
		before := len(e.Uploads())
		r := httptest.NewRequest(http.MethodPost, host+"/", strings.NewReader(body))
		r.URL, r.RequestURI = u, target
		u.RawQuery += "&access_token=" + pro
		r.Header.Set("Content-Type", contentType)
		w := do(e, r)
		if w.Code >= 500 || len(e.ActiveUploads()) != 0 {
			t.Fatalf("POST %s: status %d, %d active uploads; want below 500, 0: %s", target, w.Code, len(e.ActiveUploads()), w.Body)
		}
		added := e.Uploads()[before:]
		if w.Header().Get("Content-Type") == "text/javascript; charset=utf-8" && u.Query().Get("callback") == "" {
			var response struct {
				Result  struct{ Key string }
				Details map[string][]string
			}
			if !json.Valid(w.Body.Bytes()) || json.Unmarshal(w.Body.Bytes(), &response) != nil {
				t.Fatalf("POST %s: body %s, want JSON with result and details", target, w.Body)
			}
			if key := response.Result.Key; key != "" {
				if w := get(t, e, key+"?access_token="+pro); w.Code != http.StatusOK {
					t.Fatalf("GET %s, the key of the upload: status %d, want 200", key, w.Code)
				}
				if len(added) == 1 && added[0].Key != key {
					t.Fatalf("Uploads has the key %q, want %q, as in the response", added[0].Key, key)
				}
			}
			for _, texts := range response.Details {
				if len(texts) == 0 || slices.Contains(texts, "") {
					t.Fatalf("the response has a field without an error message: %s", w.Body)
				}
			}
		}
		if w.Code != http.StatusOK && len(added) > 0 {
			t.Fatalf("status %d, but Uploads has the upload; want no upload after a failure", w.Code)
		}
		if len(e.Uploads()) > 1000 {
			e.Reset()
		}
	})
}
