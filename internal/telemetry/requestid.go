// Package telemetry provides structured logs whose lines contain the id of the request.
package telemetry

import (
	"context"
	"crypto/rand"
)

// RequestIDKey is the key of the id in a context, for contexts that store it without
// [WithRequestID].
type RequestIDKey struct{}

// WithRequestID returns a context with a request id. Log lines and internal errors of the context
// contain the id.
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
