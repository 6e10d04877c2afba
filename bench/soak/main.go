// Command soak runs the server for a long time under everything that clients do,
// right and wrong, and reports whether it grows.
//
//	go run ./bench/soak                    # 10 minutes, 1,000,000 malformed requests
//	go run ./bench/soak -duration 1m -malformed 50000
//
// The server runs in this process, over the demo's Mixcloud, on the loopback.
// Once in a while all clients pause; what remains then of goroutines, memory
// and file descriptors is printed as a row in Markdown. The status is 1 if any of
// them has grown, if a request got a status of 500 or above, or if something
// panicked.
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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.SetOutput(stderr)
	s := soak{out: stdout}
	flags.DurationVar(&s.duration, "duration", 10*time.Minute, "how long clients ask")
	flags.IntVar(&s.malformed, "malformed", 1_000_000, "how many malformed requests there are, at most, within that time")
	flags.IntVar(&s.rows, "rows", 10, "how often all pauses and is measured")
	flags.Uint64Var(&s.seed, "seed", 1, "of all chance")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.duration < time.Second || s.malformed < 0 || s.rows < 2 || flags.NArg() > 0 {
		return errors.New("the duration must be a second or more, there must be 2 rows or more, and nothing may follow the flags")
	}
	return s.run(ctx)
}
