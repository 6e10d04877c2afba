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

// Decode reads an object as [Client]'s getters do, for whoever stores Raw and
// wants the value back; T is one of this package's types, such as [FullUser].
// raw is copied. What the getters would refuse is an [ErrBadResponse].
func Decode[T any, P decodable[T]](raw json.RawMessage) (*T, error) {
	v, failed := readJSON(http.StatusOK, nil, raw)
	if failed != nil {
		return nil, stored("Decode", failed)
	}
	one := P(new(T))
	if one.decode(v); one.identity() == "" {
		return nil, stored("Decode", &Error{Kind: ErrBadResponse, Err: errors.New(noKey)})
	}
	return one, nil
}

// DecodePage reads a page as the methods for lists do, for whoever stores its
// Raw; T is the type of its items. raw is copied.
func DecodePage[T any, P decodable[T]](raw json.RawMessage) (*Page[T], error) {
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

// DecodeOEmbed reads an answer as [Client.OEmbed] does, for whoever stores its
// Raw. raw is copied.
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
