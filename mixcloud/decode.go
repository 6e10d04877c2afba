package mixcloud

import (
	"encoding/json"
	"errors"
	"net/http"

	"mixcloud-graphql/mixcloud/rawjson"
)

// Errors of valid JSON that is not a resource or a list.
const (
	noKey  = "the object has no key"
	noData = "the list has no data"
)

// Decode decodes JSON that was stored from [Object.Raw] or received by other
// means, as the methods of [Client] do:
//
//	user, err := mixcloud.Decode[mixcloud.FullUser](raw)
//
// It copies raw. JSON that is not an object with a key is an [ErrBadResponse].
func Decode[T any, P Decodable[T]](raw json.RawMessage) (*T, error) {
	v, failed := readJSON(http.StatusOK, nil, raw)
	if failed != nil {
		return nil, decodeError("Decode", failed)
	}
	one := P(new(T))
	if one.decode(v); one.identity().IsZero() {
		return nil, decodeError("Decode", &Error{Kind: ErrBadResponse, Err: errors.New(noKey)})
	}
	return one, nil
}

// DecodePage decodes the JSON of a page, as [Decode] does that of an object. T is
// the type of its items.
func DecodePage[T any, P Decodable[T]](raw json.RawMessage) (*Page[T], error) {
	v, failed := readJSON(http.StatusOK, nil, raw)
	if failed != nil {
		return nil, decodeError("DecodePage", failed)
	}
	page := new(Page[T])
	if !decodePage[T, P](page, v) {
		return nil, decodeError("DecodePage", &Error{Kind: ErrBadResponse, Err: errors.New(noData)})
	}
	return page, nil
}

// DecodeOEmbed decodes the JSON of an [OEmbed], as [Decode] does that of an object.
func DecodeOEmbed(raw json.RawMessage) (*OEmbed, error) {
	v, failed := readJSON(http.StatusOK, nil, raw)
	if failed != nil {
		return nil, decodeError("DecodeOEmbed", failed)
	}
	oembed := new(OEmbed)
	if problem := oembed.decodeChecked(v); problem != "" {
		return nil, decodeError("DecodeOEmbed", &Error{Kind: ErrBadResponse, Err: errors.New(problem)})
	}
	return oembed, nil
}

// decodeError returns e as the error of a Decode function, which has no status.
func decodeError(op string, e *Error) *Error {
	e.Op, e.Status = op, 0
	return e
}

// FromJSON decodes a part of a response that this package has returned, such as
// [Object.JSON]. Fields whose members are absent in v are zero.
func FromJSON[T any, P Decodable[T]](v rawjson.Value) *T {
	decoded := P(new(T))
	decoded.decode(value{v})
	return decoded
}
