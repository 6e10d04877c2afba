package gqlerr

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/telemetry"
	"mixcloud-graphql/mixcloud"
)

// Presenter returns the function that turns every error of an operation into
// its public form, and logs what the public form leaves out: faults of this
// server as errors, faults of Mixcloud as warnings, one of a code every ten
// seconds, the rest for debugging. The function is safe for concurrent use.
func Presenter(log *slog.Logger) graphql.ErrorPresenterFunc {
	warnings := new(sparing)
	return func(ctx context.Context, err error) *gqlerror.Error {
		if err == nil {
			return nil
		}
		pub := publish(ctx, err)
		pub.record(ctx, log, warnings, err)
		return pub.gql(ctx, err)
	}
}

// Recover returns the function that turns a panic in a resolver into an
// [CodeInternal] error. The panic's value and stack go to the log alone.
func Recover(log *slog.Logger) graphql.RecoverFunc {
	return func(ctx context.Context, p any) error {
		log.ErrorContext(ctx, "panic in a resolver",
			"path", graphql.GetPath(ctx).String(), "panic", telemetry.Panicked(p), "stack", string(debug.Stack()))
		return Internal(nil)
	}
}

// Public returns the public form of an error that belongs to no operation, such
// as a request refused before it was parsed.
func Public(ctx context.Context, err error) *gqlerror.Error {
	return publish(ctx, err).gql(ctx, err)
}

// public is what a client may know of an error.
type public struct {
	code     Code
	message  string
	argument string
	wait     time.Duration
	details  map[string]any
	api      *mixcloud.Error // nil unless Mixcloud answered with a fault
	open     bool            // nobody knows whether it was done
}

func publish(ctx context.Context, err error) public {
	p := public{code: CodeOf(err)}
	if api, ok := errors.AsType[*mixcloud.Error](err); ok {
		p.api, p.wait = api, api.RetryAfter
	}
	own, isOwn := errors.AsType[*Error](err)
	input, isInput := errors.AsType[*mixcloud.InvalidError](err)
	g, isGQL := errors.AsType[*gqlerror.Error](err)
	switch {
	case isOwn:
		p.message, p.argument, p.wait = own.Message, own.Argument, max(p.wait, own.Wait)
		p.details = own.Details
	case isInput:
		p.message, p.argument = invalidMessage(input.Arg, input.Reason), input.Arg
	case isGQL && p.code == CodeLimitExceeded:
		p.message = limitMessage(g.Message)
	case isGQL && g.Extensions["code"] != nil && p.code != CodeInternal:
		p.message = documentMessage(g)
	case p.code == CodeInternal:
		// A plain error before the field's resolver ran can only be about an
		// argument: the generated code could not read it. Its text is Go's.
		if arg, ok := unreadArgument(ctx, g); ok {
			p.code, p.argument = CodeBadUserInput, arg
			p.message = invalidMessage(arg, "does not fit its type")
			break
		}
		p.message = internalMessage
	default:
		p.message = words(p.code, err, p.wait)
	}
	if _, p.open = errors.AsType[*uncertainError](err); p.open {
		p.message = openMessage(p.code)
	}
	return p
}

// gql builds the error of the response, always a fresh one.
func (p public) gql(ctx context.Context, err error) *gqlerror.Error {
	out := &gqlerror.Error{Message: p.message, Extensions: map[string]any{}}
	maps.Copy(out.Extensions, p.details)
	out.Extensions["code"] = string(p.code)
	out.Path, out.Locations = position(ctx, err)
	if p.open {
		out.Extensions["outcome"] = "UNKNOWN"
	} else if p.code.Retryable() {
		out.Extensions["retryable"] = true
		out.Extensions["retryAfterMs"] = (cmp.Or(p.wait, aMoment) + time.Millisecond - 1).Milliseconds()
	}
	if p.argument != "" {
		out.Extensions["argument"] = p.argument
	}
	if id := telemetry.RequestID(ctx); id != "" && p.code == CodeInternal {
		out.Extensions["requestId"] = id
	}
	if m := upstream(p.api); len(m) > 0 {
		out.Extensions["mixcloud"] = m
	}
	return out
}

