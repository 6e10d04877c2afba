package mixcloud

import (
	"encoding/json"
	"errors"
	"net/http"
)

// What makes an answer useless that is JSON otherwise.
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
		return nil, stored("Decode", failed)
	}
	one := P(new(T))
	if one.decode(v); one.identity().IsZero() {
		return nil, stored("Decode", &Error{Kind: ErrBadResponse, Err: errors.New(noKey)})
	}
	return one, nil
}

// DecodePage decodes the JSON of a page, as [Decode] does that of an object. T is
// the type of its items.
func DecodePage[T any, P Decodable[T]](raw json.RawMessage) (*Page[T], error) {
	v, failed := readJSON(http.StatusOK, nil, raw)
	if failed != nil {
		return nil, stored("DecodePage", failed)
	}
	page := new(Page[T])
	if !decodePage[T, P](page, v) {
		return nil, stored("DecodePage", &Error{Kind: ErrBadResponse, Err: errors.New(noData)})
	}
	return page, nil
}

// DecodeOEmbed decodes the JSON of an [OEmbed], as [Decode] does that of an object.
func DecodeOEmbed(raw json.RawMessage) (*OEmbed, error) {
	v, failed := readJSON(http.StatusOK, nil, raw)
	if failed != nil {
		return nil, stored("DecodeOEmbed", failed)
	}
	answer := new(OEmbed)
	if problem := answer.take(v); problem != "" {
		return nil, stored("DecodeOEmbed", &Error{Kind: ErrBadResponse, Err: errors.New(problem)})
	}
	return answer, nil
}

// stored makes e the error of something that was kept, not answered.
func stored(op string, e *Error) *Error {
	e.Op, e.Status = op, 0
	return e
}
