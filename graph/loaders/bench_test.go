package loaders

import (
	"context"
	"net/http"
	"testing"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// BenchmarkLookUp measures an operation that looks up a cached user by name, from the
// argument to the user.
func BenchmarkLookUp(b *testing.B) {
	e, err := emulator.New()
	if err != nil {
		b.Fatal(err)
	}
	client, err := mixcloud.New(mixcloud.WithAPIURL("https://mixcloud.test"), mixcloud.WithHTTPClient(&http.Client{Transport: e.Transport()}))
	if err != nil {
		b.Fatal(err)
	}
	store := upstream.NewStore(client, upstream.Options{})
	b.Cleanup(func() { _ = store.Close(context.Background()) })
	for _, username := range []string{"spartacus", "Spartacus"} {
		b.Run(username, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ctx := Into(b.Context(), New(b.Context(), store.Session("")))
				in, err := mixcloud.UserInput(username)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := Users.Load(ctx, in.Key); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
