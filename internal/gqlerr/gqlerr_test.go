package gqlerr_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/telemetry"
	"mixcloud-graphql/mixcloud"
)

// secret stands for values that must not reach a client: tokens, URLs, bodies.
const secret = "s3cret-canary"

func fault(kind error, status int, typ string, wait time.Duration) error {
	return fmt.Errorf("load: %w", &mixcloud.Error{
		Op: "User", Kind: kind, Status: status, Type: typ, Message: secret, RetryAfter: wait, Err: errors.New(secret),
	})
}

func coded(code, message string) error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code}}
}

type m = map[string]any

// cases contains at least one error for every code, which a test below checks.
var cases = map[string]struct {
	reason  string
	err     error
	want    m // of the extensions
	message string
}{
	"invalid argument": {
		reason:  "the error names the argument as the client wrote it",
		err:     gqlerr.Invalid("first", "must be between 0 and 100"),
		want:    m{"code": "BAD_USER_INPUT", "argument": "first"},
		message: `Argument "first" must be between 0 and 100.`,
	},
	"invalid argument, wrapped": {
		reason:  "a wrapped error has the same code",
		err:     fmt.Errorf("user: %w", gqlerr.Invalid("input.key", "is not a key.")),
		want:    m{"code": "BAD_USER_INPUT", "argument": "input.key"},
		message: `Argument "input.key" is not a key.`,
	},
	"invalid without argument": {
		reason:  "an argument without a name",
		err:     gqlerr.Invalid("", "is empty"),
		want:    m{"code": "BAD_USER_INPUT"},
		message: "The input is empty.",
	},
	"checked by the REST client": {
		reason:  "an argument that the REST client refuses is bad user input",
		err:     fmt.Errorf("x: %w", &mixcloud.InvalidError{Arg: "key", Reason: "must not be empty"}),
		want:    m{"code": "BAD_USER_INPUT", "argument": "key"},
		message: `Argument "key" must not be empty.`,
	},
	"unauthenticated": {
		reason:  "our own messages are not changed",
		err:     gqlerr.Unauthenticated("Sign in first."),
		want:    m{"code": "UNAUTHENTICATED"},
		message: "Sign in first.",
	},
	"token refused": {
		reason:  "the upstream's status and type are on the allow-list",
		err:     fault(mixcloud.ErrUnauthenticated, 400, "OAuthException", 0),
		want:    m{"code": "UNAUTHENTICATED", "mixcloud": m{"type": "OAuthException", "status": 400}},
		message: "Mixcloud requires a valid access token",
	},
	"forbidden": {
		reason:  "a type that is not on the allow-list is omitted",
		err:     fault(mixcloud.ErrForbidden, 403, secret, 0),
		want:    m{"code": "FORBIDDEN", "mixcloud": m{"status": 403}},
		message: "denied access",
	},
	"not found": {
		reason:  "our own messages are not changed",
		err:     gqlerr.NotFound("This user has no such list."),
		want:    m{"code": "NOT_FOUND"},
		message: "This user has no such list.",
	},
	"not found upstream": {
		err:     fault(mixcloud.ErrNotFound, 404, "ResourceNotFoundException", 0),
		want:    m{"code": "NOT_FOUND", "mixcloud": m{"type": "ResourceNotFoundException", "status": 404}},
		message: "did not find this",
	},
	"rate limited": {
		reason: "the wait is in extensions and in the message",
		err:    fault(mixcloud.ErrRateLimited, 403, "RateLimitException", 452*time.Second),
		want: m{
			"code": "RATE_LIMITED", "retryable": true, "retryAfterMs": int64(452_000),
			"mixcloud": m{"type": "RateLimitException", "status": 403},
		},
		message: "Try again in 452 seconds.",
	},
	"rate limited, fraction of a millisecond": {
		reason:  "a wait is rounded up so that the client does not retry too early",
		err:     fault(mixcloud.ErrRateLimited, 403, "", 1500*time.Microsecond),
		want:    m{"code": "RATE_LIMITED", "retryable": true, "retryAfterMs": int64(2), "mixcloud": m{"status": 403}},
		message: "Try again in 1 second.",
	},
	"rate limited by this server": {
		err:     &gqlerr.Error{Code: gqlerr.CodeRateLimited, Message: "Wait a little.", Wait: time.Second},
		want:    m{"code": "RATE_LIMITED", "retryable": true, "retryAfterMs": int64(1000)},
		message: "Wait a little.",
	},
	"timeout upstream": {
		reason:  "without a response there is no status",
		err:     fault(mixcloud.ErrTimeout, 0, "", 0),
		want:    m{"code": "UPSTREAM_TIMEOUT", "retryable": true, "retryAfterMs": int64(1000)},
		message: "did not respond in time",
	},
	"deadline of the operation": {
		err:     fmt.Errorf("wait: %w", context.DeadlineExceeded),
		want:    m{"code": "UPSTREAM_TIMEOUT", "retryable": true, "retryAfterMs": int64(1000)},
		message: "did not respond in time",
	},
	"unavailable": {
		err:     fault(mixcloud.ErrUnavailable, 502, "", 0),
		want:    m{"code": "UPSTREAM_UNAVAILABLE", "retryable": true, "retryAfterMs": int64(1000), "mixcloud": m{"status": 502}},
		message: "Try again in a moment.",
	},
	"canceled": {
		reason:  "a server that shuts down also cancels requests, and the client may retry",
		err:     fmt.Errorf("load: %w", context.Canceled),
		want:    m{"code": "UPSTREAM_UNAVAILABLE", "retryable": true, "retryAfterMs": int64(1000)},
		message: "canceled",
	},
	"bad response": {
		err:     fault(mixcloud.ErrBadResponse, 200, "", 0),
		want:    m{"code": "UPSTREAM_BAD_RESPONSE", "mixcloud": m{"status": 200}},
		message: "invalid response",
	},
	"legal reasons": {
		reason:  "a permanent refusal is not an outage, and its message does not suggest a retry",
		err:     fault(mixcloud.ErrForbidden, 451, "", 0),
		want:    m{"code": "FORBIDDEN", "mixcloud": m{"status": 451}},
		message: "for legal reasons",
	},
	"payment": {
		err:     fault(mixcloud.ErrForbidden, 402, "", 0),
		want:    m{"code": "FORBIDDEN", "mixcloud": m{"status": 402}},
		message: "requires a payment",
	},
	"locked": {
		err:     fault(mixcloud.ErrForbidden, 423, "", 0),
		want:    m{"code": "FORBIDDEN", "mixcloud": m{"status": 423}},
		message: "locked",
	},
	"conflict": {
		reason:  "the wait of a permanent refusal is omitted",
		err:     fault(mixcloud.ErrRefused, 409, "", time.Minute),
		want:    m{"code": "UPSTREAM_BAD_RESPONSE", "mixcloud": m{"status": 409}},
		message: "409 Conflict",
	},
	"method not allowed": {
		err:     fault(mixcloud.ErrRefused, 405, "", 0),
		want:    m{"code": "UPSTREAM_BAD_RESPONSE", "mixcloud": m{"status": 405}},
		message: "does not support",
	},
	"any other refusal": {
		err:     fault(mixcloud.ErrRefused, 418, "", 0),
		want:    m{"code": "UPSTREAM_BAD_RESPONSE", "mixcloud": m{"status": 418}},
		message: "refused the call (418 I'm a teapot).",
	},
	"redirect": {
		err:     fault(mixcloud.ErrMoved, 302, "", 0),
		want:    m{"code": "UPSTREAM_BAD_RESPONSE", "mixcloud": m{"status": 302}},
		message: "redirected the call",
	},
	"local fault": {
		reason:  "a fault of this machine is only in the log",
		err:     &mixcloud.Error{Op: "User", Kind: mixcloud.ErrUnavailable, Local: secret},
		want:    m{"code": "UPSTREAM_UNAVAILABLE", "retryable": true, "retryAfterMs": int64(1000)},
		message: "This server cannot call Mixcloud at the moment.",
	},
	"limit": {
		err:     gqlerr.Limit("At most 100 ids at once."),
		want:    m{"code": "LIMIT_EXCEEDED"},
		message: "At most 100 ids at once.",
	},
	"complexity": {
		reason:  "gqlgen's own name for this code is not in the list",
		err:     coded("COMPLEXITY_LIMIT_EXCEEDED", "operation has complexity 9, which exceeds the limit of 5"),
		want:    m{"code": "LIMIT_EXCEEDED"},
		message: "complexity 9",
	},
	"unknown": {
		reason:  "an unclassified error is internal and has no details",
		err:     errors.New(secret),
		want:    m{"code": "INTERNAL", "requestId": "req-12345678"},
		message: "Report it with the request id",
	},
	"unknown code": {
		reason:  "a code that is not in the list is replaced",
		err:     coded("SOMETHING_ELSE", secret),
		want:    m{"code": "INTERNAL", "requestId": "req-12345678"},
		message: "Report it with the request id",
	},
	"internal": {
		err:     fmt.Errorf("x: %w", gqlerr.Internal(errors.New(secret))),
		want:    m{"code": "INTERNAL", "requestId": "req-12345678"},
		message: "Report it with the request id",
	},
	"parse":      {err: coded("GRAPHQL_PARSE_FAILED", "Unexpected }"), want: m{"code": "GRAPHQL_PARSE_FAILED"}, message: "Unexpected }"},
	"validation": {err: coded("GRAPHQL_VALIDATION_FAILED", `Cannot query field "x".`), want: m{"code": "GRAPHQL_VALIDATION_FAILED"}, message: `Cannot query field "x".`},
	"persisted":  {err: coded("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound"), want: m{"code": "PERSISTED_QUERY_NOT_FOUND"}, message: "PersistedQueryNotFound"},
}