// aMoment is how long to wait for a Mixcloud that has just failed, when nobody
// knows better.
const aMoment = time.Second

func (p public) record(ctx context.Context, log *slog.Logger, warnings *sparing, err error) {
	level, unsaid := slog.LevelDebug, 0
	switch {
	case errors.Is(err, context.Canceled):
	case p.code == CodeInternal:
		level = slog.LevelError
	case p.code.Retryable(), p.code == CodeUpstreamBadResponse:
		var now bool
		if unsaid, now = warnings.say(p.code); now {
			level = slog.LevelWarn
		}
	}
	if !log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("code", string(p.code)),
		slog.String("path", graphql.GetPath(ctx).String()),
		slog.String("err", err.Error()),
	}
	if unsaid > 0 {
		attrs = append(attrs, slog.Int("unsaid", unsaid)) // so many like this one, since the one before
	}
	log.LogAttrs(ctx, level, "field failed", attrs...)
}

// position prefers the field that is being resolved: the path within err may
// have been written there for another field that shares the error.
func position(ctx context.Context, err error) (ast.Path, []gqlerror.Location) {
	g, isGQL := errors.AsType[*gqlerror.Error](err)
	fc := graphql.GetFieldContext(ctx)
	if fc == nil {
		if !isGQL || onVariable(g) {
			return nil, nil
		}
		return slices.Clone(g.Path), slices.Clone(g.Locations)
	}
	for f := fc; f != nil; f = f.Parent {
		if f.Field.Field == nil { // an element of a list
			continue
		}
		if pos := f.Field.Position; pos != nil && pos.Line > 0 {
			return fc.Path(), []gqlerror.Location{{Line: pos.Line, Column: pos.Column}}
		}
		break
	}
	return fc.Path(), nil
}

// unreadArgument tells which argument of the current field could not be read.
// Fields whose arguments were read have them in their context.
func unreadArgument(ctx context.Context, g *gqlerror.Error) (string, bool) {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil || fc.Args != nil || fc.Field.Field == nil || fc.Field.Definition == nil ||
		len(fc.Field.Definition.Arguments) == 0 {
		return "", false
	}
	if own := fc.Path(); g != nil && len(g.Path) > len(own) {
		return dotted(g.Path[len(own):]), true
	}
	return "", true
}

// onVariable tells whether the path of g leads into the variables, where it is
// no response path.
func onVariable(g *gqlerror.Error) bool {
	return len(g.Path) > 1 && g.Path[0] == ast.PathName("variable")
}

// documentMessage is the message of an error in a document or its variables.
// These come from the parser and the validator and speak the client's own words.
func documentMessage(g *gqlerror.Error) string {
	if onVariable(g) {
		return `Variable "$` + dotted(g.Path[1:]) + `" ` + g.Message + "."
	}
	if g.Message == noOperation {
		return "The document has several operations: say in operationName which one to run."
	}
	return g.Message
}

// noOperation is what gqlgen says when it was given no name to find among several.
const noOperation = "operation  not found"

func dotted(path ast.Path) string {
	var b strings.Builder
	for i, e := range path {
		if i > 0 {
			b.WriteByte('.')
		}
		switch e := e.(type) {
		case ast.PathName:
			b.WriteString(string(e))
		case ast.PathIndex:
			b.WriteString(strconv.Itoa(int(e)))
		}
	}
	return b.String()
}

// types are the upstream's names of its errors that clients may see: those it
// documents or was seen to send (docs/mixcloud-api.md).
var types = map[string]bool{
	"OAuthException":            true,
	"PostValidationError":       true,
	"RateLimitException":        true,
	"ResourceNotFoundException": true,
}

// upstream is the value of extensions.mixcloud; empty when nothing may be told.
func upstream(api *mixcloud.Error) map[string]any {
	m := map[string]any{}
	if api == nil {
		return m
	}
	if types[api.Type] {
		m["type"] = api.Type
	}
	if api.Status >= 100 && api.Status <= 599 {
		m["status"] = api.Status
	}
	return m
}
