// Command soak runs the server for a long time with valid and malformed requests, and reports
// whether its memory grows.
//
//	go run ./bench/soak                    # 10 minutes, 1,000,000 malformed requests
//	go run ./bench/soak -duration 1m -malformed 50000
//
// The server runs in this process, with the emulator of the demo, on loopback. From time to time
// all clients pause, and the command prints the number of goroutines, the memory and the number of
// file descriptors as a row in Markdown. The exit status is 1 if any of them has grown, after a
// response with status 500 or above, or after a panic.
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
	flags.DurationVar(&s.duration, "duration", 10*time.Minute, "duration of the traffic")
	flags.IntVar(&s.malformed, "malformed", 1_000_000, "maximum number of malformed requests in that time")
	flags.IntVar(&s.rows, "rows", 10, "number of measurements, during which all clients pause")
	flags.Uint64Var(&s.seed, "seed", 1, "seed of all random choices")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.duration < time.Second || s.malformed < 0 || s.rows < 2 || flags.NArg() > 0 {
		return errors.New("-duration must be at least 1s, -malformed at least 0 and -rows at least 2, and arguments are not accepted")
	}
	return s.run(ctx)
}
