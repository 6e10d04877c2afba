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
	// persistedBytes bounds what is kept of documents that are known by their
	// hash; those that are used most stay.
	persistedBytes = 8 << 20
	// largestPersisted is the longest document that is kept, in bytes.
	largestPersisted = 256 << 10
	// persistedOverhead is what a document takes beside its text: its hash, its
	// node in the cache and its place in the table.
	persistedOverhead = 512
)

// persisted are automatic persisted queries, as Apollo's clients send them: a
// request may have the SHA-256 of its document in place of it, once a request
// had both. gqlgen's own keeps whatever it is sent, by number and not by size,
// before it is known to be a document at all; here nothing is kept that is not
// valid, within all limits, and the text of its hash. It is two extensions: this
// one must come before all that reads the document, and [keeping] after all
// that may refuse it.
//
// Operations of a manifest are found by their ids first, be these hashes or not.
// With only, no others are executed.
type persisted struct {
	manifest *documentSet
	only     bool
	own      *otter.Cache[string, string] // text by hash
	others   graphql.Cache[string]        // what other replicas know; nil for nothing
}

func newPersisted(manifest *documentSet, only bool, others graphql.Cache[string]) persisted {
	return persisted{manifest, only, otter.Must(&otter.Options[string, string]{
		MaximumWeight: persistedBytes,
		Weigher:       func(_, text string) uint32 { return uint32(persistedOverhead + len(text)) }, //nolint:gosec // at most largestPersisted
	}), others}
}

func (persisted) ExtensionName() string                   { return "PersistedQueries" }
func (persisted) Validate(graphql.ExecutableSchema) error { return nil }

const persistedKey = "persisted" // among the operation's statistics

// A claimed document is one that came with its hash, or was found by it.
type claimed struct {
	hash string
	sent bool // as a whole
}

// MutateOperationParameters puts the document in place of its hash.
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
				err.Err = refusedDocument{errors.New("not in the manifest")}
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
	case sent && hashOf(params.Query) != hash: // what was found was looked at when it was kept
		return gqlerror.Wrap(gqlerr.Invalid("sha256Hash", "is not the SHA-256 of the query"))
	}
	graphql.GetOperationContext(ctx).Stats.SetExtension(persistedKey, claimed{hash, sent})
	return nil
}

// errPersistedNotFound asks for the document of an id. Clients know it by these very words.
func errPersistedNotFound() *gqlerror.Error {
	return &gqlerror.Error{Message: "PersistedQueryNotFound", Extensions: map[string]any{"code": string(gqlerr.CodePersistedQueryNotFound)}}
}

// hashIn returns the hash in extensions.persistedQuery, whatever its form; nil for none.
func hashIn(extension any) any {
	members, _ := extension.(map[string]any)
	return members["sha256Hash"]
}

// get gives the document of a hash; "" if nobody knows it.
func (p persisted) get(ctx context.Context, hash string) string {
	if text, ok := p.own.GetIfPresent(hash); ok {
		return text
	}
	if p.others == nil {
		return ""
	}
	resume := admission.Wait(ctx)
	text, ok := p.others.Get(ctx, hash)
	resume()
	if !ok || hashOf(text) != hash { // whoever wrote it there
		return ""
	}
	return text
}

var sha256Form = regexp.MustCompile("^[0-9a-f]{64}$")

// persistedHash reads extensions.persistedQuery.
func persistedHash(extension any) (string, error) {
	members, _ := extension.(map[string]any)
	hash, _ := members["sha256Hash"].(string)
	if version, _ := members["version"].(json.Number); version != "1" || !sha256Form.MatchString(hash) {
		return "", gqlerr.Invalid("persistedQuery", fmt.Sprintf("must be an object with the version 1 and a sha256Hash of %d hexadecimal digits, in lower case", 2*sha256.Size))
	}
	return hash, nil
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// keeping keeps the documents that came with their hash and were not refused.
type keeping struct{ of persisted }

func (keeping) ExtensionName() string                   { return "PersistedQueriesKeeping" }
func (keeping) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext keeps the operation's document.
func (k keeping) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	c, ok := oc.Stats.GetExtension(persistedKey).(claimed)
	if !ok || len(oc.RawQuery) > largestPersisted {
		return nil
	}
	k.of.own.SetIfAbsent(c.hash, oc.RawQuery)
	if c.sent && k.of.others != nil {
		k.of.others.Add(ctx, c.hash, oc.RawQuery)
	}
	return nil
}
