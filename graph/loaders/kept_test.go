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

// TestFullReplacesPartial checks that a full user that one operation has loaded
// replaces the partial one in another operation's list, for each spelling of the key
// and only for the same principal, and that a partial user never replaces a full one.
func TestFullReplacesPartial(t *testing.T) {
	t.Parallel()
	e, err := emulator.New()
	if err != nil {
		t.Fatal(err)
	}
	wire := &tap{next: e.Transport()}
	client, err := mixcloud.New(mixcloud.WithAPIURL("https://mixcloud.test"), mixcloud.WithHTTPClient(&http.Client{Transport: wire}))
	if err != nil {
		t.Fatal(err)
	}
	store := upstream.NewStore(client, upstream.Options{})
	t.Cleanup(func() { _ = store.Close(context.WithoutCancel(t.Context())) })

	listed, err := CloudcastPages.Load(Into(t.Context(), New(t.Context(), store.Session(""))), ListPage("/spartacus/cloudcasts/", mixcloud.Range{Limit: 3}))
	if err != nil {
		t.Fatal(err)
	}
	wire.asked()
	partial := listed.Items[0].User
	load := func(token, key string, calls int) {
		t.Helper()
		session := store.Session(token)
		full, err := Users.Load(Into(t.Context(), New(t.Context(), session)), mixcloud.ParseKey(key))
		if err != nil || full.FollowerCount == nil {
			t.Fatalf("%s: %v, %+v", key, err, show.Value(full))
		}
		if asked := wire.asked(); len(asked) != calls || session.Cost().Calls != calls {
			t.Errorf("%q loads %s by %q", token, key, asked)
		}
	}
	load("", partial.Key.String(), 1) // the list's own does not pass for it
	load("", partial.Key.String(), 0) // in another operation
	load("", "/Spartacus/", 0)
	load("demo-token", partial.Key.String(), 1)
	load("demo-token", "/SPARTACUS/", 0)
	load("", partial.Key.String(), 0)
}
