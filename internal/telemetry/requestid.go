// Package telemetry is how the server tells its operator what it does: for now
// structured logs, each line carrying the id of the request it belongs to.
package telemetry

import (
	"context"
	"crypto/rand"
)

type requestIDKey struct{}

// WithRequestID returns a context whose log lines and internal errors name id.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the id that WithRequestID put into ctx, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// NewRequestID returns a fresh random id of 26 letters and digits.
func NewRequestID() string { return rand.Text() }
