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

// secret stands for everything that must not leave: tokens, addresses, bodies.
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

// cases has at least one error for every code; a test below holds it to that.
var cases = map[string]struct {
	reason string
	err    error
	want   m // of the extensions
	says   string
}{
	"invalid argument": {
		reason: "our own check names the argument as the client wrote it",
		err:    gqlerr.Invalid("first", "must be between 0 and 100"),
		want:   m{"code": "BAD_USER_INPUT", "argument": "first"},
		says:   `Argument "first" must be between 0 and 100.`,
	},
	"invalid argument, wrapped": {
		reason: "wrapping changes nothing",
		err:    fmt.Errorf("user: %w", gqlerr.Invalid("input.key", "is no key.")),
		want:   m{"code": "BAD_USER_INPUT", "argument": "input.key"},
		says:   `Argument "input.key" is no key.`,
	},
	"invalid without argument": {
		reason: "some input has no name",
		err:    gqlerr.Invalid("", "is empty"),
		want:   m{"code": "BAD_USER_INPUT"},
		says:   "The input is empty.",
	},
	"client's check": {
		reason: "what the REST client refuses is the caller's argument",
		err:    fmt.Errorf("x: %w", &mixcloud.InvalidError{Arg: "key", Reason: "must not be empty"}),
		want:   m{"code": "BAD_USER_INPUT", "argument": "key"},
		says:   `Argument "key" must not be empty.`,
	},
	"unauthenticated": {
		reason: "our own words stay",
		err:    gqlerr.Unauthenticated("Sign in first."),
		want:   m{"code": "UNAUTHENTICATED"},
		says:   "Sign in first.",
	},
	"token refused": {
		reason: "the upstream's status and type are on the allow-list",
		err:    fault(mixcloud.ErrUnauthenticated, 400, "OAuthException", 0),
		want:   m{"code": "UNAUTHENTICATED", "mixcloud": m{"type": "OAuthException", "status": 400}},
		says:   "Mixcloud wants a valid access token",
	},
	"forbidden": {
		reason: "a type that is not on the allow-list stays here",
		err:    fault(mixcloud.ErrForbidden, 403, secret, 0),
		want:   m{"code": "FORBIDDEN", "mixcloud": m{"status": 403}},
		says:   "does not allow",
	},
	"not found": {
		reason: "our own words stay",
		err:    gqlerr.NotFound("This user has no such list."),
		want:   m{"code": "NOT_FOUND"},
		says:   "This user has no such list.",
	},
	"not found upstream": {
		err:  fault(mixcloud.ErrNotFound, 404, "ResourceNotFoundException", 0),
		want: m{"code": "NOT_FOUND", "mixcloud": m{"type": "ResourceNotFoundException", "status": 404}},
		says: "nothing here",
	},
	"rate limited": {
		reason: "the wait is told in milliseconds and in words",
		err:    fault(mixcloud.ErrRateLimited, 403, "RateLimitException", 452*time.Second),
		want: m{
			"code": "RATE_LIMITED", "retryable": true, "retryAfterMs": int64(452_000),
			"mixcloud": m{"type": "RateLimitException", "status": 403},
		},
		says: "Try again in 452 seconds.",
	},
	"rate limited, odd wait": {
		reason: "a wait is rounded up, or the client comes too early",
		err:    fault(mixcloud.ErrRateLimited, 403, "", 1500*time.Microsecond),
		want:   m{"code": "RATE_LIMITED", "retryable": true, "retryAfterMs": int64(2), "mixcloud": m{"status": 403}},
		says:   "Try again in 1 second.",
	},
	"rate limited by ourselves": {
		err:  &gqlerr.Error{Code: gqlerr.CodeRateLimited, Message: "Wait a little.", Wait: time.Second},
		want: m{"code": "RATE_LIMITED", "retryable": true, "retryAfterMs": int64(1000)},
		says: "Wait a little.",
	},
	"timeout upstream": {
		reason: "there was no answer, so there is no status",
		err:    fault(mixcloud.ErrTimeout, 0, "", 0),
		want:   m{"code": "UPSTREAM_TIMEOUT", "retryable": true, "retryAfterMs": int64(1000)},
		says:   "took too long",
	},
	"our deadline": {
		err:  fmt.Errorf("wait: %w", context.DeadlineExceeded),
		want: m{"code": "UPSTREAM_TIMEOUT", "retryable": true, "retryAfterMs": int64(1000)},
		says: "took too long",
	},
	"unavailable": {
		err:  fault(mixcloud.ErrUnavailable, 502, "", 0),
		want: m{"code": "UPSTREAM_UNAVAILABLE", "retryable": true, "retryAfterMs": int64(1000), "mixcloud": m{"status": 502}},
		says: "Try again in a moment.",
	},
	"cancelled": {
		reason: "a server that stops cancels too, and its client may try elsewhere",
		err:    fmt.Errorf("load: %w", context.Canceled),
		want:   m{"code": "UPSTREAM_UNAVAILABLE", "retryable": true, "retryAfterMs": int64(1000)},
		says:   "cancelled",
	},
	"bad response": {
		err:  fault(mixcloud.ErrBadResponse, 200, "", 0),
		want: m{"code": "UPSTREAM_BAD_RESPONSE", "mixcloud": m{"status": 200}},
		says: "cannot read",
	},
	"withheld": {
		reason: "a refusal that lasts is no outage, and its words promise nothing",
		err:    fault(mixcloud.ErrForbidden, 451, "", 0),
		want:   m{"code": "FORBIDDEN", "mixcloud": m{"status": 451}},
		says:   "not available here",
	},
	"payment": {
		err:  fault(mixcloud.ErrForbidden, 402, "", 0),
		want: m{"code": "FORBIDDEN", "mixcloud": m{"status": 402}},
		says: "those who pay",
	},
	"locked": {
		err:  fault(mixcloud.ErrForbidden, 423, "", 0),
		want: m{"code": "FORBIDDEN", "mixcloud": m{"status": 423}},
		says: "locked",
	},
	"conflict": {
		reason: "a wait beside a refusal that lasts is not passed on",
		err:    fault(mixcloud.ErrRefused, 409, "", time.Minute),
		want:   m{"code": "UPSTREAM_BAD_RESPONSE", "mixcloud": m{"status": 409}},
		says:   "409 Conflict",
	},
	"method not allowed": {
		err:  fault(mixcloud.ErrRefused, 405, "", 0),
		want: m{"code": "UPSTREAM_BAD_RESPONSE", "mixcloud": m{"status": 405}},
		says: "does not offer",
	},
	"any other refusal": {
		err:  fault(mixcloud.ErrRefused, 418, "", 0),
		want: m{"code": "UPSTREAM_BAD_RESPONSE", "mixcloud": m{"status": 418}},
		says: "refused this request (418 I'm a teapot).",
	},
	"redirect": {
		err:  fault(mixcloud.ErrMoved, 302, "", 0),
		want: m{"code": "UPSTREAM_BAD_RESPONSE", "mixcloud": m{"status": 302}},
		says: "redirects this",
	},
	"local fault": {
		reason: "what is wrong with this machine is for its log",
		err:    &mixcloud.Error{Op: "User", Kind: mixcloud.ErrUnavailable, Local: secret},
		want:   m{"code": "UPSTREAM_UNAVAILABLE", "retryable": true, "retryAfterMs": int64(1000)},
		says:   "This server cannot call Mixcloud at the moment.",
	},
	"limit": {
		err:  gqlerr.Limit("At most 100 ids at once."),
		want: m{"code": "LIMIT_EXCEEDED"},
		says: "At most 100 ids at once.",
	},
	"complexity": {
		reason: "gqlgen's own name for it is not in the list",
		err:    coded("COMPLEXITY_LIMIT_EXCEEDED", "operation has complexity 9, which exceeds the limit of 5"),
		want:   m{"code": "LIMIT_EXCEEDED"},
		says:   "complexity 9",
	},
	"unknown": {
		reason: "what nobody classified is ours, and says nothing of itself",
		err:    errors.New(secret),
		want:   m{"code": "INTERNAL", "requestId": "req-12345678"},
		says:   "Quote the request id",
	},
	"unknown code": {
		reason: "a code that is not in the list does not leave",
		err:    coded("SOMETHING_ELSE", secret),
		want:   m{"code": "INTERNAL", "requestId": "req-12345678"},
		says:   "Quote the request id",
	},
	"internal": {
		err:  fmt.Errorf("x: %w", gqlerr.Internal(errors.New(secret))),
		want: m{"code": "INTERNAL", "requestId": "req-12345678"},
		says: "Quote the request id",
	},
	"parse":      {err: coded("GRAPHQL_PARSE_FAILED", "Unexpected }"), want: m{"code": "GRAPHQL_PARSE_FAILED"}, says: "Unexpected }"},
	"validation": {err: coded("GRAPHQL_VALIDATION_FAILED", `Cannot query field "x".`), want: m{"code": "GRAPHQL_VALIDATION_FAILED"}, says: `Cannot query field "x".`},
	"persisted":  {err: coded("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound"), want: m{"code": "PERSISTED_QUERY_NOT_FOUND"}, says: "PersistedQueryNotFound"},
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
			if !strings.Contains(got.Message, tt.says) {
				t.Errorf("%s: the message %q does not say %q", tt.reason, got.Message, tt.says)
			}
			body, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			for _, leak := range []string{secret, "mixcloud:", "*", "runtime", "goroutine"} {
				if strings.Contains(string(body), leak) {
					t.Errorf("%q leaves the server: %s", leak, body)
				}
			}
			if code := gqlerr.CodeOf(tt.err); string(code) != tt.want["code"] {
				t.Errorf("CodeOf says %s", code)
			}
		})
	}
}

