// Command compare measures this server and two servers for Node in the same run: Apollo Server with DataLoader, and
// GraphQL Yoga with DataLoader and its response cache.
//
//	go run ./bench/compare
//	go run ./bench/compare -rounds 5 -queries hundred
//
// It prints tables in Markdown: response times, processor time, calls and memory. The exit status does not depend on
// the figures: it is 0 if they could be measured. README.md explains them.
//
// It needs Linux, Node and npm, and is started in the root of the repository. The first run installs the packages of
// node/package-lock.json. All servers are separate processes on loopback, and are stopped at the end by their process
// ids.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"mixcloud-graphql/internal/app"
	"mixcloud-graphql/internal/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// settings are the settings of a run.
type settings struct {
	rounds      int
	queries     string        // part of the names
	latency     time.Duration // of a call, when response times are measured
	duration    time.Duration // of a measurement of processor time
	connections int           // when processor time is measured
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "serve" { // see process.StartSelf
		command, err := config.Parse(args, os.Environ(), stdout)
		if err != nil {
			return err
		}
		return app.Run(ctx, command, stdout, stderr)
	}
	var s settings
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&s.rounds, "rounds", 3, "number of rounds; each measures all servers, in another order")
	flags.StringVar(&s.queries, "queries", "", "measure only the queries whose names contain this text")
	flags.DurationVar(&s.latency, "latency", 20*time.Millisecond, "latency of a call, for response times")
	flags.DurationVar(&s.duration, "duration", 700*time.Millisecond, "duration of each measurement of processor time; up to twice as long on a busy machine")
	flags.IntVar(&s.connections, "connections", 32, "number of connections, for processor time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.rounds < 1 || s.latency < 0 || s.duration < 100*time.Millisecond || s.connections < 1 || flags.NArg() > 0 {
		return errors.New("-rounds and -connections must be positive, -duration at least 100ms, and there are no arguments")
	}
	queries, err := loadQueries(s.queries)
	if err != nil {
		return err
	}
	node, err := prepareNode(ctx, stderr)
	if err != nil {
		return err
	}
	b := &bench{settings: s, queries: queries, progress: stderr}
	if err := b.start(ctx, node); err != nil {
		b.stop()
		return err
	}
	defer b.stop()
	results, err := b.measure(ctx)
	if err != nil {
		return err
	}
	write(stdout, results, describe(time.Now(), node.version, b.pinned))
	return nil
}
