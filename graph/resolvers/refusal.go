package resolvers

import (
	"cmp"
	"errors"
	"net/http"

	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// noReason is the message of a refusal that Mixcloud gives no reason for.
const noReason = "Mixcloud refused it without saying why."

// refuseWrite turns Mixcloud's refusal of a write into user errors, and reports
// whether it did. A refusal is an answer of the API itself with a 4xx status, or
// with a success status and nothing but an error in it, whatever the error's
// type is called. A refused token and the rate limit are not about the input:
// they stay errors of the operation, as does everything that is no such answer.
func refuseWrite(out *model.Outcome, err error) bool {
	answer, ok := errors.AsType[*mixcloud.Error](err)
	if !ok || !answer.Answered || answer.Status/100 != 4 && answer.Status/100 != 2 {
		return false
	}
	code := model.UserErrorCodeRefused
	switch {
	case errors.Is(err, mixcloud.ErrUnauthenticated), errors.Is(err, mixcloud.ErrRateLimited):
		return false
	case errors.Is(err, mixcloud.ErrNotFound):
		code = model.UserErrorCodeNotFound
	case answer.Status == http.StatusForbidden:
		code = model.UserErrorCodeForbidden
	}
	refuse(out, code, answer.Message, answer.Details)
	return true
}

// refuse adds Mixcloud's refusals of single fields as user errors, each with the
// path of the input's field. Without any, the user error is about the whole
// input. The message is passed on in both cases.
func refuse(out *model.Outcome, code model.UserErrorCode, message string, details map[string][]string) {
	out.Message = textOrNil(message)
	out.UserErrors = append(out.UserErrors, model.Details(details)...)
	if !out.Refused() {
		out.Refuse(code, cmp.Or(message, noReason))
	}
}

// refuseFile turns an error about a file on its way into a user error, and
// reports whether it did.
func refuseFile(out *model.Outcome, want wanted, err error) bool {
	answer, isAnswer := errors.AsType[*mixcloud.Error](err)
	if isAnswer && answer.Status == http.StatusRequestEntityTooLarge && !answer.Answered && len(want) > 0 {
		err = want.largest().tooLarge() // the proxy in front of the API says so, of the request as a whole
	}
	breach, ok := errors.AsType[*breachError](err)
	if ok {
		out.Refuse(breach.code, breach.message, breach.field)
	}
	return ok
}

// uncertain marks an error after which Mixcloud may have done what it was asked
// for: everything was sent and no usable answer came, or the answer was a
// success that does not say what was done, such as an empty one.
func uncertain(err error, sentWhole bool) error {
	e, ok := errors.AsType[*mixcloud.Error](err)
	if !ok || e.NeverSent || e.Status == http.StatusServiceUnavailable || e.Status/100 == 4 {
		return err
	}
	lost := errors.Is(e, mixcloud.ErrUnavailable) || errors.Is(e, mixcloud.ErrTimeout) || errors.Is(e, mixcloud.ErrBadResponse) || errors.Is(e, mixcloud.ErrMoved)
	if lost && (sentWhole || e.Status/100 == 2) {
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
