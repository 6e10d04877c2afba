// Package manifest reads manifests of persisted operations. A client's build tool writes
// such a file with all operations of an application, so that a server can execute them by
// their ids. The package supports two formats:
//
//   - Relay's (persistConfig of relay-compiler): {"<id>": "<document>", …}
//   - Apollo's (generate-persisted-query-manifest): {"format": "apollo-persisted-query-manifest",
//     "version": 1, "operations": [{"id": "…", "name": "…", "type": "query", "body": "…"}, …]}
//
// The package does not validate the documents.
package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// An Operation is one entry of a manifest.
type Operation struct {
	ID   string `json:"id"`
	Name string `json:"name"` // "" if the format has none
	Type string `json:"type"` // query, mutation or subscription; "" if the format has none
	Text string `json:"body"` // a document with one operation
}

// String returns a description of the operation for error messages.
func (o Operation) String() string {
	if o.Name == "" {
		return fmt.Sprintf("operation %q", o.ID)
	}
	return fmt.Sprintf("operation %s (id %q)", o.Name, o.ID)
}

// The format and version of Apollo's manifests.
const (
	apollo        = "apollo-persisted-query-manifest"
	apolloVersion = 1
)

// maxSize is the maximum size of a manifest in bytes.
const maxSize = 64 << 20

// Read reads a manifest from a file.
func Read(path string) ([]Operation, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // the file was only read
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(text) > maxSize {
		err = fmt.Errorf("it has more than %d bytes", maxSize)
	}
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// Parse parses a manifest. It returns an error unless all operations have an id, which must be
// unique, and a document.
func Parse(text []byte) ([]Operation, error) {
	keys, members, err := object(bytes.TrimPrefix(text, []byte("\uFEFF")))
	if err != nil {
		return nil, err
	}
	var all []Operation
	if format, ok := members["format"]; ok && !looksLikeDocument(format) {
		all, err = parseApollo(format, members)
	} else {
		all, err = parseRelay(keys, members)
	}
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("it has no operations")
	}
	known := map[string]bool{}
	for i, o := range all {
		switch {
		case o.ID == "":
			return nil, fmt.Errorf("its operation %d has no id", i+1)
		case o.Text == "":
			return nil, fmt.Errorf("its %v has no document", o)
		case known[o.ID]:
			return nil, fmt.Errorf("the id of its %v is not unique", o)
		}
		known[o.ID] = true
	}
	return all, nil
}

// looksLikeDocument reports whether the value of the member "format" is a document: in Relay's
// format, "format" may be the id of an operation.
func looksLikeDocument(format json.RawMessage) bool { return bytes.ContainsRune(format, '{') }

// object returns the members of a JSON object, and their names in order.
func object(text []byte) (names []string, members map[string]json.RawMessage, _ error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, nil, errors.New("it is not a JSON object")
	}
	members = map[string]json.RawMessage{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, nil, fmt.Errorf("it is not valid JSON: %w", err)
		}
		key, _ := name.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, nil, fmt.Errorf("it is not valid JSON: %w", err)
		}
		if _, duplicate := members[key]; duplicate {
			return nil, nil, fmt.Errorf("it has a duplicate member %q", key)
		}
		members[key] = value
		names = append(names, key)
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, fmt.Errorf("it is not valid JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("it has more than one JSON value")
	}
	return names, members, nil
}

func parseRelay(names []string, members map[string]json.RawMessage) ([]Operation, error) {
	all := make([]Operation, len(names))
	for i, id := range names {
		all[i].ID = id
		if err := json.Unmarshal(members[id], &all[i].Text); err != nil {
			return nil, fmt.Errorf("its member %q is not a string", id)
		}
	}
	return all, nil
}

func parseApollo(format json.RawMessage, members map[string]json.RawMessage) ([]Operation, error) {
	var file struct {
		Format     string      `json:"format"`
		Version    int         `json:"version"`
		Operations []Operation `json:"operations"`
	}
	if json.Unmarshal(format, &file.Format) != nil || file.Format != apollo {
		return nil, fmt.Errorf("its format is %s, not %q", format, apollo)
	}
	if members["version"] == nil {
		return nil, fmt.Errorf("it has no version, want %d", apolloVersion)
	}
	if version := members["version"]; json.Unmarshal(version, &file.Version) != nil || file.Version != apolloVersion {
		return nil, fmt.Errorf("its version is %s, not %d", version, apolloVersion)
	}
	if err := json.Unmarshal(members["operations"], &file.Operations); err != nil {
		return nil, errors.New(`its "operations" is not a list of objects with the strings id, name, type and body`)
	}
	return file.Operations, nil
}
