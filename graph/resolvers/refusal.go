package resolvers

import (
	"cmp"
	"errors"
	"net/http"

	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// noReason is the message of a refusal for which Mixcloud names no reason.
const noReason = "Mixcloud refused the request without a reason."

// refuseWrite adds a user error if err is Mixcloud's refusal of a write, and reports
// whether it is. A refusal is a response of the API itself, with a 4xx status or
// with a success status and an error object, of any error type. An invalid token
// and the rate limit do not concern the input: they stay errors of the operation,
// like all errors that are not such a response.
func refuseWrite(out *model.Payload, err error) bool {
	response, ok := errors.AsType[*mixcloud.Error](err)
	if !ok || !response.FromAPI || response.Status/100 != 4 && response.Status/100 != 2 {
		return false
	}
	code := model.UserErrorCodeRefused
	switch {
	case errors.Is(err, mixcloud.ErrUnauthenticated), errors.Is(err, mixcloud.ErrRateLimited):
		return false
	case errors.Is(err, mixcloud.ErrNotFound):
		code = model.UserErrorCodeNotFound
	case response.Status == http.StatusForbidden:
		code = model.UserErrorCodeForbidden
	}
	refuse(out, code, response.Message, response.Details)
	return true
}

// refuse adds a user error for each field that Mixcloud refused, with the path of
// the input field. If Mixcloud names no field, it adds one for the whole input.
// In both cases Mixcloud's message becomes the message of the payload.
func refuse(out *model.Payload, code model.UserErrorCode, message string, details map[string][]string) {
	out.Message = textOrNil(message)
	out.UserErrors = append(out.UserErrors, model.FieldErrors(details)...)
	if !out.Refused() {
		out.Refuse(code, cmp.Or(message, noReason))
	}
}

// refuseFile adds a user error if err is about one of the files, and reports
// whether it is.
func refuseFile(out *model.Payload, rules fileRules, err error) bool {
	response, ok := errors.AsType[*mixcloud.Error](err)
	if ok && response.Status == http.StatusRequestEntityTooLarge && !response.FromAPI && len(rules) > 0 {
		err = rules.largest().tooLarge() // a proxy in front of the API refused the size of the whole request
	}
	invalid, ok := errors.AsType[*fileError](err)
	if ok {
		out.Refuse(invalid.code, invalid.message, invalid.field)
	}
	return ok
}

// markUncertain marks an error after which Mixcloud may have executed the write:
// everything was sent and no usable response came, or the response has a success
// status but no result, such as an empty one.
func markUncertain(err error, allSent bool) error {
	e, ok := errors.AsType[*mixcloud.Error](err)
	if !ok || e.NeverSent || e.Status == http.StatusServiceUnavailable || e.Status/100 == 4 {
		return err
	}
	unknown := errors.Is(e, mixcloud.ErrUnavailable) || errors.Is(e, mixcloud.ErrTimeout) || errors.Is(e, mixcloud.ErrBadResponse) || errors.Is(e, mixcloud.ErrMoved)
	if unknown && (allSent || e.Status/100 == 2) {
		return gqlerr.Uncertain(err)
	}
	return err
}

// textOrNil returns nil for an empty text.
func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
