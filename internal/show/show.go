// Package show formats values for the messages of tests. The format is like %+v, but Value
// follows pointers inside of a value, where fmt prints memory addresses.
package show

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// depth is the maximum number of nested pointers to follow, because values can be cyclic.
const depth = 4

// Value formats a value.
func Value(v any) string {
	var b strings.Builder
	write(&b, reflect.ValueOf(v), depth)
	return b.String()
}

func write(b *strings.Builder, v reflect.Value, left int) {
	if !v.IsValid() {
		b.WriteString("nil")
		return
	}
	nilable := v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface || v.Kind() == reflect.Slice || v.Kind() == reflect.Map
	if nilable && v.IsNil() {
		b.WriteString("nil")
		return
	}
	if v.CanInterface() {
		switch v.Interface().(type) {
		case fmt.Stringer, error:
			fmt.Fprintf(b, "%v", v.Interface())
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if left == 0 {
			b.WriteString("…")
			return
		}
		if v.Kind() == reflect.Pointer {
			left--
		}
		write(b, v.Elem(), left)
	case reflect.Struct:
		list(b, "{", "}", v.NumField(), func(i int) {
			b.WriteString(v.Type().Field(i).Name + ":")
			write(b, v.Field(i), left)
		})
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			b.WriteString(strconv.Quote(string(v.Bytes())))
			return
		}
		list(b, "[", "]", v.Len(), func(i int) { write(b, v.Index(i), left) })
	case reflect.Map:
		keys := v.MapKeys()
		list(b, "map[", "]", len(keys), func(i int) {
			write(b, keys[i], left)
			b.WriteByte(':')
			write(b, v.MapIndex(keys[i]), left)
		})
	case reflect.String:
		b.WriteString(strconv.Quote(v.String()))
	case reflect.Func, reflect.Chan:
		b.WriteString(v.Type().String())
	default:
		fmt.Fprintf(b, "%v", v) // fmt prints the value inside of a reflect.Value
	}
}

func list(b *strings.Builder, begin, end string, n int, element func(int)) {
	b.WriteString(begin)
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		element(i)
	}
	b.WriteString(end)
}