func TestPresenter(t *testing.T) {
	t.Parallel()
	ctx := telemetry.WithRequestID(t.Context(), "req-12345678")
	present := gqlerr.Presenter(slog.New(slog.DiscardHandler))
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := present(ctx, tt.err)
			if diff := cmp.Diff(tt.want, got.Extensions); diff != "" {
				t.Errorf("%s: extensions (-want +got):\n%s", tt.reason, diff)
			}
			if !strings.Contains(got.Message, tt.message) {
				t.Errorf("%s: the message %q does not contain %q", tt.reason, got.Message, tt.message)
			}
			body, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			for _, leak := range []string{secret, "mixcloud:", "*", "runtime", "goroutine"} {
				if strings.Contains(string(body), leak) {
					t.Errorf("the response contains %q: %s", leak, body)
				}
			}
			if code := gqlerr.CodeOf(tt.err); string(code) != tt.want["code"] {
				t.Errorf("CodeOf = %s, want %s", code, tt.want["code"])
			}
		})
	}
}

// Every code of the closed list is returned by a case above, and no other code is.
func TestCodes_AreComplete(t *testing.T) {
	t.Parallel()
	produced := map[string]bool{}
	for _, tt := range cases {
		produced[tt.want["code"].(string)] = true
	}
	for _, code := range gqlerr.Codes() {
		if !produced[string(code)] {
			t.Errorf("no test case has the code %s of Codes()", code)
		}
		delete(produced, string(code))
	}
	for code := range produced {
		t.Errorf("Codes() does not contain %s, which a test case has", code)
	}
}

