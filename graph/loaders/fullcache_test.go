package loaders

import (
	"context"
	"net/http"
	"testing"

	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// A full user that one operation has loaded is used by other operations of the same
// principal, for all spellings of the key. The partial user of a list is never used as
// a full one.
func TestLoad_FullFromCache(t *testing.T) {
	t.Parallel()
	e, err := emulator.New()
	if err != nil {
		t.Fatal(err)
	}
	calls := &callRecorder{next: e.Transport()}
	client, err := mixcloud.New(mixcloud.WithAPIURL("https://mixcloud.test"), mixcloud.WithHTTPClient(&http.Client{Transport: calls}))
	if err != nil {
		t.Fatal(err)
	}
	store := upstream.NewStore(client, upstream.Options{})
	t.Cleanup(func() { _ = store.Close(context.WithoutCancel(t.Context())) })

	listed, err := CloudcastPages.Load(Into(t.Context(), New(t.Context(), store.Session(""))), ListPage("/spartacus/cloudcasts/", mixcloud.Range{Limit: 3}))
	if err != nil {
		t.Fatal(err)
	}
	calls.paths()
	partial := listed.Items[0].Value().User
	load := func(token, key string, want int) {
		t.Helper()
		session := store.Session(token)
		full, err := Users.Load(Into(t.Context(), New(t.Context(), session)), mixcloud.ParseKey(key))
		if err != nil || full.FollowerCount == nil {
			t.Fatalf("Load(%s) returned %+v, %v, want a full user", key, show.Value(full), err)
		}
		if got := calls.paths(); len(got) != want || session.Cost().Calls != want {
			t.Errorf("token %q: loading %s made the calls %q, want %d", token, key, got, want)
		}
	}
	load("", partial.Key.String(), 1) // the partial user of the list is not used
	load("", partial.Key.String(), 0) // in another operation
	load("", "/Spartacus/", 0)
	load("demo-token", partial.Key.String(), 1)
	load("demo-token", "/SPARTACUS/", 0)
	load("", partial.Key.String(), 0)
}
