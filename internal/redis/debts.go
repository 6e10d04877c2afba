package redis

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// maxDebts and maxDebtBytes bound what is owed; the oldest goes first.
	maxDebts     = 10_000
	maxDebtBytes = 32 << 20
)

// A debt is what Redis is to be told when it is back.
type debt struct {
	bytes int       // about as many it holds
	until time.Time // when it no longer matters
	pay   func(context.Context) error
}

// debts are what Redis was not told because it was away. They are safe for
// concurrent use; the zero debts are none.
type debts struct {
	mu    sync.Mutex
	owed  []debt // the oldest first
	bytes int
}

func (d *debts) owe(one debt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.owed = append(d.owed, one)
	d.bytes += one.bytes
	for len(d.owed) > maxDebts || d.bytes > maxDebtBytes {
		d.shift()
	}
}

func (d *debts) shift() debt {
	one := d.owed[0]
	d.owed[0] = debt{}
	d.owed = d.owed[1:]
	d.bytes -= one.bytes
	return one
}

// settle pays what is owed by now. What cannot be paid stays owed.
func (d *debts) settle(ctx context.Context) error {
	d.mu.Lock()
	owed := d.owed
	d.owed, d.bytes = nil, 0
	d.mu.Unlock()
	now := time.Now()
	var left []debt
	var mu sync.Mutex
	err := each(owed, func(one debt) error {
		if now.After(one.until) {
			return nil
		}
		err := one.pay(ctx)
		if err != nil {
			mu.Lock()
			defer mu.Unlock()
			left = append(left, one)
		}
		return err
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.owed = append(left, d.owed...)
	for _, one := range left {
		d.bytes += one.bytes
	}
	return err
}

// each does something for each of all, some at the same time, for each is a
// round trip.
func each[T any](all []T, do func(T) error) error {
	var group errgroup.Group
	group.SetLimit(32)
	for _, one := range all {
		group.Go(func() error { return do(one) })
	}
	return group.Wait()
}
