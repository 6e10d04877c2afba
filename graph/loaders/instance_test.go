package loaders

import (
	"context"
	"strings"
	"sync"
	"testing"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// TestIn holds that an operation makes the dataloaders that it uses, when it first
// uses them, and one of each even if many fields do so at once.
func TestIn(t *testing.T) {
	t.Parallel()
	ctx, wire := operation(t, "")
	l := From(ctx)
	if len(l.instances) != 0 {
		t.Errorf("%d dataloaders before the first use", len(l.instances))
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
	if got := strings.Join(wire.asked(), " "); got != "/demo/ /search/" {
		t.Errorf("called %q", got)
	}
	if len(l.instances) != 2 {
		t.Errorf("%d dataloaders, want 2", len(l.instances))
	}
}

// TestForget holds that after a write the loaders that were used before fetch
// again, that those first used after it fetch once, and that the viewer and the
// users that were primed are forgotten with them. Embeds stay: no write changes them.
func TestForget(t *testing.T) {
	t.Parallel()
	ctx, wire := operation(t, "demo-token")
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
		if got := strings.Join(wire.asked(), " "); got != want {
			t.Errorf("called %q, want %q", got, want)
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

// BenchmarkNew measures what an operation pays for its loaders: all of them
// together if it uses none, and for the first load of one of them.
func BenchmarkNew(b *testing.B) {
	client, err := mixcloud.New()
	if err != nil {
		b.Fatal(err)
	}
	store := upstream.NewStore(client, upstream.Options{CacheBytes: -1})
	b.Cleanup(func() { _ = store.Close(context.WithoutCancel(b.Context())) })
	session := store.Session("")
	var made *Loaders // escapes, as it does in a context
	defer func() { Into(b.Context(), made) }()
	b.Run("none used", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			made = New(b.Context(), session)
		}
	})
	b.Run("one used", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Users.loader.in(New(b.Context(), session))
		}
	})
}
