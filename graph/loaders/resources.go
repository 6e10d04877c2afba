package loaders

import (
	"context"
	"encoding/json"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// A ResourceLoader loads the full form of one type of resource. One resource
// under several spellings of its key is one load.
type ResourceLoader[T any] struct {
	loader  Loader[mixcloud.CanonicalKey, *T]
	respell bool // Mixcloud is called with the canonical spelling
}

// canonical makes the loader call Mixcloud with canonical keys, instead of keys
// as they were spelled first.
func (l *ResourceLoader[T]) canonical() *ResourceLoader[T] {
	l.respell = true
	return l
}

// A spelling identifies a resource in [Loaders.spellings].
type spelling struct {
	loader any // *ResourceLoader
	key    mixcloud.CanonicalKey
}

// Load returns the resource at key in the operation of ctx.
func (l *ResourceLoader[T]) Load(ctx context.Context, key mixcloud.Key) (*T, error) {
	operation, canonical := From(ctx), key.Canonical()
	if !l.respell {
		operation.spelled(spelling{l, canonical}, key)
	}
	return l.loader.in(operation).load(ctx, canonical)
}

// prime sets a resource without a call, unless it was loaded before.
func (l *ResourceLoader[T]) prime(operation *Loaders, key mixcloud.Key, full *T) {
	l.loader.in(operation).prime(key.Canonical(), full)
}

// raw is a value that keeps the bytes that it was decoded from.
type raw interface{ Raw() json.RawMessage }

// resources returns a loader of one type of resource. It calls Mixcloud with the
// key as it was spelled: Mixcloud accepts other cases too, but links in the
// response would repeat them.
//
// Decode reads a cached resource. Correct, unless it is nil, makes a resource show
// the viewer's recent writes.
func resources[T any, P interface {
	*T
	raw
}](class upstream.Class, get func(*mixcloud.Client, context.Context, string) (P, error),
	decode func(json.RawMessage) (*T, error), correct func(*upstream.Session, T) T,
) *ResourceLoader[T] {
	c := codecOf[T, P](decode)
	loader := new(ResourceLoader[T])
	loader.loader = Loader[mixcloud.CanonicalKey, *T]{
		resource: func(operation *Loaders, canonical mixcloud.CanonicalKey) upstream.Resource[*T] {
			key := operation.spelled(spelling{loader, canonical}, canonical.Key())
			return c.resource(class, canonical.String(), func(ctx context.Context, client *mixcloud.Client) (*T, error) {
				return get(client, ctx, key.String())
			})
		},
		correct: corrected(correct),
	}
	return loader
}

// corrected returns a function that corrects a copy; nil for nil.
func corrected[T any](correct func(*upstream.Session, T) T) func(*upstream.Session, *T) *T {
	if correct == nil {
		return nil
	}
	return func(s *upstream.Session, value *T) *T {
		copied := correct(s, *value)
		return &copied
	}
}

// single returns a loader of a resource that exists once.
func single[T any, P interface {
	*T
	raw
}](class upstream.Class, id string, get func(*mixcloud.Client, context.Context) (P, error), decode func(json.RawMessage) (*T, error)) *Loader[struct{}, *T] {
	r := codecOf[T, P](decode).resource(class, id, func(ctx context.Context, client *mixcloud.Client) (*T, error) {
		return get(client, ctx)
	})
	return &Loader[struct{}, *T]{resource: func(*Loaders, struct{}) upstream.Resource[*T] { return r }}
}

// A codec is how a type is cached: as the bytes that it was decoded from.
type codec[T any] struct {
	encode func(*T) []byte
	decode func([]byte) (*T, error)
}

func codecOf[T any, P interface {
	*T
	raw
}](decode func(json.RawMessage) (*T, error)) codec[T] {
	return codec[T]{
		encode: func(value *T) []byte { return P(value).Raw() },
		decode: func(raw []byte) (*T, error) { return decode(raw) },
	}
}

func (c codec[T]) resource(class upstream.Class, id string, get func(context.Context, *mixcloud.Client) (*T, error)) upstream.Resource[*T] {
	return upstream.Resource[*T]{Class: class, ID: id, Get: get, Encode: c.encode, Decode: c.decode}
}
