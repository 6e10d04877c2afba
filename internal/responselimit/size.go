package responselimit

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"
)

const (
	sizeOfNull = int64(len("null"))
	sizeOfTime = int64(len(`"2006-01-02T15:04:05Z"`))
)

// sizeOf returns the number of JSON bytes of a scalar value or a list of scalar values.
func sizeOf(value any) int64 {
	switch v := value.(type) {
	case nil:
		return sizeOfNull
	case string:
		return sizeOfString(v)
	case *string:
		if v == nil {
			return sizeOfNull
		}
		return sizeOfString(*v)
	case json.RawMessage:
		return max(int64(len(v)), sizeOfNull)
	case time.Time:
		return sizeOfTime
	case fmt.Stringer:
		if reflect.TypeOf(value).Kind() == reflect.Struct { // a scalar that is marshaled as its text
			return sizeOfString(v.String())
		}
	}
	return sizeOfValue(reflect.ValueOf(value))
}

func sizeOfValue(v reflect.Value) int64 {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return sizeOfNull
		}
		return sizeOfValue(v.Elem())
	case reflect.String:
		return sizeOfString(v.String())
	case reflect.Bool:
		if v.Bool() {
			return int64(len("true"))
		}
		return int64(len("false"))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return digits(v.Int())
	case reflect.Float32, reflect.Float64:
		var buf [32]byte
		return int64(len(strconv.AppendFloat(buf[:0], v.Float(), 'g', -1, 64)))
	case reflect.Slice:
		if v.Type() == rawJSON {
			return max(int64(v.Len()), sizeOfNull)
		}
		n := v.Len()
		bytes := 2 + int64(max(n-1, 0))
		for i := range n {
			bytes += sizeOfValue(v.Index(i))
		}
		return bytes
	case reflect.Struct:
		if text, ok := reflect.TypeAssert[fmt.Stringer](v); ok && v.Type() != timeType {
			return sizeOfString(text.String())
		}
	}
	if v.Type() != timeType {
		if text, ok := reflect.TypeAssert[fmt.Stringer](v); ok { // such as a key
			return sizeOfString(text.String())
		}
	}
	return sizeOfTime // a time; the schema has no other types
}

var (
	rawJSON  = reflect.TypeFor[json.RawMessage]()
	timeType = reflect.TypeFor[time.Time]()
)

// extraBytes is the number of additional bytes that each byte of a string takes in JSON, as gqlgen escapes it.
var extraBytes = func() (more [256]uint8) {
	for c := range 0x20 {
		more[c] = 5
	}
	for _, c := range "\"\\\n\r\t" {
		more[c] = 1
	}
	return more
}()

func sizeOfString(s string) int64 {
	n := len(s) + 2
	for i := range len(s) {
		n += int(extraBytes[s[i]])
	}
	return int64(n)
}

func digits(i int64) int64 {
	n := int64(1)
	if i < 0 {
		n++
	}
	for i /= 10; i != 0; i /= 10 {
		n++
	}
	return n
}
