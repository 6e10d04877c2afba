package loaders

import (
	"context"
	"encoding/json"
	"unsafe"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/rawjson"
)

// A ResourceLoader loads the full form of one type of resource. All spellings of a key
// share one load.
type ResourceLoader[T any] struct {
	loader       Loader[mixcloud.CanonicalKey, *T]
	class        upstream.Class
	useCanonical bool // call Mixcloud with the canonical key, not with the first spelling
}

// withCanonicalKeys makes the loader call Mixcloud with canonical keys.
func (l *ResourceLoader[T]) withCanonicalKeys() *ResourceLoader[T] {
	l.useCanonical = true
	return l
}

// A resourceKey identifies a resource in [Loaders.spellings].
type resourceKey struct {
	loader any // *ResourceLoader
	key    mixcloud.CanonicalKey
}

// Load returns the resource at key in the operation of ctx.
func (l *ResourceLoader[T]) Load(ctx context.Context, key mixcloud.Key) (*T, error) {
	operation, canonical := From(ctx), key.Canonical()
	if !l.useCanonical {
		operation.firstSpelling(resourceKey{l, canonical}, key)
	}
	return l.loader.instanceIn(operation).load(ctx, canonical)
}

// Start starts the load of the resource at key in the operation of ctx, and returns a function that
// waits for it. The caller does not have to call that function.
func (l *ResourceLoader[T]) Start(ctx context.Context, key mixcloud.Key) (wait func() (*T, error)) {
	operation, canonical := From(ctx), key.Canonical()
	if !l.useCanonical {
		operation.firstSpelling(resourceKey{l, canonical}, key)
	}
	i := l.loader.instanceIn(operation)
	p, err := i.inner.Load(ctx, canonical)()
	return func() (*T, error) {
		if err != nil {
			return nil, err
		}
		return i.wait(ctx, p)
	}
}

// prime sets a resource without a call, unless it was loaded before.
func (l *ResourceLoader[T]) prime(operation *Loaders, key mixcloud.Key, full *T) {
	l.loader.instanceIn(operation).prime(key.Canonical(), full)
}

// A rawObject is a value with the JSON that it was decoded from.
type rawObject interface {
	Raw() json.RawMessage
	JSON() rawjson.Value
}

// resources returns a loader for one type of resource. It calls Mixcloud with the first
// spelling of the key: Mixcloud accepts all spellings, but the links in the response
// repeat the one in the call.
//
// Decode decodes a cached resource. Correct returns a resource that shows the viewer's
// recent writes; it may be nil.
func resources[T any, P interface {
	*T
	rawObject
}](class upstream.Class, get func(*mixcloud.Client, context.Context, string) (P, error),
	decode func(json.RawMessage) (*T, error), correct func(*upstream.Session, T) T,
) *ResourceLoader[T] {
	c := codecOf[T, P](decode)
	loader := &ResourceLoader[T]{class: class}
	loader.loader = Loader[mixcloud.CanonicalKey, *T]{
		resource: func(operation *Loaders, canonical mixcloud.CanonicalKey) upstream.Resource[*T] {
			key := operation.firstSpelling(resourceKey{loader, canonical}, canonical.Key())
			return c.resource(class, canonical.String(), func(ctx context.Context, client *mixcloud.Client) (*T, error) {
				return get(client, ctx, key.String())
			})
		},
		correct: correctCopy(correct),
	}
	return loader
}

// correctCopy returns a function that corrects a copy of a resource. It returns nil for
// nil.
func correctCopy[T any](correct func(*upstream.Session, T) T) func(*upstream.Session, *T) *T {
	if correct == nil {
		return nil
	}
	return func(s *upstream.Session, value *T) *T {
		copied := correct(s, *value)
		return &copied
	}
}

// singleton returns a loader for a resource without a key, of which there is only one.
func singleton[T any, P interface {
	*T
	rawObject
}](class upstream.Class, id string, get func(*mixcloud.Client, context.Context) (P, error), decode func(json.RawMessage) (*T, error)) *Loader[struct{}, *T] {
	r := codecOf[T, P](decode).resource(class, id, func(ctx context.Context, client *mixcloud.Client) (*T, error) {
		return get(client, ctx)
	})
	return &Loader[struct{}, *T]{resource: func(*Loaders, struct{}) upstream.Resource[*T] { return r }}
}

// A codec encodes values for the cache, as the JSON that they were decoded from.
type codec[T any] struct {
	encode func(*T) []byte
	decode func([]byte) (*T, error)
	size   func(*T) int
}

func codecOf[T any, P interface {
	*T
	rawObject
}](decode func(json.RawMessage) (*T, error)) codec[T] {
	return codec[T]{
		encode: func(value *T) []byte { return P(value).Raw() },
		decode: func(raw []byte) (*T, error) { return decode(raw) },
		// The values that a resource's struct points to occupy about half the size of its JSON (TestLoad_CountedSize).
		size: func(value *T) int {
			json := P(value).JSON()
			return int(unsafe.Sizeof(*value)) + json.Size() + len(json.Raw())/2
		},
	}
}

func (c codec[T]) resource(class upstream.Class, id string, get func(context.Context, *mixcloud.Client) (*T, error)) upstream.Resource[*T] {
	return upstream.Resource[*T]{Class: class, ID: id, Get: get, Encode: c.encode, Decode: c.decode, Size: c.size}
}