func TestCodeOf_Nil(t *testing.T) {
	t.Parallel()
	if got := gqlerr.CodeOf(nil); got != "" {
		t.Errorf("CodeOf(nil) = %q, want \"\"", got)
	}
	if got := gqlerr.Presenter(slog.New(slog.DiscardHandler))(t.Context(), nil); got != nil {
		t.Errorf("the presented error of nil is %v, want nil", got)
	}
}

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `type Query { list(first: Int, filter: Filter): [Query!] plain: String } input Filter { since: String }`})

// field returns the context of Query.list as gqlgen creates it for the resolver.
func field(ctx context.Context, alias string, line int, args map[string]any) context.Context {
	def := schema.Query.Fields.ForName("list")
	return graphql.WithFieldContext(ctx, &graphql.FieldContext{
		Object: "Query",
		Args:   args,
		Field: graphql.CollectedField{Field: &ast.Field{
			Alias: alias, Name: "list", Definition: def, Position: &ast.Position{Line: line, Column: 3},
		}},
	})
}

// gqlgen sets the path of the first field in the error that it receives, but a loader returns
// one error to many fields. Each field must get its own path, and the shared error must not
// change.
func TestPresenter_SharedError(t *testing.T) {
	t.Parallel()
	present := gqlerr.Presenter(slog.New(slog.DiscardHandler))
	shared := &gqlerror.Error{Message: "m", Extensions: map[string]any{"code": "LIMIT_EXCEEDED"}}
	before := *shared
	for i, alias := range []string{"a", "b"} {
		ctx := field(t.Context(), alias, i+1, map[string]any{})
		got := present(ctx, shared)
		if got == shared {
			t.Fatal("the presented error is the shared original, want a copy")
		}
		want := ast.Path{ast.PathName(alias)}
		if diff := cmp.Diff(want, got.Path); diff != "" {
			t.Errorf("path of %s (-want +got):\n%s", alias, diff)
		}
		if diff := cmp.Diff([]gqlerror.Location{{Line: i + 1, Column: 3}}, got.Locations); diff != "" {
			t.Errorf("location of %s (-want +got):\n%s", alias, diff)
		}
		got.Extensions["changed"] = true
	}
	if diff := cmp.Diff(before, *shared); diff != "" {
		t.Errorf("the shared error was changed (-before +after):\n%s", diff)
	}
}

