package mixcloud_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// newClient returns a client of an emulator, so that the examples run without a
// network. A client of the live service is mixcloud.New().
func newClient() *mixcloud.Client {
	client, _ := newEmulator()
	return client
}

// newEmulator returns a client and the emulator that it calls.
func newEmulator() (*mixcloud.Client, *emulator.Emulator) {
	e, err := emulator.New()
	if err != nil {
		log.Fatal(err)
	}
	client, err := mixcloud.New(mixcloud.WithHTTPClient(&http.Client{Transport: e.Transport()}))
	if err != nil {
		log.Fatal(err)
	}
	return client, e
}

func Example() {
	ctx := context.Background()
	client := newClient()

	user, err := client.User(ctx, "https://www.mixcloud.com/spartacus/")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(user.Name, "has", *user.CloudcastCount, "shows")

	shows, err := client.UserCloudcasts(ctx, user.Key.String(), mixcloud.Range{Limit: 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("a page of", len(shows.Items), "with a next page:", shows.Next != nil)
	// Output:
	// Spartacus has 5 shows
	// a page of 2 with a next page: true
}

// All returns the items of a list of any length, and fetches a page when the
// loop reaches its first item.
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

// Next of a page leads to the next page. A program that stores Next.Range can
// continue later.
func ExamplePage() {
	ctx := context.Background()
	client := newClient()

	at := mixcloud.Range{Limit: 2}
	for {
		page, err := client.UserCloudcasts(ctx, "spartacus", at)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("a page of", len(page.Items))
		if page.Next == nil {
			break
		}
		at = page.Next.Range
	}
	// Output:
	// a page of 2
	// a page of 2
	// a page of 1
}

// A program that has made too many calls waits as long as Mixcloud asks, and
// retries.
func ExampleRetryAfter() {
	ctx := context.Background()
	client, e := newEmulator()
	// The emulator refuses the first call.
	refusal := emulator.Fault{Kind: emulator.FaultRateLimit, Times: 1, RetryAfter: 30 * time.Second}
	if err := e.Fail(refusal); err != nil {
		log.Fatal(err)
	}
	// In a program: select on time.After(wait) and ctx.Done().
	sleep := func(wait time.Duration) { fmt.Println("waiting", wait) }

	for range 3 {
		user, err := client.User(ctx, "spartacus")
		if wait, limited := mixcloud.RetryAfter(err); limited { // errors.Is(err, mixcloud.ErrRateLimited)
			sleep(max(wait, time.Second)) // 0 if Mixcloud did not say how long
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(user.Name)
		break
	}
	// Output:
	// waiting 30s
	// Spartacus
}

// An upload needs a token, a name and an audio file. Optional fields are
// pointers, made with new.
func ExampleClient_Upload() {
	ctx := context.Background()
	client := newClient().As("demo-token")

	audio, err := os.Open("testdata/night-bus.mp3")
	if err != nil {
		log.Fatal(err)
	}
	defer audio.Close()

	result, err := client.Upload(ctx, mixcloud.UploadFields{
		Name:     new("Night Bus"),
		Tags:     []string{"Dub", "Ambient"},
		Sections: []mixcloud.SectionFields{{Chapter: "Terminus", StartTime: new(0)}},
		Unlisted: new(true),
	}, mixcloud.OSFiles(audio, nil))
	if err != nil {
		log.Println(err)
		return
	}
	fmt.Println(result.Success, result.Key)
	// Output: true /demo/night-bus/
}

// errors.Is finds the kind of an error. The fields of an Error describe the call.
func ExampleError() {
	_, err := newClient().User(context.Background(), "/no-such-user/")
	if errors.Is(err, mixcloud.ErrNotFound) {
		fmt.Println("there is no user with that name")
	}
	if e, ok := errors.AsType[*mixcloud.Error](err); ok {
		fmt.Println(e.Op, e.Status, e.Type)
	}
	// Output:
	// there is no user with that name
	// User 404 ResourceNotFoundException
}

// As returns a client that acts for the user who owns a token.
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

// The same resource can have several keys. They are printed as received, and
// Equal compares the resources that they name.
func ExampleKey() {
	listed, pasted := mixcloud.ParseKey("/NTSRadio/"), mixcloud.ParseKey("/ntsradio/")
	fmt.Println(listed, listed.Equal(pasted))

	followed := map[mixcloud.CanonicalKey]bool{listed.Canonical(): true}
	fmt.Println(followed[pasted.Canonical()])
	// Output:
	// /NTSRadio/ true
	// true
}

// ParseRef reads a key or a URL without a call to Mixcloud.
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
