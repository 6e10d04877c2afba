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

// Presenter returns a function that converts every error of an operation to its public form,
// and logs the omitted details: internal errors at level error, failures of Mixcloud at level
// warn, at most one for each code in ten seconds, and all others at level debug. The function
// is safe for concurrent use.
func Presenter(log *slog.Logger) graphql.ErrorPresenterFunc {
	warnings := new(telemetry.Sampler)
	return func(ctx context.Context, err error) *gqlerror.Error {
		if err == nil {
			return nil
		}
		pub := publish(ctx, err)
		pub.record(ctx, log, warnings, err)
		return pub.gql(ctx, err)
	}
}

// Recover returns a function that converts a panic in a resolver to a [CodeInternal] error. The
// panic's value and stack go only to the log.
func Recover(log *slog.Logger) graphql.RecoverFunc {
	return func(ctx context.Context, p any) error {
		log.ErrorContext(ctx, "panic in a resolver",
			"path", graphql.GetPath(ctx).String(), "panic", telemetry.Panicked(p), "stack", string(debug.Stack()))
		return Internal(nil)
	}
}

// Public returns the public form of an error outside of an operation, such as a request refused
// before it was parsed.
func Public(ctx context.Context, err error) *gqlerror.Error {
	return publish(ctx, err).gql(ctx, err)
}

// public is the part of an error that a client may see.
type public struct {
	code      Code
	message   string
	argument  string
	wait      time.Duration
	details   map[string]any
	api       *mixcloud.Error // nil unless Mixcloud responded with an error
	uncertain bool            // the outcome of a write is unknown
}

func publish(ctx context.Context, err error) public {
	p := public{code: CodeOf(err)}
	if api, ok := errors.AsType[*mixcloud.Error](err); ok {
		p.api, p.wait = api, api.RetryAfter
	}
	custom, isCustom := errors.AsType[*Error](err)
	input, isInput := errors.AsType[*mixcloud.InvalidError](err)
	g, isGQL := errors.AsType[*gqlerror.Error](err)
	switch {
	case isCustom:
		p.message, p.argument, p.wait = custom.Message, custom.Argument, max(p.wait, custom.Wait)
		p.details = custom.Details
	case isInput:
		p.message, p.argument = invalidMessage(input.Arg, input.Reason), input.Arg
	case isGQL && p.code == CodeLimitExceeded:
		p.message = limitMessage(g.Message)
	case isGQL && g.Extensions["code"] != nil && p.code != CodeInternal:
		p.message = documentMessage(g)
	case p.code == CodeInternal:
		// A plain error before the field's resolver ran can only be from an argument that the
		// generated code could not decode. Its text comes from Go.
		if arg, ok := undecodedArgument(ctx, g); ok {
			p.code, p.argument = CodeBadUserInput, arg
			p.message = invalidMessage(arg, "does not match its type")
			break
		}
		p.message = internalMessage
	default:
		p.message = message(p.code, err, p.wait)
	}
	if _, p.uncertain = errors.AsType[*uncertainError](err); p.uncertain {
		p.message = uncertainMessage(p.code)
	}
	return p
}

// gql returns a new error for the response.
func (p public) gql(ctx context.Context, err error) *gqlerror.Error {
	out := &gqlerror.Error{Message: p.message, Extensions: map[string]any{}}
	maps.Copy(out.Extensions, p.details)
	out.Extensions["code"] = string(p.code)
	out.Path, out.Locations = position(ctx, err)
	if p.uncertain {
		out.Extensions["outcome"] = "UNKNOWN"
	} else if p.code.Retryable() {
		out.Extensions["retryable"] = true
		out.Extensions["retryAfterMs"] = (cmp.Or(p.wait, defaultWait) + time.Millisecond - 1).Milliseconds()
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

// defaultWait is the wait before a retry if Mixcloud did not specify one.
const defaultWait = time.Second

func (p public) record(ctx context.Context, log *slog.Logger, warnings *telemetry.Sampler, err error) {
	level, suppressed := slog.LevelDebug, 0
	switch {
	case errors.Is(err, context.Canceled):
	case p.code == CodeInternal:
		level = slog.LevelError
	case p.code.Retryable(), p.code == CodeUpstreamBadResponse:
		var sampled bool
		if suppressed, sampled = warnings.Sample(string(p.code)); sampled {
			level = slog.LevelWarn
		}
	}
	if !log.Enabled(ctx, level) {
		return
	}
	log.LogAttrs(ctx, level, "field failed",
		slog.String("code", string(p.code)),
		slog.String("path", graphql.GetPath(ctx).String()),
		slog.String("err", err.Error()),
		telemetry.Suppressed(suppressed))
}

// position returns the path and location of the field that is being resolved: the path in err
// may be that of another field that shares the error.
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

// undecodedArgument returns the argument of the current field that could not be decoded. After
// decoding, the field's context contains its arguments.
func undecodedArgument(ctx context.Context, g *gqlerror.Error) (string, bool) {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil || fc.Args != nil || fc.Field.Field == nil || fc.Field.Definition == nil ||
		len(fc.Field.Definition.Arguments) == 0 {
		return "", false
	}
	if field := fc.Path(); g != nil && len(g.Path) > len(field) {
		return dotted(g.Path[len(field):]), true
	}
	return "", true
}

// onVariable reports whether the path of g is a path in the variables, and not a response path.
func onVariable(g *gqlerror.Error) bool {
	return len(g.Path) > 1 && g.Path[0] == ast.PathName("variable")
}

// documentMessage returns the message of an error in a document or its variables. Clients may
// see the messages of the parser and the validator.
func documentMessage(g *gqlerror.Error) string {
	if onVariable(g) {
		return `Variable "$` + dotted(g.Path[1:]) + `" ` + g.Message + "."
	}
	if g.Message == noOperation {
		return "The document has several operations: set operationName to the name of one."
	}
	return g.Message
}

// noOperation is gqlgen's message for several operations without an operationName.
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

// types are the names of Mixcloud's errors that clients may see: those that it documents or was
// observed to send (docs/mixcloud-api.md).
var types = map[string]bool{
	"OAuthException":            true,
	"PostValidationError":       true,
	"RateLimitException":        true,
	"ResourceNotFoundException": true,
}

// upstream returns the value of extensions.mixcloud, which may be empty.
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