// A plain error before the resolver ran is from an argument that the generated code could not
// decode. The same error from a resolver is an internal one.
func TestPresenter_UndecodedArgument(t *testing.T) {
	t.Parallel()
	present := gqlerr.Presenter(slog.New(slog.DiscardHandler))
	goText := errors.New(`strconv.ParseInt: parsing "x": invalid syntax`)
	inArgument := gqlerror.WrapPath(ast.Path{ast.PathName("list"), ast.PathName("filter"), ast.PathName("since")}, goText)

	got := present(field(t.Context(), "list", 1, nil), inArgument)
	want := &gqlerror.Error{
		Message:    `Argument "filter.since" does not match its type.`,
		Path:       ast.Path{ast.PathName("list")},
		Locations:  []gqlerror.Location{{Line: 1, Column: 3}},
		Extensions: m{"code": "BAD_USER_INPUT", "argument": "filter.since"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(ast.Position{})); diff != "" {
		t.Errorf("while decoding arguments (-want +got):\n%s", diff)
	}
	got = present(field(t.Context(), "list", 1, map[string]any{}), goText)
	if got.Extensions["code"] != "INTERNAL" || strings.Contains(got.Message, "strconv") {
		t.Errorf("error of a resolver: extensions %v, message %q, want INTERNAL and no text of strconv", got.Extensions, got.Message)
	}
}

func TestPresenter_Variable(t *testing.T) {
	t.Parallel()
	err := gqlerror.ErrorPathf(ast.Path{ast.PathName("variable"), ast.PathName("input"), ast.PathIndex(2)}, "must be defined")
	err.Extensions = m{"code": "GRAPHQL_VALIDATION_FAILED"}
	got := gqlerr.Presenter(slog.New(slog.DiscardHandler))(t.Context(), err)
	want := &gqlerror.Error{Message: `Variable "$input.2" must be defined.`, Extensions: m{"code": "GRAPHQL_VALIDATION_FAILED"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestPresenter_Log(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		want string // the log level; "" for debug or nothing
	}{
		"internal error":      {errors.New("boom"), "ERROR"},
		"failure of Mixcloud": {fault(mixcloud.ErrUnavailable, 502, "", 0), "WARN"},
		"invalid response":    {fault(mixcloud.ErrBadResponse, 200, "", 0), "WARN"},
		"client error":        {gqlerr.Invalid("first", "is wrong"), ""},
		"client disconnected": {fmt.Errorf("x: %w", context.Canceled), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			_ = gqlerr.Presenter(slog.New(slog.NewTextHandler(&out, nil)))(t.Context(), tt.err)
			if tt.want == "" && out.Len() > 0 || !strings.Contains(out.String(), tt.want) {
				t.Errorf("logged %q, want level %q, or nothing if it is empty", out.String(), tt.want)
			}
			if tt.want == "ERROR" && !strings.Contains(out.String(), "boom") {
				t.Errorf("the log does not contain the cause \"boom\": %s", out.String())
			}
		})
	}
}

// During an outage of a minute with a hundred failed fields per second, only a few lines are
// logged, with the number of suppressed ones.
func TestPresenter_LogInAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		present := gqlerr.Presenter(slog.New(slog.NewTextHandler(&out, nil)))
		for range 60 {
			for range 100 {
				present(t.Context(), fault(mixcloud.ErrUnavailable, 502, "", 0))
			}
			time.Sleep(time.Second)
		}
		present(t.Context(), fault(mixcloud.ErrTimeout, 0, "", 0)) // another code is logged separately
		present(t.Context(), errors.New("boom"))                   // internal errors are always logged
		present(t.Context(), errors.New("boom"))
		var got []string
		for line := range strings.Lines(out.String()) {
			_, rest, _ := strings.Cut(line, "code=")
			code, _, _ := strings.Cut(rest, " ")
			_, suppressed, _ := strings.Cut(rest, "suppressed=")
			got = append(got, strings.TrimSpace(code+" "+suppressed))
		}
		want := []string{
			"UPSTREAM_UNAVAILABLE", "UPSTREAM_UNAVAILABLE 999", "UPSTREAM_UNAVAILABLE 999", "UPSTREAM_UNAVAILABLE 999",
			"UPSTREAM_UNAVAILABLE 999", "UPSTREAM_UNAVAILABLE 999", "UPSTREAM_TIMEOUT", "INTERNAL", "INTERNAL",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("log lines (-want +got):\n%s", diff)
		}
	})
}

