package config

import "log/slog"

const redacted = "[redacted]"

// A Secret is a confidential setting. If it is printed, logged or marshaled, the result is
// "[redacted]", or "" if it is empty.
type Secret string

// Reveal returns the value of the secret.
func (s Secret) Reveal() string { return string(s) }

// String returns the redacted form.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString returns the redacted form, for %#v.
func (s Secret) GoString() string { return `config.Secret("` + s.String() + `")` }

// LogValue returns the redacted form, for logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns the redacted form, for JSON and other encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
