package redis

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/internal/upstream"
)

// schema is the version of all data in Redis: keys, values and the state of scripts. Replicas with
// different versions share nothing, so that they can run at the same time while a release is rolled
// out.
const schema = "1"

// prefix starts each key and channel.
const prefix = "mixcloud-graphql:" + schema + ":"

// keys makes the keys in Redis. Each part of a key (a principal, a resource's path with the words of
// a search, a client's idempotency key) is replaced by a keyed hash, so that the keys reveal nothing
// and clients cannot choose them.
//
// Keys that are used together have the same hash tag, {…}, so that a cluster stores them in the
// same slot.
type keys struct{ secret []byte }

func newKeys(secret []byte) (keys, error) {
	derived, err := hkdf.Key(sha256.New, secret, nil, "mixcloud-graphql redis keys v"+schema, sha256.Size)
	return keys{derived}, err
}

// name returns a keyed hash of parts, of 22 characters.
func (k keys) name(parts ...string) string {
	h := hmac.New(sha256.New, k.secret)
	var size [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	var sum [sha256.Size]byte
	return base64.RawURLEncoding.EncodeToString(h.Sum(sum[:0])[:16])
}

func (k keys) principal(principal string) string {
	if principal == "" {
		return "anonymous"
	}
	return k.name("principal", principal)
}

// value returns the key of a response. Anonymous responses are spread over a cluster. Those of a
// token are in the slot of the principal's epoch.
func (k keys) value(principal, id string) string {
	resource := k.name("resource", principal, id)
	if principal == "" {
		return prefix + "value:" + resource
	}
	return prefix + "value:{" + k.principal(principal) + "}:" + resource
}

func (k keys) epoch(principal string) string {
	return prefix + "epoch:{" + k.principal(principal) + "}"
}

func (k keys) recentWrites(principal string) string {
	return prefix + "writes:{" + k.principal(principal) + "}"
}

func (k keys) limit(l upstream.SharedLimit) string {
	return prefix + "limit:" + l.Kind.String() + ":" + k.principal(l.Principal)
}

func (k keys) verified(principal string) string {
	return prefix + "verified:" + k.principal(principal)
}

func (k keys) write(n idempotency.Name) string {
	return prefix + "idempotency:{" + k.principal(n.Principal) + "}:" + k.name("idempotency", n.Principal, n.Key)
}

func (k keys) upload(n upload.Name) string {
	return prefix + "upload:{" + k.name("upload", n.Principal, n.ID) + "}"
}

func (k keys) nonce(nonce string) string { return prefix + "nonce:" + k.name("nonce", nonce) }

func (k keys) revoked(session string) string {
	return prefix + "revoked:" + k.name("revoked", session)
}

func (k keys) query(hash string) string { return prefix + "query:" + k.name("query", hash) }

const (
	replicasKey          = prefix + "replicas"
	invalidationsChannel = prefix + "invalidations"
)
