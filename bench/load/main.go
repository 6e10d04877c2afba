// Command load measures how the server behaves with many clients, and when Mixcloud rate-limits
// calls, returns errors or is down.
//
//	go run ./bench/load
//	go run ./bench/load -duration 10s -outage 10s -figure killed
//
// It prints a row in Markdown for each figure, with its target. The exit status does not depend on
// the figures: it is 0 if any of them could be measured. README.md explains them.
//
// The server and the emulator are separate processes of this program. All processes are on loopback,
// and are stopped at the end.
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

// A bench contains the settings of all measurements.
type bench struct {
	latency  time.Duration // of the emulator
	duration time.Duration // of the measured traffic
	outage   time.Duration
	rate     float64 // requests per second
	exponent float64 // of Zipf's law
	clients  int     // while Mixcloud limits its rate
	seed     int64   // of the data and of all random choices
	progress io.Writer
	pages    []request // all pages, the most popular first
}

// A row is a row of the table.
type row struct{ figure, target, value string }

// A figure is a measurement with one or more rows.
type figure struct {
	name    string
	measure func(*bench, context.Context) ([]row, error)
}

// figures are all figures, in the order of their measurement.
var figures = []figure{
	{"cold", (*bench).cold},
	{"zipf", (*bench).zipf},
	{"unknown", (*bench).unknown},
	{"limited", (*bench).limited},
	{"killed", (*bench).killed},
	{"crowd", (*bench).crowd},
	{"redis", (*bench).redisKilled},
	{"replicas", (*bench).replicas},
}

// maxOverhead is the maximum duration of a measurement apart from its traffic.
const maxOverhead = 3 * time.Minute

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == bareCommand {
		return serveBare(ctx, stdout)
	}
	if len(args) > 0 && (args[0] == "serve" || args[0] == "emulator") { // see process.StartSelf
		command, err := config.Parse(args, os.Environ(), stdout)
		if err != nil {
			return err
		}
		return app.Run(ctx, command, stdout, stderr)
	}

	b := &bench{progress: stderr}
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&b.latency, "latency", 20*time.Millisecond, "latency of each call to the emulator")
	flags.DurationVar(&b.duration, "duration", time.Minute, "duration of the measured traffic")
	flags.DurationVar(&b.outage, "outage", time.Minute, "duration of Mixcloud's outage")
	flags.Float64Var(&b.rate, "rate", 200, "requests per second")
	flags.Float64Var(&b.exponent, "exponent", 1, "exponent of Zipf's law: the nth page is requested 1/n^exponent as often as the first")
	flags.IntVar(&b.clients, "clients", 200, "number of clients while Mixcloud limits its rate")
	flags.Int64Var(&b.seed, "seed", 1, "seed of the data and of all random choices")
	only := flags.String("figure", "", "measure only the figures whose name contains this text: "+figureNames())
	if err := flags.Parse(args); err != nil {
		return err
	}
	if b.latency < 0 || b.duration < time.Second || b.outage < time.Second || b.rate < 1 || b.exponent <= 0 || b.clients < 10 || flags.NArg() > 0 {
		return errors.New("-duration and -outage must be at least 1s, -rate at least 1, -exponent above 0 and -clients at least 10, and arguments are not accepted")
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

// print measures the figures one after the other, and writes the rows of each. It continues if a
// figure cannot be measured.
func (b *bench) print(ctx context.Context, w io.Writer, only string) error {
	fmt.Fprintf(w, "%s\n\nLatency %v, %d pages, %g requests per second, Zipf's exponent %g, seed %d.\n\n", machine(), b.latency, len(b.pages), b.rate, b.exponent, b.seed)
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

// measureWithTimeout measures a figure.
func (b *bench) measureWithTimeout(ctx context.Context, f figure) ([]row, error) {
	ctx, cancel := context.WithTimeout(ctx, maxOverhead+4*b.duration+b.outage)
	defer cancel()
	return f.measure(b, ctx)
}
