// Command bench measures the calls to Mixcloud and the time that the server needs for each of some
// queries, and compares them with the minimum.
//
//	go run ./bench
//	go run ./bench -runs 15 -latency 50ms -query popular
//	go run ./bench -figure middleware
//
// It prints a table in Markdown. The exit status does not depend on the figures: it is 0 if they
// could be measured. README.md explains them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"mixcloud-graphql/bench/queries"
	"mixcloud-graphql/internal/app"
	"mixcloud-graphql/internal/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "emulator" { // see startEmulator
		command, err := config.Parse(args, os.Environ(), stdout)
		if err != nil {
			return err
		}
		return app.Run(ctx, command, stdout, stderr)
	}

	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	runs := flags.Int("runs", 9, "number of runs of each query; the table has the medians")
	latency := flags.Duration("latency", 20*time.Millisecond, "latency of each call to the emulator")
	dial := flags.Bool("dial", false, "start each run without open connections")
	only := flags.String("query", "", "run only the queries whose name contains this text")
	figure := flags.String("figure", "", `"middleware": measure only the time that the server adds to the executor`)
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch *figure {
	case "":
	case "middleware":
		return printMiddleware(ctx, stdout)
	default:
		return fmt.Errorf("unknown figure %q", *figure)
	}
	if *runs < 1 || *latency < time.Millisecond || flags.NArg() > 0 {
		return errors.New("-runs must be positive and -latency at least 1ms, and arguments are not accepted")
	}

	all, err := queries.Named()
	if err != nil {
		return err
	}
	b, err := newBench(ctx, *latency, *dial)
	if err != nil {
		return err
	}
	defer b.emulator.Stop()
	var rows []row
	for _, q := range all {
		if !strings.Contains(q.Name, *only) {
			continue
		}
		fmt.Fprintln(stderr, "bench:", q.Name)
		r, err := b.measure(ctx, q, *runs)
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	return printTable(stdout, *runs, *latency, rows)
}
