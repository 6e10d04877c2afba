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

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals) // first, so that a second signal ends the process at once
		cancel()
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main up to the exit status, which it returns.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd, err := config.Parse(args, os.Environ(), stdout)
	if errors.Is(err, config.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "%v\nRun mixcloud-graphql serve --help, or another command with --help, to see every flag.\n", err)
		return 2
	}
	err = app.Run(ctx, cmd, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "mixcloud-graphql:", err)
	}
	_, wrongConfig := errors.AsType[*app.ConfigError](err)
	switch {
	case err == nil:
		return 0
	case wrongConfig:
		return 2
	case errors.Is(err, app.ErrDifference):
		return 3
	default:
		return 1
	}
}
