// Command bench measures what the server's answers cost, each beside the least
// that they can cost: the calls to Mixcloud, and the time.
//
//	go run ./bench
//	go run ./bench -runs 15 -latency 50ms -query popular
//	go run ./bench -figure middleware
//
// It prints a table in Markdown and judges nothing: the status is 0 whatever
// the figures are, and another one only if there are none. README.md says what
// they mean.
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
	runs := flags.Int("runs", 9, "how often each query is asked; the table has the medians")
	latency := flags.Duration("latency", 20*time.Millisecond, "how long Mixcloud takes for each call")
	dial := flags.Bool("dial", false, "begin each run without an open connection")
	only := flags.String("query", "", "ask only the queries whose name has this in it")
	figure := flags.String("figure", "", `"middleware": print only what the server adds to the executor`)
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch *figure {
	case "":
	case "middleware":
		return printMiddleware(ctx, stdout)
	default:
		return fmt.Errorf("there is no figure %q", *figure)
	}
	if *runs < 1 || *latency < time.Millisecond || flags.NArg() > 0 {
		return errors.New("runs must be positive, the latency a millisecond or more, and nothing may follow the flags")
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
	return print(stdout, *runs, *latency, rows)
}
