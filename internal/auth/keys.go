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

// MinSecretKey is the fewest bytes that a secret key may have.
const MinSecretKey = 32

// Keys are what is derived from the server's one secret key. Each purpose has a
// key of its own, so that what was made for one is nothing to another. Replicas
// with the same secret key open each other's cookies and name audiences alike.
// They are safe for concurrent use and print without anything secret.
type Keys struct {
	session, attempt sealer
	audience         *[sha256.Size]byte
}

// NewKeys derives keys from a secret key: any text of at least 32 bytes that
// nobody can guess, such as `openssl rand -base64 32` or `openssl rand -hex 32`
// prints. It is taken as the text it is, without white space around it, so that
// there is nothing to get wrong about its encoding.
func NewKeys(secret string) (*Keys, error) {
	secret = strings.TrimSpace(secret)
	if len(secret) < MinSecretKey {
		return nil, fmt.Errorf("the secret key has %d bytes; at least %d are needed, such as those of: openssl rand -base64 32", len(secret), MinSecretKey)
	}
	return deriveKeys([]byte(secret)), nil
}

// RandomKeys are keys that nobody else has: whatever they seal ends with the
// process.
func RandomKeys() *Keys {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return deriveKeys(secret)
}

func deriveKeys(secret []byte) *Keys {
	audience := [sha256.Size]byte(derive(secret, "audience"))
	return &Keys{
		session:  newSealer(secret, "session"),
		attempt:  newSealer(secret, "attempt"),
		audience: &audience,
	}
}

// derive makes the key of one purpose. The label must never change: cookies of
// earlier releases are opened with it.
func derive(secret []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, "mixcloud-graphql "+purpose+" 1", sha256.Size)
	if err != nil {
		panic(err) // 32 bytes are never too many
	}
	return key
}

// String tells nothing.
func (*Keys) String() string { return "[redacted]" }

// Audience is a keyed hash of the whole of token: it names whose eyes an answer
// is for wherever that must be kept, and whoever reads it there learns nothing.
// That of "" is "".
func (k *Keys) Audience(token string) string {
	if token == "" {
		return ""
	}
	mac := hmac.New(sha256.New, k.audience[:])
	mac.Write([]byte(token))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// A sealer keeps what only this server may read or make: AES-256-GCM under a
// random nonce, which is good for some four thousand million sealings.
type sealer struct {
	aead    cipher.AEAD
	purpose string // authenticated, not kept
}

// sealVersion begins everything sealed, so that another way of sealing can one
// day stand beside this one.
const sealVersion = "1."

// maxSealed is more than anything sealed has: browsers keep no longer cookie.
const maxSealed = 4096

var sealEncoding = base64.RawURLEncoding.Strict() // one text for one content

func newSealer(secret []byte, purpose string) sealer {
	block, err := aes.NewCipher(derive(secret, purpose))
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES is what it is for
	}
	return sealer{aead, purpose}
}

func (s sealer) seal(content []byte) string {
	return sealVersion + sealEncoding.EncodeToString(s.aead.Seal(nil, nil, content, s.associated()))
}

// open gives what was sealed; false for whatever this sealer has not made.
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
