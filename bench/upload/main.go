// Command upload measures the cost of an upload through the server, compared with the same upload
// directly to Mixcloud: memory, temporary files, time, and the bytes in flight.
//
//	go run ./bench/upload
//	go run ./bench/upload -sizes 256MiB -rounds 1
//
// The emulator and the server are separate processes on loopback, the server with a TMPDIR that is
// not writable. It prints a table in Markdown. The exit status does not depend on the figures: it is
// 0 if they could be measured. README.md explains them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"mixcloud-graphql/internal/app"
	"mixcloud-graphql/internal/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "upload:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && (args[0] == "emulator" || args[0] == "serve") { // see process.StartSelf
		command, err := config.Parse(args, os.Environ(), stdout)
		if err != nil {
			return err
		}
		return app.Run(ctx, command, stdout, stderr)
	}
	plan := plan{sizes: sizes{1 << 30, 4<<30 - 1<<20}, concurrentSize: sizes{256 << 20}}
	flags := flag.NewFlagSet("upload", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Var(&plan.sizes, "sizes", "sizes of the files, separated by commas")
	flags.Var(&plan.concurrentSize, "crowd", "size of each file of the concurrent uploads")
	flags.IntVar(&plan.concurrent, "many", 10, "number of concurrent uploads")
	flags.IntVar(&plan.rounds, "rounds", 3, "number of runs of each upload; the table has the medians")
	flags.IntVar(&plan.seconds, "seconds", 10, "duration of the upload to a slow Mixcloud, in seconds")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if plan.rounds < 1 || plan.concurrent < 1 || plan.seconds < 1 || len(plan.concurrentSize) != 1 || flags.NArg() > 0 {
		return errors.New("-rounds, -many and -seconds must be positive, -crowd must be one size, and arguments are not accepted")
	}
	report, err := measure(ctx, plan, stderr)
	if err != nil {
		return err
	}
	return report.print(stdout)
}

// A plan contains the settings of the measurements.
type plan struct {
	sizes, concurrentSize       sizes
	concurrent, rounds, seconds int
}

// sizes are numbers of bytes, such as "256MiB,1GiB" as a flag.
type sizes []int64

// String implements [flag.Value].
func (s *sizes) String() string {
	var all []string
	for _, n := range *s {
		all = append(all, size(n))
	}
	return strings.Join(all, ",")
}

// Set implements [flag.Value].
func (s *sizes) Set(text string) error {
	*s = nil
	for one := range strings.SplitSeq(text, ",") {
		unit := int64(1)
		for suffix, bytes := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
			if number, ok := strings.CutSuffix(one, suffix); ok {
				one, unit = number, bytes
				break
			}
		}
		n, err := strconv.ParseInt(one, 10, 64)
		if err != nil || n < 1 || n > 4<<30/unit {
			return errors.New("a size is a whole number with KiB, MiB or GiB, up to 4GiB")
		}
		*s = append(*s, n*unit)
	}
	return nil
}

// size returns a number of bytes as text, such as "256MiB".
func size(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return strconv.FormatInt(n>>30, 10) + "GiB"
	case n >= 1<<20:
		return strconv.FormatFloat(float64(n)/(1<<20), 'f', -1, 64) + "MiB"
	case n >= 1<<10:
		return strconv.FormatFloat(float64(n)/(1<<10), 'f', -1, 64) + "KiB"
	}
	return strconv.FormatInt(n, 10) + "B"
}
