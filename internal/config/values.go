package config

import (
	"log/slog"
	"maps"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// malformed collects the flags whose text is no value of their type. kong would
// stop at the first, and say in Go's words what is wrong with it.
type malformed struct{ problems }

// options make kong read all values but plain text through m.
func (m *malformed) options() []kong.Option {
	return []kong.Option{
		kong.TypeMapper(reflect.TypeFor[time.Duration](), m.mapper("a duration such as 30s or 1m30s", func(s string) (any, error) {
			return time.ParseDuration(s)
		})),
		kong.TypeMapper(reflect.TypeFor[slog.Level](), m.mapper("debug, info, warn or error", func(s string) (any, error) {
			var level slog.Level
			err := level.UnmarshalText([]byte(s))
			return level, err
		})),
		kong.TypeMapper(reflect.TypeFor[Lifetimes](), kong.MapperFunc(m.lifetimes)),
		kong.TypeMapper(reflect.TypeFor[Bytes](), m.mapper("a size such as 16MiB or 16777216", func(s string) (any, error) {
			return parseBytes(s)
		})),
		kong.KindMapper(reflect.Bool, boolMapper{m}),
		kong.KindMapper(reflect.Int, m.mapper("a whole number", func(s string) (any, error) {
			return strconv.Atoi(s)
		})),
		kong.KindMapper(reflect.Int64, m.mapper("a whole number", func(s string) (any, error) {
			return strconv.ParseInt(s, 10, 64)
		})),
		kong.KindMapper(reflect.Float64, m.mapper("a number", func(s string) (any, error) {
			return strconv.ParseFloat(s, 64)
		})),
	}
}

// mapper reads a value, or notes that it cannot and takes the default, so that
// whatever else is wrong is found too.
func (m *malformed) mapper(what string, parse func(string) (any, error)) kong.Mapper {
	return kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		if err := ctx.Scan.PopValueInto(ctx.Value.Tag.PlaceHolder, &text); err != nil {
			return err
		}
		value, err := parse(text)
		if err != nil {
			m.add(ctx.Value.Name, "must be %s, not %q", what, text)
			if value, err = parse(ctx.Value.Default); err != nil {
				return err
			}
		}
		target.Set(reflect.ValueOf(value))
		return nil
	})
}

// lifetimes adds what one use of a flag says to what others have said.
func (m *malformed) lifetimes(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto(ctx.Value.Tag.PlaceHolder, &text); err != nil {
		return err
	}
	all := Lifetimes{}
	if known, ok := reflect.TypeAssert[Lifetimes](target); ok {
		maps.Copy(all, known)
	}
	if !all.add(text) {
		m.add(ctx.Value.Name, "must be a kind and a duration such as list=30s, not %q", text)
		return nil
	}
	target.Set(reflect.ValueOf(all))
	return nil
}

// boolMapper reads flags that may stand without a value.
type boolMapper struct{ *malformed }

// IsBool makes kong take a flag without a value.
func (boolMapper) IsBool() bool { return true }

// Decode implements [kong.Mapper].
func (b boolMapper) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		target.SetBool(true)
		return nil
	}
	switch text := strings.ToLower(ctx.Scan.Pop().String()); text {
	case "true", "yes", "1":
		target.SetBool(true)
	case "false", "no", "0":
		target.SetBool(false)
	default:
		b.add(ctx.Value.Name, "must be true or false, not %q", text)
	}
	return nil
}
