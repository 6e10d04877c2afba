package responselimit

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// MaxErrors is how many errors a response lists. One more counts the rest.
const MaxErrors = 20

// maxMessage is how many bytes of an error's message are sent: some quote the document.
const maxMessage = 1000

// Presenter returns an error presenter that presents the first [MaxErrors] errors of a response by next, and counts
// the rest. Errors of an execution that was stopped are dropped.
func Presenter(next graphql.ErrorPresenterFunc) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		c := counterOf(ctx)
		if c == nil {
			return next(ctx, err)
		}
		if c.state.Load() == stopped || c.errors.Add(1) > MaxErrors {
			return nil // counted, and not listed
		}
		return next(ctx, err)
	}
}

// List returns at most [MaxErrors] errors of a list, with messages of a bounded size, and how many there were.
// [Counted] says so in the response.
func List(errs gqlerror.List) (listed gqlerror.List, all int) {
	listed = errs[:min(len(errs), MaxErrors)]
	for _, err := range listed {
		if len(err.Message) > maxMessage {
			err.Message = cut(err.Message, maxMessage) + "…"
		}
	}
	return listed, len(errs)
}

// Counted adds to the listed errors of a response one that counts the others, if there are any. It has the code of
// the last one listed.
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

// cut returns the first n bytes of s, or a few less so as not to split a character.
func cut(s string, n int) string {
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
