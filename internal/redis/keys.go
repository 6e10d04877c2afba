package redis

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"mixcloud-graphql/internal/upstream"
)

// schema is the version of all that is written to Redis: keys, values and
// scripts' state. Replicas of another version share nothing with this one, so
// that both can run side by side while a new release is rolled out.
const schema = "1"

// prefix begins each key and channel.
const prefix = "mixcloud-graphql:" + schema + ":"

// keys names things in Redis. Whatever a name is made of (an audience, a
// resource's path with a search's words, a client's idempotency key) goes
// through a keyed hash: who reads Redis' keys learns nothing, and who can write
// a request cannot choose a key.
//
// Names that are used together have one hash tag, {…}, and so are in one slot
// of a cluster.
type keys struct{ secret []byte }

func newKeys(secret []byte) (keys, error) {
	derived, err := hkdf.Key(sha256.New, secret, nil, "mixcloud-graphql redis keys v"+schema, sha256.Size)
	return keys{derived}, err
}

// name is a keyed hash of parts, of 22 characters.
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

func (k keys) audience(audience string) string {
	if audience == "" {
		return "everybody"
	}
	return k.name("audience", audience)
}

// value is where the answer of a resource is kept. Those for everybody spread
// over a cluster; those of one audience stay together with their generation.
func (k keys) value(audience, id string) string {
	resource := k.name("resource", audience, id)
	if audience == "" {
		return prefix + "value:" + resource
	}
	return prefix + "value:{" + k.audience(audience) + "}:" + resource
}

func (k keys) generation(audience string) string {
	return prefix + "generation:{" + k.audience(audience) + "}"
}

func (k keys) marks(audience string) string {
	return prefix + "marks:{" + k.audience(audience) + "}"
}

func (k keys) limit(l upstream.SharedLimit) string {
	return prefix + "limit:" + l.Kind.String() + ":" + k.audience(l.Principal)
}

func (k keys) proof(audience string) string { return prefix + "proven:" + k.audience(audience) }

func (k keys) write(audience, key string) string {
	return prefix + "write:{" + k.audience(audience) + "}:" + k.name("write", audience, key)
}

func (k keys) upload(audience, id string) string {
	return prefix + "upload:{" + k.name("upload", audience, id) + "}"
}

func (k keys) nonce(nonce string) string { return prefix + "nonce:" + k.name("nonce", nonce) }

func (k keys) revoked(session string) string {
	return prefix + "revoked:" + k.name("revoked", session)
}

func (k keys) query(hash string) string { return prefix + "query:" + k.name("query", hash) }

const (
	replicasKey  = prefix + "replicas"
	dropsChannel = prefix + "drops"
)
