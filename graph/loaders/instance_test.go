package loaders

import (
	"context"
	"strings"
	"sync"
	"testing"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// An operation creates a dataloader at its first use, and only one of each loader even
// if many fields use it concurrently.
func TestLoad_CreatesDataloaderOnce(t *testing.T) {
	t.Parallel()
	ctx, calls := newOperation(t, "")
	l := From(ctx)
	if len(l.instances) != 0 {
		t.Errorf("got %d dataloaders before the first use, want 0", len(l.instances))
	}
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if _, err := Users.Load(ctx, mixcloud.ParseKey("/demo/")); err != nil {
				t.Error(err)
			}
		})
		group.Go(func() {
			if _, err := TagPages.Load(ctx, SearchPage("funk", mixcloud.Range{})); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := strings.Join(calls.paths(), " "); got != "/demo/ /search/" {
		t.Errorf("got calls %q, want one of each", got)
	}
	if len(l.instances) != 2 {
		t.Errorf("got %d dataloaders, want 2", len(l.instances))
	}
}

// After Forget all loaders fetch again, also the viewer and primed users. Embeds are not
// forgotten, because writes do not change them.
func TestForget(t *testing.T) {
	t.Parallel()
	ctx, calls := newOperation(t, "demo-token")
	followers := ListPage("/demo/followers/", mixcloud.Range{Limit: 1})
	load := func(want string) {
		t.Helper()
		for range 2 {
			_, err := From(ctx).Viewer(ctx)
			must(t, err)
			_, err = Users.Load(ctx, mixcloud.ParseKey("/demo/"))
			must(t, err)
			_, err = UserPages.Load(ctx, followers)
			must(t, err)
			_, err = EmbedHTML.Load(ctx, NewEmbed(mixcloud.ParseKey("/spartacus/party-time/")))
			must(t, err)
		}
		if got := strings.Join(calls.paths(), " "); got != want {
			t.Errorf("got calls %q, want %q", got, want)
		}
	}
	load("/demo/followers/ /me/ /spartacus/party-time/embed-html/")
	From(ctx).Forget()
	load("/demo/followers/ /me/")
	From(ctx).Forget()
	_, err := Users.Load(ctx, mixcloud.ParseKey("/demo/"))
	must(t, err)
	_, err = CloudcastPages.Load(ctx, ListPage("/demo/cloudcasts/", mixcloud.Range{Limit: 1}))
	must(t, err)
	load("/demo/ /demo/cloudcasts/ /demo/followers/")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// BenchmarkNew measures the cost of the loaders of an operation that uses none of them,
// and of one that uses one.
func BenchmarkNew(b *testing.B) {
	client, err := mixcloud.New()
	if err != nil {
		b.Fatal(err)
	}
	store := upstream.NewStore(client, upstream.Options{CacheBytes: -1})
	b.Cleanup(func() { _ = store.Close(context.WithoutCancel(b.Context())) })
	session := store.Session("")
	var result *Loaders // escapes, as it does in a context
	defer func() { Into(b.Context(), result) }()
	b.Run("none used", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			result = New(b.Context(), session)
		}
	})
	b.Run("one used", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Users.loader.instanceIn(New(b.Context(), session))
		}
	})
}
