package mixcloud_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// newClient is a client of an emulator, so that the examples run anywhere; for
// the live service it is mixcloud.New() alone.
func newClient() *mixcloud.Client {
	e, err := emulator.New()
	if err != nil {
		log.Fatal(err)
	}
	client, err := mixcloud.New(mixcloud.WithHTTPClient(&http.Client{Transport: e.Transport()}))
	if err != nil {
		log.Fatal(err)
	}
	return client
}

func Example() {
	ctx := context.Background()
	client := newClient()

	user, err := client.User(ctx, "https://www.mixcloud.com/spartacus/")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(user.Name, "has", *user.CloudcastCount, "shows")

	shows, err := client.UserCloudcasts(ctx, user.Key, mixcloud.Range{Limit: 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(shows.Items), "of them here, more:", shows.Next != nil)
	// Output:
	// Spartacus has 5 shows
	// 2 of them here, more: true
}

// A list of any length is a sequence. Ranging over it asks for a page when its
// first item is wanted.
func ExampleAll() {
	ctx := context.Background()
	client := newClient()

	list := func(ctx context.Context, r mixcloud.Range) (*mixcloud.Page[mixcloud.Cloudcast], error) {
		return client.UserCloudcasts(ctx, "/spartacus/", r)
	}
	n := 0
	for show, err := range mixcloud.All(ctx, mixcloud.Range{Limit: 2}, 0, list) {
		if err != nil {
			log.Fatal(err)
		}
		if show.User.Username == "spartacus" {
			n++
		}
	}
	fmt.Println(n, "shows")
	// Output: 5 shows
}

// Errors are told apart with errors.Is; what else is known of them, with
// errors.As.
func ExampleError() {
	_, err := newClient().User(context.Background(), "/nobody-of-that-name/")
	if errors.Is(err, mixcloud.ErrNotFound) {
		fmt.Println("there is nobody of that name")
	}
	if e, ok := errors.AsType[*mixcloud.Error](err); ok {
		fmt.Println(e.Op, e.Status, e.Type)
	}
	// Output:
	// there is nobody of that name
	// User 404 ResourceNotFoundException
}

// A client acts for the holder of a token, and tells what is theirs.
func ExampleClient_As() {
	ctx := context.Background()
	viewer := newClient().As("demo-token")

	me, err := viewer.Me(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(me.Username, *me.IsCurrentUser)
	fmt.Println(viewer)
	// Output:
	// demo true
	// mixcloud client of https://api.mixcloud.com with a token
}

// What a pasted address names is told by its form, without a call.
func ExampleParseRef() {
	for _, s := range []string{
		"https://www.mixcloud.com/spartacus/party-time/?utm_source=mail",
		"m.mixcloud.com/discover/city:athens",
		"/NTSRadio/",
		"https://www.mixcloud.com/spartacus/followers/",
	} {
		ref, err := mixcloud.ParseRef(s)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(ref.Kind, ref.Key)
	}
	// Output:
	// Cloudcast /spartacus/party-time/
	// City /discover/city:athens/
	// User /NTSRadio/
	// mixcloud: key names a list or an entry of one, not a resource
}

func ExampleDiscoverKey() {
	key, err := mixcloud.DiscoverKey([]string{"Drum & Bass"}, "Athens")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key)
	// Output: /genres/drum-bass+city:athens/
}
