package redis

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// maxPending and maxPendingBytes bound each set of pending commands. The oldest are dropped
	// first.
	maxPending      = 10_000
	maxPendingBytes = 32 << 20
)

// A pendingCommand is a command that could not be run while Redis was unreachable.
type pendingCommand struct {
	bytes int       // approximate size
	until time.Time // when it is obsolete
	run   func(context.Context) error
}

// pendingCommands are commands to run when Redis is reachable again. They are safe for concurrent
// use; the zero value is empty.
type pendingCommands struct {
	mu       sync.Mutex
	commands []pendingCommand // the oldest first
	bytes    int
}

func (p *pendingCommands) add(c pendingCommand) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commands = append(p.commands, c)
	p.bytes += c.bytes
	for len(p.commands) > maxPending || p.bytes > maxPendingBytes {
		p.bytes -= p.commands[0].bytes
		p.commands[0] = pendingCommand{}
		p.commands = p.commands[1:]
	}
}

// flush runs the pending commands. Those that fail stay pending.
func (p *pendingCommands) flush(ctx context.Context) error {
	p.mu.Lock()
	commands := p.commands
	p.commands, p.bytes = nil, 0
	p.mu.Unlock()
	now := time.Now()
	var failed []pendingCommand
	var mu sync.Mutex
	err := each(commands, func(c pendingCommand) error {
		if now.After(c.until) {
			return nil
		}
		err := c.run(ctx)
		if err != nil {
			mu.Lock()
			defer mu.Unlock()
			failed = append(failed, c)
		}
		return err
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commands = append(failed, p.commands...)
	for _, c := range failed {
		p.bytes += c.bytes
	}
	return err
}

// each calls do for each element, for up to 32 in parallel, because each call is a round trip. It
// returns the first error.
func each[T any](all []T, do func(T) error) error {
	var group errgroup.Group
	group.SetLimit(32)
	for _, one := range all {
		group.Go(func() error { return do(one) })
	}
	return group.Wait()
}
