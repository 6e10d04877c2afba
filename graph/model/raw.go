package model

import (
	"bytes"
	"encoding/json"
)

// WithoutMetadata returns a REST object without its member "metadata", which describes
// the call and not the resource. All other members stay as received. It returns values
// that are not JSON objects, and nil, unchanged.
func WithoutMetadata(raw json.RawMessage) json.RawMessage {
	if !bytes.Contains(raw, []byte(`"metadata"`)) {
		return raw
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return raw
	}
	var out bytes.Buffer
	out.WriteByte('{')
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return raw
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return raw
		}
		if name == "metadata" {
			continue
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		quoted, _ := json.Marshal(name)
		out.Write(quoted)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes()
}
