package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/manifest"
)

// A ConfigError reports an invalid setting that only the start of the server reveals, such as a
// file that does not exist.
type ConfigError struct{ err error }

func (e *ConfigError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *ConfigError) Unwrap() error { return e.err }

// reloads contains the files that a running server reads again on SIGHUP. If one of them is
// invalid, the error is logged, its previous version stays in use, and the others are still read.
type reloads struct {
	mu  sync.Mutex // one reload at a time
	all []reloadable
}

type reloadable struct {
	name string
	load func() error // must change nothing if it fails
}

// add registers a file. It must be called before the server starts.
func (r *reloads) add(name string, load func() error) { r.all = append(r.all, reloadable{name, load}) }

// Reload reads the certificate and the manifest again, and logs each result.
func (a *App) Reload() error {
	a.reloads.mu.Lock()
	defer a.reloads.mu.Unlock()
	var errs []error
	for _, file := range a.reloads.all {
		if err := file.load(); err != nil {
			a.log.Error("reload failed: the previous version stays in use", "file", file.name, "err", err)
			errs = append(errs, err)
			continue
		}
		a.log.Info("reloaded", "file", file.name)
	}
	if len(a.reloads.all) == 0 {
		a.log.Info("nothing to reload: no certificate and no manifest is configured")
	}
	return errors.Join(errs...)
}

// reloadOn reloads on each signal until ctx ends.
func (a *App) reloadOn(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-signals:
			_ = a.Reload() // it logs its errors
		case <-ctx.Done():
			return
		}
	}
}

// loadManifest reads the manifest file and makes endpoint use it.
func loadManifest(endpoint *graphhttp.Handler, path string) error {
	operations, err := manifest.Read(path)
	if err != nil {
		return fmt.Errorf("cannot use the manifest %s: %w", path, err)
	}
	if err := endpoint.SetManifest(operations); err != nil {
		return fmt.Errorf("the manifest %s does not fit the schema:\n%w", path, err)
	}
	return nil
}
