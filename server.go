// Command mixcloud-graphql serves a GraphQL graph over the Mixcloud REST API.
//
//	mixcloud-graphql --demo       # on a small Mixcloud in memory
//	mixcloud-graphql --help
//
// It exits with 0 after draining, 1 when something failed while running, 2 on
// a wrong command line or configuration, and 3 when a comparison found a
// difference.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"mixcloud-graphql/internal/app"
	"mixcloud-graphql/internal/config"
)

const (
	exitFailed     = 1
	exitUsage      = 2
	exitDifference = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run is main without the process around it. It returns the exit status.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	cmd, err := config.Parse(args, getenv, stdout)
	if errors.Is(err, config.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "%v\nRun mixcloud-graphql --help to see every flag.\n", err)
		return exitUsage
	}
	if err := app.Run(ctx, cmd, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "mixcloud-graphql:", err)
		if errors.Is(err, app.ErrDifference) {
			return exitDifference
		}
		return exitFailed
	}
	return 0
}
