// Package telemetry provides structured logs: each line has the id of its request.
package telemetry

import (
	"context"
	"crypto/rand"
)

// RequestIDKey is the key of the id in a context, for contexts that store it without
// [WithRequestID].
type RequestIDKey struct{}

// WithRequestID returns a context whose log lines and internal errors have the id.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, RequestIDKey{}, id)
}

// RequestID returns the id of ctx, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(RequestIDKey{}).(string)
	return id
}

// NewRequestID returns a random id of 26 letters and digits.
func NewRequestID() string { return rand.Text() }