// An error with an unknown outcome is not retryable.
func TestUncertain(t *testing.T) {
	t.Parallel()
	if err := gqlerr.Uncertain(nil); err != nil {
		t.Errorf("Uncertain(nil) = %v, want nil", err)
	}
	present := gqlerr.Presenter(slog.New(slog.DiscardHandler))
	for code, err := range map[gqlerr.Code]error{
		gqlerr.CodeUpstreamUnavailable: fault(mixcloud.ErrUnavailable, 0, "", time.Second),
		gqlerr.CodeUpstreamTimeout:     fault(mixcloud.ErrTimeout, 0, "", 0),
		gqlerr.CodeUpstreamBadResponse: fault(mixcloud.ErrBadResponse, 200, "", 0),
	} {
		got := present(t.Context(), fmt.Errorf("wrapped: %w", gqlerr.Uncertain(err)))
		_, retryable := got.Extensions["retryable"]
		_, wait := got.Extensions["retryAfterMs"]
		if got.Extensions["code"] != string(code) || got.Extensions["outcome"] != "UNKNOWN" || retryable || wait || !strings.Contains(got.Message, "check before you retry") {
			t.Errorf("uncertain error: extensions %v, message %q, want code %s, outcome UNKNOWN, no retry, and advice to check before a retry", got.Extensions, got.Message, code)
		}
		if certain := present(t.Context(), err); certain.Extensions["outcome"] != nil {
			t.Errorf("%s without Uncertain: extensions %v, want no outcome", code, certain.Extensions)
		}
	}
}

func TestRecover(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	ctx := telemetry.WithRequestID(t.Context(), "req-12345678")
	err := gqlerr.Recover(log)(ctx, secret)
	got := gqlerr.Presenter(log)(ctx, err)
	if got.Extensions["code"] != "INTERNAL" || got.Extensions["requestId"] != "req-12345678" {
		t.Errorf("extensions are %v, want code INTERNAL and requestId req-12345678", got.Extensions)
	}
	if strings.Contains(fmt.Sprint(err, got), secret) {
		t.Errorf("the response contains the panic's value: %v %v", err, got)
	}
	for _, part := range []string{secret, "stack=", "TestRecover"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("the log does not contain %q: %s", part, out.String())
		}
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	gqlerr.Write(rec, r, http.StatusTeapot, gqlerr.Invalid("x", "is wrong"))
	if rec.Code != http.StatusTeapot || rec.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("status %d, Content-Type %q, want 418 and JSON in UTF-8", rec.Code, rec.Header().Get("Content-Type"))
	}
	want := `{"errors":[{"message":"Argument \"x\" is wrong.","extensions":{"argument":"x","code":"BAD_USER_INPUT"}}]}` + "\n"
	if diff := cmp.Diff(want, rec.Body.String()); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                              "",
		"short":                         "short",
		strings.Repeat("x", 100):        strings.Repeat("x", 100),
		strings.Repeat("x", 101):        strings.Repeat("x", 100) + "…",
		strings.Repeat("x", 99) + "éé":  strings.Repeat("x", 99) + "…", // never splits a character
		strings.Repeat("é", 50) + "end": strings.Repeat("é", 50) + "…",
	} {
		if got := gqlerr.Excerpt(text); got != want {
			t.Errorf("Excerpt(%q) = %q, want %q", text, got, want)
		}
	}
}
