package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// MinSecretKey is the minimum length of a secret key in bytes.
const MinSecretKey = 32

// Keys are derived from the server's secret key, one for each purpose, so that a value made for
// one purpose is invalid for all others. Replicas with the same secret key can open each
// other's cookies and compute the same principals. Keys are safe for concurrent use, and
// printing them reveals no secret.
type Keys struct {
	session, attempt sealer
	principal        *[sha256.Size]byte
}

// NewKeys derives keys from a secret key: any unguessable text of at least 32 bytes, such as
// the output of `openssl rand -base64 32` or `openssl rand -hex 32`. The text is used as is,
// without surrounding white space; it is not decoded.
func NewKeys(secret string) (*Keys, error) {
	secret = strings.TrimSpace(secret)
	if len(secret) < MinSecretKey {
		return nil, fmt.Errorf("the secret key has %d bytes; at least %d are required, such as the output of: openssl rand -base64 32", len(secret), MinSecretKey)
	}
	return deriveKeys([]byte(secret)), nil
}

// RandomKeys returns random keys. Everything that they seal becomes invalid when the process
// ends.
func RandomKeys() *Keys {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return deriveKeys(secret)
}

func deriveKeys(secret []byte) *Keys {
	principal := [sha256.Size]byte(derive(secret, "audience")) // the label must not change
	return &Keys{
		session:   newSealer(secret, "session"),
		attempt:   newSealer(secret, "attempt"),
		principal: &principal,
	}
}

// derive returns the key of one purpose. The label must never change, or cookies of earlier
// releases could not be opened.
func derive(secret []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, "mixcloud-graphql "+purpose+" 1", sha256.Size)
	if err != nil {
		panic(err) // HKDF can always produce 32 bytes
	}
	return key
}

// String implements [fmt.Stringer] without revealing the keys.
func (*Keys) String() string { return "[redacted]" }

// Principal returns a keyed hash of a token, or "" for "". It identifies the caller in caches
// and stores without revealing the token.
func (k *Keys) Principal(token string) string {
	if token == "" {
		return ""
	}
	mac := hmac.New(sha256.New, k.principal[:])
	mac.Write([]byte(token))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// A sealer encrypts and authenticates with AES-256-GCM under a random nonce, which is safe for
// about 2^32 messages.
type sealer struct {
	aead    cipher.AEAD
	purpose string // authenticated, but not stored
}

// sealVersion is the prefix of every sealed text, so that another format can be added later.
const sealVersion = "1."

// maxSealed is the maximum length of a sealed text: browsers store no longer cookies.
const maxSealed = 4096

var sealEncoding = base64.RawURLEncoding.Strict() // strict, so that a sealed text has only one encoding

func newSealer(secret []byte, purpose string) sealer {
	block, err := aes.NewCipher(derive(secret, purpose))
	if err != nil {
		panic(err) // a key of 32 bytes is always valid
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the block size that GCM needs
	}
	return sealer{aead, purpose}
}

func (s sealer) seal(content []byte) string {
	return sealVersion + sealEncoding.EncodeToString(s.aead.Seal(nil, nil, content, s.associated()))
}

// open returns the sealed content, or false if this sealer did not seal it.
func (s sealer) open(sealed string) ([]byte, bool) {
	text, ours := strings.CutPrefix(sealed, sealVersion)
	if !ours || len(text) > maxSealed {
		return nil, false
	}
	raw, err := sealEncoding.DecodeString(text)
	if err != nil {
		return nil, false
	}
	content, err := s.aead.Open(nil, nil, raw, s.associated())
	return content, err == nil
}

func (s sealer) associated() []byte { return []byte(sealVersion + s.purpose) }
