// Command genqlient calls a demo server with a client that genqlient generated from
// the server's schema. It fails if a result is wrong.
//
//	go tool genqlient && go run . http://127.0.0.1:8080/graphql
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/Khan/genqlient/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// docs: bearer

// bearer adds a token to each request.
type bearer string

// RoundTrip implements [http.RoundTripper].
func (token bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(token))
	return http.DefaultTransport.RoundTrip(r)
}

// docs: end

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, url string) error {
	anonymous := graphql.NewClient(url, http.DefaultClient)
	for name, part := range map[string]func() error{
		"pages":    func() error { return pages(ctx, anonymous) },
		"resource": func() error { return resource(ctx, graphql.NewClientUsingGet(url, http.DefaultClient)) },
		"write":    func() error { return write(ctx, url) },
		"errors": func() error {
			return refused(ctx, anonymous, graphql.NewClient(url, &http.Client{Transport: bearer("a b")}))
		},
	} {
		if err := part(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Println(name, "ok")
	}
	return nil
}

// pages reads a whole list, page by page.
func pages(ctx context.Context, client graphql.Client) error {
	var names []string
	var after *string
	for {
		resp, err := Followers(ctx, client, "demo", 20, after)
		if err != nil {
			return err
		}
		page := resp.User.Followers
		for _, user := range page.Nodes {
			names = append(names, user.Name)
		}
		after = page.PageInfo.EndCursor
		if !page.PageInfo.HasNextPage {
			break
		}
		if len(names) > 1000 {
			return errors.New("hasNextPage is still true after 1000 followers")
		}
	}
	resp, err := Followers(ctx, client, "demo", 100, nil)
	if err != nil {
		return err
	}
	if resp.User.CreatedAt.IsZero() || len(names) <= 100 {
		return fmt.Errorf("user: created at %v, %d followers, want a time and more than 100", resp.User.CreatedAt, len(names))
	}
	for i, user := range resp.User.Followers.Nodes {
		if names[i] != user.Name {
			return fmt.Errorf("follower %d is %q in pages of 20, %q in one of 100", i, names[i], user.Name)
		}
	}
	return nil
}

// resource reads an interface, with GET.
func resource(ctx context.Context, client graphql.Client) error {
	resp, err := Resource(ctx, client, "/spartacus/party-time/")
	if err != nil {
		return err
	}
	cloudcast, ok := (*resp.Resource).(*ResourceResourceCloudcast)
	if !ok || cloudcast.Name != "Party Time" || *cloudcast.AudioLength != 3064 || !bytes.Contains(*cloudcast.Raw, []byte(`"/spartacus/party-time/"`)) {
		return fmt.Errorf("resource: got %#v, want the cloudcast Party Time", resp.Resource)
	}
	return nil
}

// write favorites a cloudcast with a bearer token, and expects a user error for an
// unknown one.
func write(ctx context.Context, url string) error {
	// docs: genqlient
	client := graphql.NewClient(url, &http.Client{Transport: bearer("demo-token")})
	key := "/spartacus/party-time/"
	resp, err := Favorite(ctx, client, FavoriteCloudcastInput{Key: &key})
	// docs: end
	if err != nil {
		return err
	}
	done := resp.FavoriteCloudcast
	if !*done.Changed || !*done.Cloudcast.ViewerHasFavorited || len(done.UserErrors) > 0 {
		return fmt.Errorf("favoriteCloudcast: got %+v, want changed, the viewer's favorite and no user errors", done)
	}
	key = "/spartacus/there-is-none/"
	if resp, err = Favorite(ctx, client, FavoriteCloudcastInput{Key: &key}); err != nil {
		return err
	}
	if wrong := resp.FavoriteCloudcast.UserErrors; len(wrong) != 1 || wrong[0].Code != UserErrorCodeNotFound {
		return fmt.Errorf("favoriteCloudcast of an unknown key: got %+v, want the user error NOT_FOUND", wrong)
	}
	return nil
}

// refused checks the errors of a response with status 200 and of one with status 401.
func refused(ctx context.Context, anonymous, malformed graphql.Client) error {
	_, err := Favorite(ctx, anonymous, FavoriteCloudcastInput{})
	var list gqlerror.List
	if !errors.As(err, &list) || list[0].Extensions["code"] != "UNAUTHENTICATED" {
		return fmt.Errorf("favoriteCloudcast without a token: got %v, want UNAUTHENTICATED", err)
	}
	_, err = Viewer(ctx, malformed)
	var status *graphql.HTTPError
	if !errors.As(err, &status) || status.StatusCode != http.StatusUnauthorized || status.Response.Errors[0].Extensions["code"] != "UNAUTHENTICATED" {
		return fmt.Errorf("viewer with a malformed token: got %v, want status 401 with UNAUTHENTICATED", err)
	}
	return nil
}
