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

// invalidValues collects the flags whose text cannot be parsed as their type. Without it,
// kong would stop at the first one and report the error of Go's parser.
type invalidValues struct{ problems }

// options returns options that make kong parse all values except strings with m.
func (m *invalidValues) options() []kong.Option {
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

// mapper returns a mapper that parses a value. If the value is invalid, the mapper records a
// problem and uses the default, so that one run reports all problems.
func (m *invalidValues) mapper(what string, parse func(string) (any, error)) kong.Mapper {
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

// lifetimes merges the value of one occurrence of a flag into those of the earlier ones.
func (m *invalidValues) lifetimes(ctx *kong.DecodeContext, target reflect.Value) error {
	var text string
	if err := ctx.Scan.PopValueInto(ctx.Value.Tag.PlaceHolder, &text); err != nil {
		return err
	}
	all := Lifetimes{}
	if earlier, ok := reflect.TypeAssert[Lifetimes](target); ok {
		maps.Copy(all, earlier)
	}
	if !all.add(text) {
		m.add(ctx.Value.Name, "must be a kind and a duration such as list=30s, not %q", text)
		return nil
	}
	target.Set(reflect.ValueOf(all))
	return nil
}

// boolMapper parses boolean flags, whose value is optional.
type boolMapper struct{ *invalidValues }

// IsBool makes kong accept the flag without a value.
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
