// Command shows lists the newest shows of a Mixcloud user. It is an example of a program that imports the client and the
// emulator as packages:
//
//	go run ./examples/shows -demo spartacus   # from an emulator in the same process
//	go run ./examples/shows NTSRadio          # from Mixcloud
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

func main() {
	demo := flag.Bool("demo", false, "use an emulator instead of Mixcloud")
	limit := flag.Int("n", 5, "maximum number of shows")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: shows [-demo] [-n NUMBER] USERNAME")
	}
	client, err := newClient(*demo)
	if err != nil {
		log.Fatal(err)
	}
	if err := list(context.Background(), os.Stdout, client, flag.Arg(0), *limit); err != nil {
		log.Fatal(err)
	}
}

// newClient returns a client for Mixcloud, or for a new emulator if demo is true.
func newClient(demo bool) (*mixcloud.Client, error) {
	if !demo {
		return mixcloud.New()
	}
	e, err := emulator.New()
	if err != nil {
		return nil, err
	}
	return mixcloud.New(mixcloud.WithHTTPClient(&http.Client{Transport: e.Transport()}))
}

// list writes a line for each of the user's newest shows, up to limit.
func list(ctx context.Context, w io.Writer, client *mixcloud.Client, username string, limit int) error {
	page := func(ctx context.Context, r mixcloud.Range) (*mixcloud.Page[mixcloud.Cloudcast], error) {
		return client.UserCloudcasts(ctx, username, r)
	}
	for show, err := range mixcloud.All(ctx, mixcloud.Range{}, limit, page) {
		switch {
		case errors.Is(err, mixcloud.ErrNotFound):
			return fmt.Errorf("there is no user %s", username)
		case err != nil:
			return err
		}
		date := "          "
		if show.CreatedTime != nil { // nil if Mixcloud did not send the member
			date = show.CreatedTime.Format("2006-01-02")
		}
		if _, err := fmt.Fprintf(w, "%s  %s\n", date, show.Name); err != nil {
			return err
		}
	}
	return nil
}
