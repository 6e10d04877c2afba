package app

import (
	"context"
	"errors"

	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/internal/redis"
)

// sharedWrites remember writes for all replicas, and for this process alone
// while Redis is away.
type sharedWrites struct {
	shared *redis.Writes
	own    idempotency.Memory
}

// Begin implements [idempotency.Store].
func (w *sharedWrites) Begin(ctx context.Context, name idempotency.Name, content idempotency.Fingerprint) (idempotency.Claim, *idempotency.Answer, error) {
	// First of all this process: it knows writes that it did while Redis was away.
	own, answer, err := w.own.Begin(ctx, name, content)
	if err != nil || answer != nil {
		return nil, answer, err
	}
	claim, before, err := w.shared.Begin(ctx, name.Audience, name.Key, content)
	switch {
	case claim != nil:
		return sharedClaim{claim, own}, nil, nil
	case before != nil:
		answer := idempotency.Answer{Status: before.Status, Body: before.Body}
		return nil, &answer, own.Release(ctx)
	case errors.Is(err, redis.ErrAway):
		return own, nil, nil
	}
	_ = own.Release(ctx)
	switch {
	case errors.Is(err, redis.ErrInFlight):
		err = idempotency.ErrInFlight
	case errors.Is(err, redis.ErrOtherContent):
		err = idempotency.ErrOtherContent
	}
	return nil, nil, err
}

type sharedClaim struct {
	shared *redis.Claim
	own    idempotency.Claim
}

// Finish implements [idempotency.Claim]. That Redis is away is no failure: it
// will be told.
func (c sharedClaim) Finish(ctx context.Context, a idempotency.Answer) error {
	_ = c.shared.Finish(ctx, redis.Answer{Status: a.Status, Body: a.Body})
	return c.own.Finish(ctx, a)
}

// Release implements [idempotency.Claim].
func (c sharedClaim) Release(ctx context.Context) error {
	_ = c.shared.Release(ctx)
	return c.own.Release(ctx)
}
