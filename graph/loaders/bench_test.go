package loaders

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// fixedResponse is a transport that makes no call.
type fixedResponse struct{}

func (fixedResponse) RoundTrip(req *http.Request) (*http.Response, error) {
	const body = `{"key":"/spartacus/","username":"spartacus","name":"Spartacus"}`
	return &http.Response{
		StatusCode: http.StatusOK, Request: req, ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// BenchmarkLoad_Cold measures a load that needs a call, without the network: the loader, the
// read without a cache entry, and the client.
func BenchmarkLoad_Cold(b *testing.B) {
	client, err := mixcloud.New(mixcloud.WithAPIURL("https://mixcloud.test"), mixcloud.WithHTTPClient(&http.Client{Transport: fixedResponse{}}))
	if err != nil {
		b.Fatal(err)
	}
	store := upstream.NewStore(client, upstream.Options{CacheBytes: -1})
	b.Cleanup(func() { _ = store.Close(context.WithoutCancel(b.Context())) })
	key := mixcloud.ParseKey("/spartacus/")
	for name, token := range map[string]string{"anonymous": "", "token": "t"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ctx := Into(b.Context(), New(b.Context(), store.Session(token)))
				if _, err := Users.Load(ctx, key); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
