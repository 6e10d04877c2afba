package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"mixcloud-graphql/bench/process"
)

// start measures the time from starting a server to its first response, and the memory of the server then.
func (b *bench) start(ctx context.Context) (rows []row, err error) {
	for _, mode := range []struct {
		name         string
		start        func(context.Context, ...string) (*process.Process, error)
		flags        []string
		time, memory string // the targets
	}{
		{"live", b.serve, nil, "30 ms", "25 MiB"},
		{"demo", b.startServer, []string{"--demo"}, "150 ms", ""},
	} {
		var times []time.Duration
		var memory []int64
		for range b.starts {
			began := time.Now()
			server, err := mode.start(ctx, mode.flags...)
			if err != nil {
				return nil, err
			}
			err = execute(ctx, http.DefaultClient, server.Address(), `{ __typename }`)
			times = append(times, time.Since(began))
			if err == nil && pause(ctx, 500*time.Millisecond) {
				var resident int64
				resident, err = server.Memory("VmRSS")
				memory = append(memory, resident)
			}
			server.Stop()
			if err != nil {
				return nil, err
			}
		}
		slices.Sort(times)
		slices.Sort(memory)
		rows = append(rows,
			row{"time from start to first response, " + mode.name, mode.time, fmt.Sprintf("%.1f ms (median of %d starts)", times[len(times)/2].Seconds()*1000, b.starts)},
			row{"resident memory of an idle server, " + mode.name, mode.memory, fmt.Sprintf("%.1f MiB", float64(memory[len(memory)/2])/(1<<20))})
	}
	return rows, nil
}

// pause waits. It returns false if the context ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
