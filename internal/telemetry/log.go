package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// A Format is a format of log lines.
type Format string

// The formats.
const (
	Text Format = "text" // key=value
	JSON Format = "json" // one object per line
)

// NewLogger returns a logger that writes lines of at least the level to w. A line that is logged
// with a request's context contains the request's id as attribute "request".
func NewLogger(w io.Writer, format Format, level slog.Leveler) (*slog.Logger, error) {
	opts := &slog.HandlerOptions{Level: level}
	out := &lockedWriter{w: w}
	switch format {
	case Text:
		return slog.New(&handler{slog.NewTextHandler(out, opts), &lineWriter{out, Text}}), nil
	case JSON:
		return slog.New(&handler{slog.NewJSONHandler(out, opts), &lineWriter{out, JSON}}), nil
	default:
		return nil, fmt.Errorf("unknown log format %q", format)
	}
}

// A handler adds the request's id to every record.
type handler struct {
	slog.Handler

	lines *lineWriter // for [LogAttrs]; nil for a handler with attributes or a group
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestID(ctx); id != "" {
		r = r.Clone()
		r.AddAttrs(slog.String("request", id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{Handler: h.Handler.WithAttrs(attrs)}
}

func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{Handler: h.Handler.WithGroup(name)}
}
