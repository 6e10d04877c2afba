package responselimit

import (
	"context"
	"sync/atomic"
)

// DefaultUnsentMemory is the maximum number of response bytes that wait to be sent, in the whole process.
const DefaultUnsentMemory = 256 << 20

// reservationStep is the granularity with which a growing response is counted.
const reservationStep = 64 << 10

// UnsentMemory counts the bytes of a process's responses that are not yet sent: responses that are being built, with
// the bytes counted so far, and responses that wait until the client reads them. It is safe for concurrent use.
type UnsentMemory struct {
	max int64
	now atomic.Int64
}

// NewUnsentMemory returns a count with a maximum of max bytes; 0 means [DefaultUnsentMemory].
func NewUnsentMemory(max int64) *UnsentMemory {
	if max <= 0 {
		max = DefaultUnsentMemory
	}
	return &UnsentMemory{max: max}
}

// Full reports whether operations must wait until a response is sent.
func (u *UnsentMemory) Full() bool { return u.now.Load() >= u.max }

// Bytes returns the size of all responses that are not yet sent.
func (u *UnsentMemory) Bytes() int64 { return u.now.Load() }

// Reserve returns an empty reservation for one request. The caller must end it with Set(0).
func (u *UnsentMemory) Reserve() *Reservation { return &Reservation{total: u} }

// A Reservation is the share of one request in an [UnsentMemory]. A nil Reservation counts nothing.
type Reservation struct {
	total *UnsentMemory
	bytes atomic.Int64
}

// Set replaces the size of the request's unsent response.
func (r *Reservation) Set(bytes int64) {
	if r != nil {
		r.total.now.Add(bytes - r.bytes.Swap(bytes))
	}
}

func (r *Reservation) add(bytes int64) {
	if r != nil {
		r.bytes.Add(bytes)
		r.total.now.Add(bytes)
	}
}

// ReservationKey is the key of the *[Reservation] in a context, for contexts that store it without [WithReservation].
type ReservationKey struct{}

// WithReservation returns a context whose operation is counted in r.
func WithReservation(ctx context.Context, r *Reservation) context.Context {
	return context.WithValue(ctx, ReservationKey{}, r)
}

// ReservationOf returns the reservation of [WithReservation], or nil.
func ReservationOf(ctx context.Context) *Reservation {
	r, _ := ctx.Value(ReservationKey{}).(*Reservation)
	return r
}
