package responselimit

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// MaxErrors is the maximum number of errors in a response. One more entry counts the others.
const MaxErrors = 20

// maxMessage is the maximum length of an error message in bytes: some messages quote the document.
const maxMessage = 1000

// Presenter returns an error presenter that passes the first [MaxErrors] errors of a response to next and counts the
// others. Errors of a stopped execution are dropped.
func Presenter(next graphql.ErrorPresenterFunc) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		c := counterOf(ctx)
		if c == nil {
			return next(ctx, err)
		}
		if c.state.Load() == stopped || c.errors.Add(1) > MaxErrors {
			return nil // counted, but not listed
		}
		return next(ctx, err)
	}
}

// List returns at most [MaxErrors] errors of a list, with truncated messages, and the number of all errors. [Counted]
// reports that number in the response.
func List(errs gqlerror.List) (listed gqlerror.List, all int) {
	listed = errs[:min(len(errs), MaxErrors)]
	for _, err := range listed {
		if len(err.Message) > maxMessage {
			err.Message = cut(err.Message, maxMessage) + "…"
		}
	}
	return listed, len(errs)
}

// Counted appends an entry that counts the errors which are not listed, if there are any. It has the code of the last
// listed error.
func Counted(listed gqlerror.List, all int) gqlerror.List {
	omitted := all - len(listed)
	if omitted <= 0 || len(listed) == 0 {
		return listed
	}
	rest := &gqlerror.Error{
		Message:    fmt.Sprintf("%d more errors are not listed.", omitted),
		Extensions: map[string]any{"omitted": omitted},
	}
	if omitted == 1 {
		rest.Message = "1 more error is not listed."
	}
	for _, name := range []string{"code", "retryable", "retryAfterMs"} {
		if value, ok := listed[len(listed)-1].Extensions[name]; ok {
			rest.Extensions[name] = value
		}
	}
	return append(listed, rest)
}

// cut returns the first n bytes of s, or slightly fewer to avoid splitting a character.
func cut(s string, n int) string {
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
