package graphhttp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/99designs/gqlgen/graphql"
	"github.com/maypok86/otter/v2"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/gqlerr"
)

const (
	// persistedBytes is the maximum size of the cache of persisted documents. It evicts
	// the least used ones first.
	persistedBytes = 8 << 20
	// maxPersisted is the maximum size of a cached document in bytes.
	maxPersisted = 256 << 10
	// persistedOverhead is the memory of an entry in addition to its text: its hash, its node
	// in the cache and its slot in the table.
	persistedOverhead = 512
)

// persisted implements automatic persisted queries (APQ), as in Apollo's clients: a request may
// contain the SHA-256 of a document instead of the document, after a request with both.
// gqlgen's own extension stores any text, limited by number and not by size, before it is
// validated. This one stores only documents that are valid, within all limits, and match their
// hash. It consists of two extensions: this one must run before all that read the document, and
// [storePersisted] after all that may refuse it.
//
// The ids of a manifest are looked up first, whether they are hashes or not. If only is true, no
// other operations are executed.
type persisted struct {
	manifest *documentSet
	only     bool
	local    *otter.Cache[string, string] // text by hash
	shared   graphql.Cache[string]        // documents of other replicas; nil for none
}

func newPersisted(manifest *documentSet, only bool, shared graphql.Cache[string]) persisted {
	return persisted{manifest, only, otter.Must(&otter.Options[string, string]{
		MaximumWeight: persistedBytes,
		Weigher:       func(_, text string) uint32 { return uint32(persistedOverhead + len(text)) }, //nolint:gosec // at most maxPersisted
	}), shared}
}

func (persisted) ExtensionName() string                   { return "PersistedQueries" }
func (persisted) Validate(graphql.ExecutableSchema) error { return nil }

const persistedKey = "persisted" // key in the operation's statistics

// A persistedDocument is a document that was sent with its hash, or found by it.
type persistedDocument struct {
	hash string
	sent bool // the request contained the document
}

// MutateOperationParameters replaces a hash by its document.
func (p persisted) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	extension, document := params.Extensions["persistedQuery"], params.Extensions[documentKey]
	if p.only && params.Query != "" {
		return &gqlerror.Error{Message: errDocument.Message, Err: refusedDocument{errDocument}}
	}
	if params.Query == "" {
		for _, id := range []any{document, hashIn(extension)} {
			id, _ := id.(string)
			if text, ok := p.manifest.find(id); ok {
				params.Query = text
				return nil
			}
		}
		if p.only || document != nil && extension == nil {
			err := errPersistedNotFound()
			if p.only {
				err.Err = refusedDocument{errors.New("the id or hash is not in the manifest")}
			}
			return err
		}
	}
	if extension == nil {
		return nil
	}
	hash, err := persistedHash(extension)
	if err != nil {
		return gqlerror.Wrap(err)
	}
	sent := params.Query != ""
	if !sent {
		params.Query = p.get(ctx, hash)
	}
	switch {
	case params.Query == "":
		return errPersistedNotFound()
	case sent && hashOf(params.Query) != hash: // a stored document was verified before it was stored
		return gqlerror.Wrap(gqlerr.Invalid("sha256Hash", "is not the SHA-256 of the query"))
	}
	graphql.GetOperationContext(ctx).Stats.SetExtension(persistedKey, persistedDocument{hash, sent})
	return nil
}

// errPersistedNotFound is the error for an unknown id. Clients recognize its exact message.
func errPersistedNotFound() *gqlerror.Error {
	return &gqlerror.Error{Message: "PersistedQueryNotFound", Extensions: map[string]any{"code": string(gqlerr.CodePersistedQueryNotFound)}}
}

// hashIn returns the hash in extensions.persistedQuery without validating it, or nil.
func hashIn(extension any) any {
	members, _ := extension.(map[string]any)
	return members["sha256Hash"]
}

// get returns the document of a hash, or "".
func (p persisted) get(ctx context.Context, hash string) string {
	if text, ok := p.local.GetIfPresent(hash); ok {
		return text
	}
	if p.shared == nil {
		return ""
	}
	resume := admission.Wait(ctx)
	text, ok := p.shared.Get(ctx, hash)
	resume()
	if !ok || hashOf(text) != hash { // the shared store is not trusted
		return ""
	}
	return text
}

var sha256Form = regexp.MustCompile("^[0-9a-f]{64}$")

// persistedHash validates extensions.persistedQuery and returns its hash.
func persistedHash(extension any) (string, error) {
	members, _ := extension.(map[string]any)
	hash, _ := members["sha256Hash"].(string)
	if version, _ := members["version"].(json.Number); version != "1" || !sha256Form.MatchString(hash) {
		return "", gqlerr.Invalid("persistedQuery", fmt.Sprintf("must be an object with version 1 and a sha256Hash of %d lower-case hexadecimal digits", 2*sha256.Size))
	}
	return hash, nil
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// storePersisted stores documents that were sent with their hash and were not refused.
type storePersisted struct{ of persisted }

func (storePersisted) ExtensionName() string                   { return "StorePersistedQueries" }
func (storePersisted) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext stores the operation's document.
func (k storePersisted) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	c, ok := oc.Stats.GetExtension(persistedKey).(persistedDocument)
	if !ok || len(oc.RawQuery) > maxPersisted {
		return nil
	}
	k.of.local.SetIfAbsent(c.hash, oc.RawQuery)
	if c.sent && k.of.shared != nil {
		k.of.shared.Add(ctx, c.hash, oc.RawQuery)
	}
	return nil
}
