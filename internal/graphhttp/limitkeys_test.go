package graphhttp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/responselimit"
)

// keys returns n response keys, named after prefix.
func keys(prefix string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " %s%d: hello", prefix, i)
	}
	return b.String()
}

func bodyOf(t testing.TB, query string) string {
	t.Helper()
	text, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

type errorsOf struct {
	Errors []struct {
		Message    string
		Locations  []struct{ Line, Column int }
		Extensions map[string]any
	}
	Data json.RawMessage
}

func errorsIn(t testing.TB, body []byte) errorsOf {
	t.Helper()
	var got errorsOf
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("response is not JSON: %v: %s", err, body)
	}
	return got
}

func TestMaxAliases(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query string
		wide  bool
	}{
		"maximum number":        {query: "{" + keys("a", 10) + "}"},
		"one more":              {query: "{" + keys("a", 11) + "}", wide: true},
		"repeated keys":         {query: "{" + keys("a", 10) + keys("a", 10) + "}"},
		"in two sets":           {query: "{ a: nest {" + keys("a", 9) + "} b: nest {" + keys("b", 9) + "} }"},
		"merged":                {query: "{ nest {" + keys("a", 6) + "} nest {" + keys("b", 6) + "} }", wide: true},
		"merged by fragments":   {query: "{ ...f ...g } fragment f on Query { nest {" + keys("a", 6) + "} } fragment g on Query { nest {" + keys("b", 6) + "} }", wide: true},
		"of a fragment":         {query: "{ ...f" + keys("a", 6) + "} fragment f on Query {" + keys("b", 6) + "}", wide: true},
		"of an inline fragment": {query: "{ ... {" + keys("a", 6) + "} ... on Query {" + keys("b", 6) + "} }", wide: true},
		"of a nested fragment": {
			query: "{ nest { ...f } } fragment f on Query { ...g" + keys("a", 6) + "} fragment g on Query {" + keys("b", 6) + "}", wide: true,
		},
		"one fragment on two levels": {query: "{ ...f nest { ...f } } fragment f on Query {" + keys("a", 9) + "}"},
		"of an unused operation":     {query: "query A {" + keys("a", 11) + "} query B { hello }", wide: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := post(t, graphhttp.Options{MaxAliases: 10}, bodyOf(t, tt.query), newer)
			got := errorsIn(t, rec.Body.Bytes())
			if !tt.wide {
				if strings.Contains(rec.Body.String(), "response keys") {
					t.Errorf("document below max-aliases was refused: %s", rec.Body)
				}
				return
			}
			if rec.Code != http.StatusBadRequest || len(got.Errors) != 1 || len(got.Data) != 0 {
				t.Fatalf("document above max-aliases: status %d, want 400 with one error and no data: %s", rec.Code, rec.Body)
			}
			x := got.Errors[0].Extensions
			if x["code"] != "LIMIT_EXCEEDED" || x["limit"] != "max-aliases" || x["maximum"] != 10.0 || len(got.Errors[0].Locations) != 1 {
				t.Errorf("error = %+v, want LIMIT_EXCEEDED with limit max-aliases, maximum 10 and one location", got.Errors[0])
			}
		})
	}
}

func TestMaxDirectives(t *testing.T) {
	t.Parallel()
	const use = " @include(if: true)"
	for name, query := range map[string]func(n int) string{
		"on fields":           func(n int) string { return "{" + strings.Repeat(" hello"+use, n) + "}" },
		"on inline fragments": func(n int) string { return "{" + strings.Repeat(" ..."+use+" { hello }", n) + "}" },
		"on spreads":          func(n int) string { return "{" + strings.Repeat(" ...f"+use, n) + "} fragment f on Query { hello }" },
		"everywhere": func(n int) string {
			return "{ hello nest {" + strings.Repeat(" hello"+use, n-2) + "} ...f" + use + "} fragment f on Query { hello" + use + " }"
		},
	} {
		if rec := post(t, graphhttp.Options{}, bodyOf(t, query(50)), newer); rec.Code != http.StatusOK {
			t.Errorf("%s: 50 directives: status %d, want 200: %s", name, rec.Code, rec.Body)
		}
		rec := post(t, graphhttp.Options{}, bodyOf(t, query(51)), newer)
		got := errorsIn(t, rec.Body.Bytes())
		if rec.Code != http.StatusBadRequest || len(got.Errors) != 1 || got.Errors[0].Extensions["limit"] != "max-directives" || got.Errors[0].Extensions["maximum"] != 50.0 {
			t.Errorf("%s: 51 directives: status %d, want 400 with limit max-directives: %s", name, rec.Code, rec.Body)
		}
	}
	// The response to 21 kB of unknown directives once had 2 MB of errors.
	rec := post(t, graphhttp.Options{}, bodyOf(t, "query "+strings.Repeat("@a ", 7000)+"{ hello }"), newer)
	if got := errorsIn(t, rec.Body.Bytes()); len(got.Errors) != 1 || rec.Body.Len() > 500 {
		t.Errorf("7000 directives: %d errors in %d bytes, want 1 in at most 500", len(got.Errors), rec.Body.Len())
	}
}

