package telemetry

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// LogAttrs writes a line to log, like [slog.Logger.LogAttrs]. It is for frequent lines, such as
// those of the access log: for a logger from [NewLogger] it formats simple values itself, which
// takes about half of slog's time. slog formats the lines with other values; the format is the
// same. If attrs has spare capacity, LogAttrs may overwrite it.
func LogAttrs(ctx context.Context, log *slog.Logger, level slog.Level, msg string, attrs ...slog.Attr) {
	if h, ok := log.Handler().(*handler); ok && h.lines != nil && h.Enabled(ctx, level) {
		all := attrs
		if id := RequestID(ctx); id != "" {
			all = append(all, slog.String("request", id))
		}
		if h.lines.write(time.Now(), level, msg, all) {
			return
		}
	}
	log.LogAttrs(ctx, level, msg, attrs...)
}

// A lockedWriter lets slog and a lineWriter share a writer.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// A lineWriter writes lines in the format of slog's handlers, each with one Write.
type lineWriter struct {
	out    io.Writer
	format Format
}

// maxLine is the maximum capacity of a buffer that is reused, in bytes.
const maxLine = 4 << 10

var lineBuffers = sync.Pool{New: func() any { return new([]byte) }}

// write writes a line. It returns false, and writes nothing, if the line contains a value that it
// cannot format.
func (l *lineWriter) write(at time.Time, level slog.Level, msg string, attrs []slog.Attr) bool {
	buffer := lineBuffers.Get().(*[]byte)
	line, ok := l.append((*buffer)[:0], at, level, msg, attrs)
	if ok {
		_, _ = l.out.Write(line) // slog.Logger ignores the error too
	}
	if cap(line) <= maxLine {
		*buffer = line
		lineBuffers.Put(buffer)
	}
	return ok
}

func (l *lineWriter) append(line []byte, at time.Time, level slog.Level, msg string, attrs []slog.Attr) (_ []byte, ok bool) {
	if l.format == JSON {
		line = append(at.AppendFormat(append(line, `{"time":"`...), time.RFC3339Nano), '"')
	} else {
		line = appendMillis(append(line, `time=`...), at)
	}
	line, ok = l.appendString(line, slog.LevelKey, level.String())
	if ok {
		line, ok = l.appendString(line, slog.MessageKey, msg)
	}
	for i := 0; ok && i < len(attrs); i++ {
		line, ok = l.appendAttr(line, attrs[i])
	}
	if l.format == JSON {
		line = append(line, '}')
	}
	return append(line, '\n'), ok
}

// appendMillis appends a time with three digits of the second's fraction. [time.RFC3339Nano] is
// several times faster than other layouts, but omits trailing zeros: a tenth of a millisecond
// more makes it write exactly four digits.
func appendMillis(line []byte, at time.Time) []byte {
	digits := len(line) + len("2006-01-02T15:04:05.000")
	line = at.Truncate(time.Millisecond).Add(time.Millisecond/10).AppendFormat(line, time.RFC3339Nano)
	return append(line[:digits], line[digits+1:]...)
}

// appendAttr appends an attribute with a simple value.
func (l *lineWriter) appendAttr(line []byte, a slog.Attr) (_ []byte, ok bool) {
	if a.Value.Kind() == slog.KindString {
		return l.appendString(line, a.Key, a.Value.String())
	}
	if line, ok = l.appendKey(line, a.Key); !ok {
		return line, false
	}
	switch a.Value.Kind() {
	case slog.KindInt64:
		return strconv.AppendInt(line, a.Value.Int64(), 10), true
	case slog.KindBool:
		return strconv.AppendBool(line, a.Value.Bool()), true
	case slog.KindDuration:
		if l.format == JSON {
			return strconv.AppendInt(line, int64(a.Value.Duration()), 10), true
		}
		return append(line, a.Value.Duration().String()...), true
	default:
		return line, false
	}
}

func (l *lineWriter) appendKey(line []byte, key string) (_ []byte, ok bool) {
	if key == "" || !plain(key) {
		return line, false
	}
	if l.format == JSON {
		line = append(line, `,"`...)
		return append(append(line, key...), `":`...), true
	}
	return append(append(append(line, ' '), key...), '='), true
}

// appendString appends a text that needs no escapes and, in the format Text, no quotes unless it
// is empty.
func (l *lineWriter) appendString(line []byte, key, value string) (_ []byte, ok bool) {
	line, ok = l.appendKey(line, key)
	if !ok || !plain(value) {
		return line, false
	}
	if l.format == JSON || value == "" {
		line = append(line, '"')
		return append(append(line, value...), '"'), true
	}
	return append(line, value...), true
}

// plain reports whether a text is the same in a line of each format.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=' {
			return false
		}
	}
	return true
}
