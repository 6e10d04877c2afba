package main

import (
	"context"
	"time"

	"mixcloud-graphql/bench/process"
)

// serve returns the command line of a server that calls an emulator.
func serve(mixcloud string) []string {
	return []string{
		"serve", "--addr=127.0.0.1:0",
		"--api-url=" + mixcloud, "--site-url=" + mixcloud + "/www", "--oembed-url=" + mixcloud + "/www/oembed/",
	}
}

// startServer starts a server without an access log, with additional flags.
func startServer(ctx context.Context, mixcloud string, env []string, flags ...string) (*process.Process, error) {
	return process.StartSelf(ctx, process.Options{Env: env}, append(serve(mixcloud), append(flags, "--log-level=error")...)...)
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