// The list is closed: each code is produced above, and nothing else is.
func TestCodes_AreAllProduced(t *testing.T) {
	t.Parallel()
	produced := map[string]bool{}
	for _, tt := range cases {
		produced[tt.want["code"].(string)] = true
	}
	for _, code := range gqlerr.Codes() {
		if !produced[string(code)] {
			t.Errorf("no case produces %s", code)
		}
		delete(produced, string(code))
	}
	for code := range produced {
		t.Errorf("%s is produced but not in the list", code)
	}
}

func TestCodeOf_Nil(t *testing.T) {
	t.Parallel()
	if got := gqlerr.CodeOf(nil); got != "" {
		t.Errorf("got %s", got)
	}
	if got := gqlerr.Presenter(slog.New(slog.DiscardHandler))(t.Context(), nil); got != nil {
		t.Errorf("got %v", got)
	}
}

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `type Query { list(first: Int, filter: Filter): [Query!] plain: String } input Filter { since: String }`})

// field makes the context of Query.list as gqlgen has it while it resolves.
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

// gqlgen writes the first field's path into the error it is given; a loader
// gives the same error to many fields. Each must get its own path all the same,
// and the shared value must stay as it was.
func TestPresenter_SharedError(t *testing.T) {
	t.Parallel()
	present := gqlerr.Presenter(slog.New(slog.DiscardHandler))
	shared := &gqlerror.Error{Message: "m", Extensions: map[string]any{"code": "LIMIT_EXCEEDED"}}
	before := *shared
	for i, alias := range []string{"a", "b"} {
		ctx := field(t.Context(), alias, i+1, map[string]any{})
		got := present(ctx, shared)
		if got == shared {
			t.Fatal("the error itself is handed out")
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

// An error before the resolver ran is about an argument that the generated code
// could not read; the same text from a resolver is our fault.
func TestPresenter_UnreadArgument(t *testing.T) {
	t.Parallel()
	present := gqlerr.Presenter(slog.New(slog.DiscardHandler))
	goText := errors.New(`strconv.ParseInt: parsing "x": invalid syntax`)
	inArgument := gqlerror.WrapPath(ast.Path{ast.PathName("list"), ast.PathName("filter"), ast.PathName("since")}, goText)

	got := present(field(t.Context(), "list", 1, nil), inArgument)
	want := &gqlerror.Error{
		Message:    `Argument "filter.since" does not fit its type.`,
		Path:       ast.Path{ast.PathName("list")},
		Locations:  []gqlerror.Location{{Line: 1, Column: 3}},
		Extensions: m{"code": "BAD_USER_INPUT", "argument": "filter.since"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(ast.Position{})); diff != "" {
		t.Errorf("while reading arguments (-want +got):\n%s", diff)
	}
	got = present(field(t.Context(), "list", 1, map[string]any{}), goText)
	if got.Extensions["code"] != "INTERNAL" || strings.Contains(got.Message, "strconv") {
		t.Errorf("from the resolver: %v %v", got.Extensions, got.Message)
	}
}

func TestPresenter_Variable(t *testing.T) {
	t.Parallel()
	err := gqlerror.ErrorPathf(ast.Path{ast.PathName("variable"), ast.PathName("input"), ast.PathIndex(2)}, "must be defined")
	err.Extensions = m{"code": "GRAPHQL_VALIDATION_FAILED"}
	got := gqlerr.Presenter(slog.New(slog.DiscardHandler))(t.Context(), err)
	want := &gqlerror.Error{Message: `Variable "$input.2" must be defined.`, Extensions: m{"code": "GRAPHQL_VALIDATION_FAILED"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPresenter_Log(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		want string // the level; "" for nothing above debug
	}{
		"fault of ours":    {errors.New("boom"), "ERROR"},
		"fault upstream":   {fault(mixcloud.ErrUnavailable, 502, "", 0), "WARN"},
		"nonsense":         {fault(mixcloud.ErrBadResponse, 200, "", 0), "WARN"},
		"client's mistake": {gqlerr.Invalid("first", "is wrong"), ""},
		"client left":      {fmt.Errorf("x: %w", context.Canceled), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			_ = gqlerr.Presenter(slog.New(slog.NewTextHandler(&out, nil)))(t.Context(), tt.err)
			if tt.want == "" && out.Len() > 0 || !strings.Contains(out.String(), tt.want) {
				t.Errorf("want %q, logged %q", tt.want, out.String())
			}
			if tt.want == "ERROR" && !strings.Contains(out.String(), "boom") {
				t.Errorf("the cause is not logged: %s", out.String())
			}
		})
	}
}

// A Mixcloud that is away for a minute, while a hundred fields a second fail for
// it, is worth a few lines, and they say how many fields there were.
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
		present(t.Context(), fault(mixcloud.ErrTimeout, 0, "", 0)) // another kind of trouble is news
		present(t.Context(), errors.New("boom"))                   // and ours are told each time
		present(t.Context(), errors.New("boom"))
		var got []string
		for line := range strings.Lines(out.String()) {
			_, rest, _ := strings.Cut(line, "code=")
			code, _, _ := strings.Cut(rest, " ")
			_, unsaid, _ := strings.Cut(rest, "unsaid=")
			got = append(got, strings.TrimSpace(code+" "+unsaid))
		}
		want := []string{
			"UPSTREAM_UNAVAILABLE", "UPSTREAM_UNAVAILABLE 999", "UPSTREAM_UNAVAILABLE 999", "UPSTREAM_UNAVAILABLE 999",
			"UPSTREAM_UNAVAILABLE 999", "UPSTREAM_UNAVAILABLE 999", "UPSTREAM_TIMEOUT", "INTERNAL", "INTERNAL",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// Whoever might do something twice is not told that trying again is safe.
func TestUncertain(t *testing.T) {
	t.Parallel()
	if err := gqlerr.Uncertain(nil); err != nil {
		t.Errorf("nothing became %v", err)
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
		if got.Extensions["code"] != string(code) || got.Extensions["outcome"] != "UNKNOWN" || retryable || wait || !strings.Contains(got.Message, "look before you send it again") {
			t.Errorf("%s: %v %s", code, got.Extensions, got.Message)
		}
		if certain := present(t.Context(), err); certain.Extensions["outcome"] != nil {
			t.Errorf("%s without doubt: %v", code, certain.Extensions)
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
		t.Errorf("extensions %v", got.Extensions)
	}
	if strings.Contains(fmt.Sprint(err, got), secret) {
		t.Errorf("the panic's value leaves: %v %v", err, got)
	}
	for _, part := range []string{secret, "stack=", "TestRecover"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("the log lacks %q", part)
		}
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	gqlerr.Write(rec, r, http.StatusTeapot, gqlerr.Invalid("x", "is odd"))
	if rec.Code != http.StatusTeapot || rec.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("status %d, type %q", rec.Code, rec.Header().Get("Content-Type"))
	}
	want := `{"errors":[{"message":"Argument \"x\" is odd.","extensions":{"argument":"x","code":"BAD_USER_INPUT"}}]}` + "\n"
	if diff := cmp.Diff(want, rec.Body.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
