// Command load measures how the server bears many clients and a Mixcloud that
// limits, fails and is away.
//
//	go run ./bench/load
//	go run ./bench/load -duration 10s -outage 10s -figure killed
//
// It prints a row in Markdown for each figure, beside what the figure should
// be, and judges nothing: the status is 0 whatever the figures are, and another
// one only if none can be measured. README.md says what they mean.
//
// The server and the emulator are processes of their own, both this program
// run once more. Everything is on the loopback, and everything that is started
// is stopped.
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
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// A bench has what all figures are measured with.
type bench struct {
	latency  time.Duration // of the emulator
	duration time.Duration // of traffic that is measured
	outage   time.Duration
	rate     float64 // questions a second
	exponent float64 // of Zipf's law
	clients  int     // that ask while Mixcloud limits
	seed     int64   // of the world and of all chance
	progress io.Writer
	pages    []request // of the whole world, the most popular first
}

// A row is one figure.
type row struct{ figure, target, value string }

// A figure is what is measured together.
type figure struct {
	name    string
	measure func(*bench, context.Context) ([]row, error)
}

// figures are all of them, in the order in which they are measured.
var figures = []figure{
	{"cold", (*bench).cold},
	{"zipf", (*bench).zipf},
	{"limited", (*bench).limited},
	{"killed", (*bench).killed},
	{"crowd", (*bench).crowd},
	{"redis", (*bench).redisKilled},
	{"replicas", (*bench).replicas},
}

// longest is how long a figure may take beside the traffic that it is made of.
const maxOverhead = 3 * time.Minute

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == bareCommand {
		return serveBare(ctx, stdout)
	}
	if len(args) > 0 && (args[0] == "serve" || args[0] == "emulator") { // see start
		command, err := config.Parse(args, os.Environ(), stdout)
		if err != nil {
			return err
		}
		return app.Run(ctx, command, stdout, stderr)
	}

	b := &bench{progress: stderr}
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&b.latency, "latency", 20*time.Millisecond, "how long Mixcloud takes for each call")
	flags.DurationVar(&b.duration, "duration", time.Minute, "how long traffic is measured")
	flags.DurationVar(&b.outage, "outage", time.Minute, "how long Mixcloud is away")
	flags.Float64Var(&b.rate, "rate", 200, "questions a second")
	flags.Float64Var(&b.exponent, "exponent", 1, "of Zipf's law: the nth page is asked for 1/n^exponent as often as the first")
	flags.IntVar(&b.clients, "clients", 200, "how many clients ask while Mixcloud limits")
	flags.Int64Var(&b.seed, "seed", 1, "of the world and of all chance")
	only := flags.String("figure", "", "measure only the figures whose name has this in it: "+figureNames())
	if err := flags.Parse(args); err != nil {
		return err
	}
	if b.latency < 0 || b.duration < time.Second || b.outage < time.Second || b.rate < 1 || b.exponent <= 0 || b.clients < 10 || flags.NArg() > 0 {
		return errors.New("times must be a second or more, the rate 1, the exponent above 0, the clients 10 or more, and nothing may follow the flags")
	}
	b.pages = pages(b.seed)
	return b.print(ctx, stdout, *only)
}

func figureNames() string {
	all := make([]string, len(figures))
	for i, f := range figures {
		all[i] = f.name
	}
	return strings.Join(all, ", ")
}

// print measures the figures one after the other, and writes each when it is
// there. A figure that cannot be measured does not hinder the others.
func (b *bench) print(ctx context.Context, w io.Writer, only string) error {
	fmt.Fprintf(w, "%s\n\nLatency %v, %d pages, %g questions a second, Zipf's exponent %g, seed %d.\n\n", machine(), b.latency, len(b.pages), b.rate, b.exponent, b.seed)
	fmt.Fprintf(w, "| figure | target | value |\n| --- | --- | --- |\n")
	measured := 0
	for _, f := range figures {
		if !strings.Contains(f.name, only) {
			continue
		}
		fmt.Fprintf(b.progress, "load: %s (load average %s)\n", f.name, loadAverage())
		rows, err := b.measureWithTimeout(ctx, f)
		for _, r := range rows {
			fmt.Fprintf(w, "| %s | %s | %s |\n", r.figure, r.target, r.value)
		}
		if err != nil {
			fmt.Fprintf(w, "| %s | | not measured: %s |\n", f.name, strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", " "))
		}
		measured += len(rows)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	fmt.Fprintf(w, "\n%s\n", machine())
	if measured == 0 {
		return errors.New("no figure could be measured")
	}
	return nil
}

// one measures a figure within bounds.
func (b *bench) measureWithTimeout(ctx context.Context, f figure) ([]row, error) {
	ctx, cancel := context.WithTimeout(ctx, maxOverhead+4*b.duration+b.outage)
	defer cancel()
	return f.measure(b, ctx)
}
