// Command mixcloud-graphql is a GraphQL server for the Mixcloud REST API.
//
//	mixcloud-graphql --demo       # with an emulator of Mixcloud in memory
//	mixcloud-graphql --help
//
// The exit status is 0 after draining, 1 after an error at run time, 2 for a wrong command line or configuration, and 3
// if the conformance command found a difference.
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
		signal.Stop(signals) // before cancel, so that a second signal ends the process at once
		cancel()
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the command that args name, and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd, err := config.Parse(args, os.Environ(), stdout)
	if errors.Is(err, config.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "%v\nRun \"mixcloud-graphql serve --help\", or any other command with --help, to list its flags.\n", err)
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