func TestErrors_AtMostTwenty(t *testing.T) {
	t.Parallel()
	unknown := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " wrong%d", i)
		}
		return "{" + b.String() + "}"
	}
	for n, want := range map[int]string{20: "", 21: "1 more error is not listed.", 500: "480 more errors are not listed."} {
		got := errorsIn(t, post(t, graphhttp.Options{MaxRootFields: 500}, bodyOf(t, unknown(n)), newer).Body.Bytes())
		listed := got.Errors
		if want != "" {
			if len(listed) != 21 {
				t.Fatalf("%d of %d errors are listed, want 20 and a summary", len(listed), n)
			}
			rest := listed[20]
			if listed = listed[:20]; rest.Message != want || rest.Extensions["code"] != "GRAPHQL_VALIDATION_FAILED" || rest.Extensions["omitted"] != float64(n-20) {
				t.Errorf("last of %d errors = %+v, want %q with the number omitted", n, rest, want)
			}
		}
		if len(listed) != 20 {
			t.Errorf("%d of %d errors are listed, want 20", len(listed), n)
		}
		for i, e := range listed {
			if !strings.HasPrefix(e.Message, fmt.Sprintf("Cannot query field \"wrong%d\"", i)) {
				t.Errorf("error %d = %q, want it to name field wrong%[1]d", i, e.Message)
			}
		}
	}
	// Invalid values, as variables and as literals.
	for name, body := range map[string]string{
		"variables": `{"query":"mutation($l: [In]) { send(inputs: $l) }","variables":{"l":[` + strings.Repeat("7,", 29) + `7]}}`,
		"literals":  bodyOf(t, "{"+strings.Repeat(` hello(n: "x")`, 30)+"}"),
	} {
		got := errorsIn(t, post(t, graphhttp.Options{}, body, newer).Body.Bytes())
		if len(got.Errors) != 21 || got.Errors[20].Message != "10 more errors are not listed." || got.Errors[20].Extensions["code"] != "GRAPHQL_VALIDATION_FAILED" {
			t.Errorf("%s: %d errors, want 20 and a summary: %+v", name, len(got.Errors), got.Errors)
		}
	}
	// Errors during execution, and in a stream of events.
	for _, accept := range []string{newer, "Accept: text/event-stream"} {
		var query strings.Builder
		for i := range 30 {
			fmt.Fprintf(&query, " f%d: fail", i)
		}
		body := post(t, graphhttp.Options{}, bodyOf(t, "{"+query.String()+"}"), accept).Body.String()
		_, data, stream := strings.Cut(body, "event: next\ndata: ")
		if stream {
			body, _, _ = strings.Cut(data, "\n")
		}
		got := errorsIn(t, []byte(body))
		if len(got.Errors) != 21 || got.Errors[20].Message != "10 more errors are not listed." || got.Errors[20].Extensions["code"] != "BAD_USER_INPUT" {
			t.Errorf("%s: %d errors, want 20 and a summary: %s", accept, len(got.Errors), body)
		}
	}
}

