// Command memory measures how fast the server starts, and how much memory it takes: idle, under load with several
// sizes of the cache, and with many small cached values.
//
//	go run ./bench/memory
//	go run ./bench/memory -figure peak -cache 32,64 -duration 30s
//
// It prints a row in Markdown for each figure, with its target. The exit status does not depend on the figures: it is 0
// if they could be measured. bench/README.md lists the command.
//
// The server is a separate process of this program. The process of the bench simulates Mixcloud: it
// responds to any name with data of realistic size. The bench reads /proc, so it needs Linux.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
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
		fmt.Fprintln(os.Stderr, "memory:", err)
		os.Exit(1)
	}
}

// A bench contains the settings of all measurements.
type bench struct {
	caches      []int64 // sizes in MiB
	connections int
	duration    time.Duration // of the measured traffic, when the cache is full
	values      int           // number of small values
	starts      int
	command     string // the server; "" for this program
	mixcloud    *mixcloud
	progress    io.Writer
}

// A row is a row of the table.
type row struct{ figure, target, value string }

// figures are all figures, in the order of their measurement.
var figures = []struct {
	name    string
	measure func(*bench, context.Context) ([]row, error)
}{
	{"start", (*bench).start},
	{"peak", (*bench).peak},
	{"values", (*bench).smallValues},
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "serve" { // see process.StartSelf
		command, err := config.Parse(args, os.Environ(), stdout)
		if err != nil {
			return err
		}
		return app.Run(ctx, command, stdout, stderr)
	}
	b := &bench{progress: stderr}
	flags := flag.NewFlagSet("memory", flag.ContinueOnError)
	flags.SetOutput(stderr)
	caches := flags.String("cache", "32,64,256", "sizes of the cache under load, in MiB")
	flags.IntVar(&b.connections, "connections", 32, "number of connections under load")
	flags.DurationVar(&b.duration, "duration", 10*time.Second, "duration of the measured traffic, once the cache is full")
	flags.IntVar(&b.values, "values", 1_000_000, "number of small values")
	flags.IntVar(&b.starts, "starts", 11, "number of starts")
	flags.StringVar(&b.command, "server", "", "program to measure instead of this one, for a comparison")
	only := flags.String("figure", "", "measure only the figures whose name contains this text: start, peak, values")
	if err := flags.Parse(args); err != nil {
		return err
	}
	for text := range strings.SplitSeq(*caches, ",") {
		size, err := strconv.ParseInt(text, 10, 32)
		if err != nil || size < 1 {
			return fmt.Errorf("-cache: %q is not a size in MiB", text)
		}
		b.caches = append(b.caches, size)
	}
	if b.connections < 1 || b.duration < time.Second || b.values < 1000 || b.starts < 1 || flags.NArg() > 0 {
		return errors.New("-connections and -starts must be positive, -duration at least 1s and -values at least 1000, and there are no arguments")
	}
	var err error
	if b.mixcloud, err = startMixcloud(ctx); err != nil {
		return err
	}
	defer b.mixcloud.close()
	fmt.Fprintf(stdout, "%d cores, %s %s/%s.\n\n| figure | target | value |\n| --- | --- | --- |\n", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	measured := 0
	for _, f := range figures {
		if !strings.Contains(f.name, *only) {
			continue
		}
		fmt.Fprintln(stderr, "memory:", f.name)
		rows, err := f.measure(b, ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		for _, r := range rows {
			fmt.Fprintf(stdout, "| %s | %s | %s |\n", r.figure, r.target, r.value)
		}
		measured += len(rows)
	}
	if measured == 0 {
		return fmt.Errorf("unknown figure %q", *only)
	}
	return nil
}
