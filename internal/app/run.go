package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	graphschema "mixcloud-graphql/graph/schema"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/connlimit"
	"mixcloud-graphql/internal/telemetry"
	"mixcloud-graphql/mixcloud/emulator"
)

// Run runs a command until it is done or ctx ends. It writes the command's output to stdout and its log to stderr.
func Run(ctx context.Context, cmd config.Command, stdout, stderr io.Writer) error {
	switch cmd := cmd.(type) {
	case *config.Serve:
		if cmd.PrintConfig {
			return config.Print(stdout, cmd)
		}
		return runServe(ctx, *cmd, stdout, stderr)
	case *config.Emulator:
		return runEmulator(ctx, *cmd, stdout, stderr)
	case *config.Conformance:
		return runConformance(ctx, *cmd, stdout, stderr)
	case *config.Healthcheck:
		return runHealthcheck(ctx, *cmd, stdout)
	case *config.Schema:
		_, err := stdout.Write(graphschema.SDL(executable(nil).Schema()))
		return err
	case *config.Version:
		_, err := fmt.Fprintln(stdout, version())
		return err
	default:
		return fmt.Errorf("no command %T", cmd)
	}
}

func runServe(ctx context.Context, cfg config.Serve, stdout, stderr io.Writer) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // first, since an unhandled SIGHUP ends the process
	defer signal.Stop(hangups)
	log, err := telemetry.NewLogger(stderr, cfg.Log.Format, cfg.Log.Level)
	if err != nil {
		return err
	}
	limits := limitMemory(cfg.MemoryLimit, cfg.CacheBytes, log)
	cfg.MemoryLimit, cfg.CacheBytes = limits.limit, limits.cache
	scheme := "http"
	if cfg.TLSCert != "" {
		scheme = "https"
	}
	ln, base, err := listen(ctx, cfg.Addr, scheme)
	if err != nil {
		return err
	}
	defer ln.Close() // after Serve this is a second, harmless Close
	if cfg.PublicURL == "" {
		cfg.PublicURL = base
	}
	a, err := New(cfg, log)
	if err != nil {
		return err
	}
	reloading, stop := context.WithCancel(ctx)
	defer stop()
	go a.reloadOn(reloading, hangups)
	if _, err := fmt.Fprintln(stdout, "ready", base); err != nil {
		return err
	}
	log.Info("serving", "url", base, "public", cfg.PublicURL, "demo", cfg.Demo, "version", version())
	return a.Serve(ctx, ln)
}

// emulatorDrain is the drain timeout of the emulator. It is short, as an emulator has no users who would lose work.
const emulatorDrain = 5 * time.Second

func runEmulator(ctx context.Context, cfg config.Emulator, stdout, stderr io.Writer) error {
	log, err := telemetry.NewLogger(stderr, cfg.Log.Format, cfg.Log.Level)
	if err != nil {
		return err
	}
	opts := []emulator.Option{emulator.WithSeed(cfg.Seed), emulator.WithLatency(cfg.Latency)}
	if cfg.PublicURL != "" {
		opts = append(opts, emulator.WithPublicURL(cfg.PublicURL))
	}
	e, err := emulator.New(opts...)
	if err != nil {
		return err
	}
	ln, base, err := listen(ctx, cfg.Addr, "http")
	if err != nil {
		return err
	}
	defer ln.Close() // after serve this is a second, harmless Close
	if _, err := fmt.Fprintln(stdout, "ready", base); err != nil {
		return err
	}
	log.Info("serving the emulator", "api", base, "site", base+"/www/", "control", base+"/__emulator/", "seed", cfg.Seed)
	conns := connlimit.New(connlimit.Limit(connlimit.Descriptors(), 0), log)
	return serve(ctx, ln, e, nil, conns, emulatorDrain, log, func() {})
}

// listen opens the listener and returns it with its base URL, as seen from this machine. It is called early, so that a
// port in use fails at once.
func listen(ctx context.Context, addr, scheme string) (net.Listener, string, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, "", fmt.Errorf("cannot listen on %s: %w. Choose another address with --addr, or port 0 for any free one", addr, err)
	}
	tcp := ln.Addr().(*net.TCPAddr)
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return ln, scheme + "://" + net.JoinHostPort(host, strconv.Itoa(tcp.Port)), nil
}