func TestSuggestions(t *testing.T) {
	t.Parallel()
	for query, suggested := range map[string]bool{
		"{ helo }":                                                             true,
		"{ hello(nam: 1) }":                                                    true,
		"{ " + strings.Repeat("h", 64) + " }":                                  false,
		"{ hello" + strings.Repeat("o", 60) + " }":                             false,
		"{ hello(name" + strings.Repeat("e", 61) + ": 1) }":                    false,
		"{ ... on " + strings.Repeat("Q", 100) + " { hello } }":                false,
		"{ ...f } fragment f on Quer { hello }":                                true,
		"{ ...f } fragment f on Quer" + strings.Repeat("y", 61) + " { hello }": false,
	} {
		body := post(t, graphhttp.Options{}, bodyOf(t, query), newer).Body.String()
		if !strings.Contains(body, "GRAPHQL_VALIDATION_FAILED") || strings.Contains(body, "Did you mean") != suggested {
			t.Errorf("%s: suggested %v, want %v: %s", query, !suggested, suggested, body)
		}
	}
	long := "{ hello " + strings.Repeat("x", 100_000) + ": hello }"
	if body := post(t, graphhttp.Options{}, bodyOf(t, long), newer).Body.String(); !strings.Contains(body, "more than 512 characters") || len(body) > 500 {
		t.Errorf("name of 100,000 characters: got %.500s, want an error of at most 500 bytes", body)
	}
}

// Short documents that expand to large ones are refused immediately.
func TestLimits_AreLinear(t *testing.T) {
	t.Parallel()
	doubled := func(levels int, field string) string {
		query := "{ ...f0 }"
		for i := range levels {
			query += fmt.Sprintf(" fragment f%d on Query { "+field+" }", i, i+1, i+1)
		}
		return query + fmt.Sprintf(" fragment f%d on Query { hello }", levels)
	}
	many := func(n int, each, rest string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, each, i)
		}
		return b.String() + rest
	}
	wrong := ""
	for i := range 900 {
		wrong += fmt.Sprintf(" w%d", i)
	}
	for name, query := range map[string]string{
		"two ways on each level":            doubled(20, "a: nest { ...f%d } b: nest { ...f%d }"),
		"merged on each level":              doubled(20, "nest { ...f%d } nest { ...f%d } a: nest { hello }"),
		"cycle that is merged":              "{ ...f } fragment f on Query { nest { ...f } nest { ...f } nest { nest { ...f } } }",
		"operations over one fragment":      many(400, "query q%d { ...f } ", "fragment f on Query {"+wrong+"}"),
		"fields over one fragment":          "{" + many(400, " a%d: nest { ...f }", "") + "} fragment f on Query {" + wrong + "}",
		"unknown fields":                    "{" + many(12, " a%d: nest {"+wrong+"}", "") + "}",
		"unknown names of sixty characters": "{" + many(12, " a%d: nest {"+strings.ReplaceAll(wrong, " ", " "+strings.Repeat("n", 58))+"}", "") + "}",
		"name that every error quotes":      "query " + strings.Repeat("n", 500) + "(" + many(3000, " $v%d: Int", "") + ") { hello }",
	} {
		start := time.Now()
		rec := post(t, graphhttp.Options{}, bodyOf(t, query), newer)
		if rec.Body.Len() > 25_000 {
			t.Errorf("%s: response has %d bytes, want at most 25000", name, rec.Body.Len())
		}
		t.Logf("%s: status %d, %d bytes, %v", name, rec.Code, rec.Body.Len(), time.Since(start))
	}
}

// A sampler records the maximum of the unsent bytes at each write.
type sampler struct {
	*httptest.ResponseRecorder
	unsent *responselimit.UnsentMemory
	most   int64
}

func (s *sampler) Write(b []byte) (int, error) {
	s.most = max(s.most, s.unsent.Bytes())
	return s.ResponseRecorder.Write(b)
}

func TestUnsent_Released(t *testing.T) {
	t.Parallel()
	unsent := responselimit.NewUnsentMemory(0)
	h := graphhttp.New(newStub(), graphhttp.Options{Unsent: unsent})
	for _, accept := range []string{newer, "Accept: text/event-stream"} {
		rec := &sampler{ResponseRecorder: httptest.NewRecorder(), unsent: unsent}
		h.ServeHTTP(rec, request(t, http.MethodPost, "/graphql", `{"query":"{ hello }"}`, "Content-Type: application/json", accept))
		const small = 16 << 10 // the maximum capacity of the buffer of a small response
		if least := int64(len(`{"data":{"hello":"you"}}`)); rec.most < least || rec.most > small || unsent.Bytes() != 0 {
			t.Errorf("%s: unsent bytes = %d during the write, want %d to %d; %d after it, want 0; response %s", accept, rec.most, least, small, unsent.Bytes(), rec.Body)
		}
	}
}
