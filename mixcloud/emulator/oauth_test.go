package emulator_test

import (
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/mixcloud/emulator"
)

const callback = "https://app.example/callback?state=a%20b&x=1"

var formTokenPattern = regexp.MustCompile(`name="form" value="([^"]*)"`)

// authorizePath returns the path of the authorize page of an application.
func authorizePath(clientID, redirectURI string) string {
	q := url.Values{"client_id": {clientID}}
	if redirectURI != "" {
		q.Set("redirect_uri", redirectURI)
	}
	return "/www/oauth/authorize?" + q.Encode()
}

// submitForm opens the authorize page and submits its form.
func submitForm(t testing.TB, h http.Handler, path string, choice url.Values) *httptest.ResponseRecorder {
	t.Helper()
	w := get(t, h, path)
	m := formTokenPattern.FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusOK || m == nil {
		t.Fatalf("GET %s: status %d, want 200 with a form: %s", path, w.Code, w.Body)
	}
	choice.Set("form", html.UnescapeString(m[1]))
	return send(h, http.MethodPost, path, "", "application/x-www-form-urlencoded", strings.NewReader(choice.Encode()))
}

// obtainCode authorizes an application as a user and returns the code.
func obtainCode(t testing.TB, h http.Handler, clientID, redirectURI, user string) string {
	t.Helper()
	w := submitForm(t, h, authorizePath(clientID, redirectURI), url.Values{"choice": {"allow"}, "user": {user}})
	back, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusFound || back.Query().Get("code") == "" {
		t.Fatalf("authorizing %s: status %d, Location %q; want 302 to a URL with a code: %s", clientID, w.Code, w.Header().Get("Location"), w.Body)
	}
	return back.Query().Get("code")
}

func exchangeParams(code, redirectURI string) url.Values {
	return url.Values{
		"client_id": {emulator.DemoClientID}, "client_secret": {emulator.DemoClientSecret}, "redirect_uri": {redirectURI}, "code": {code},
	}
}

// TestOAuth checks the whole flow over HTTP: page, consent, code, token and its use.
func TestOAuth(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	srv := httptest.NewServer(http.StripPrefix("/emulator", e))
	defer srv.Close()
	client := srv.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	read := func(res *http.Response, err error) (*http.Response, string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(body)
	}
	page := srv.URL + "/emulator" + authorizePath(emulator.DemoClientID, callback) + "&state=lost&response_type=code"
	res, text := read(client.Get(page))
	form := formTokenPattern.FindStringSubmatch(text)
	if res.StatusCode != 200 || form == nil || !strings.Contains(text, "Demo application") || !strings.Contains(text, "<option>demo</option>") {
		t.Fatalf("GET %s: status %d, want 200 with a form that names the application and the user demo: %s", page, res.StatusCode, text)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Content-Type": "text/html; charset=utf-8"} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("header %s = %q, want %q", name, got, want)
		}
	}
	res, text = read(client.PostForm(page, url.Values{"form": {form[1]}, "choice": {"allow"}, "user": {"demo"}, "other": {" SPARTACUS "}}))
	location := res.Header.Get("Location")
	code, ok := strings.CutPrefix(location, callback+"&code=")
	if res.StatusCode != http.StatusFound || !ok || strings.Contains(location, "lost") {
		t.Fatalf("submitting the form: status %d, Location %q; want 302 to %q with a code, without state: %s", res.StatusCode, location, callback, text)
	}
	res, text = read(client.PostForm(srv.URL+"/emulator/www/oauth/access_token", exchangeParams(code, callback)))
	token, _ := object(t, []byte(text))["access_token"].(string)
	if res.StatusCode != 200 || token == "" || res.Header.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Fatalf("exchanging the code: status %d, want 200 with an access_token: %s", res.StatusCode, text)
	}
	if _, text = read(client.Get(srv.URL + "/emulator/me/?access_token=" + token)); object(t, []byte(text))["key"] != "/spartacus/" {
		t.Errorf("GET /me/ with the token: %s, want /spartacus/", text)
	}
	want := []emulator.Request{
		{Method: "POST", Path: "/www/oauth/access_token", Query: "", Status: 200}, {Method: "GET", Path: "/me/", Query: "", Status: 200},
	}
	if diff := cmp.Diff(want, e.Requests()); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
}

// TestOAuth_authorize checks that the page redirects only after a valid choice, and
// only to a valid redirect_uri.
func TestOAuth_authorize(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, emulator.WithOAuthClient("mine", "secret", "My <app>"), emulator.WithOAuthClient("nameless", "secret", ""))
	for name, tt := range map[string]struct {
		client, redirectURI string
		choice              url.Values // nil to only open the page
		status              int
		location            string // a prefix
		text                string // in the page
	}{
		"page":                    {"mine", callback, nil, 200, "", "Allow My &lt;app&gt; to use your account?"},
		"nameless":                {"nameless", callback, nil, 200, "", "Allow nameless to use"},
		"unknown client":          {"other", callback, nil, 400, "", "No application has this client_id"},
		"no client":               {"", callback, nil, 400, "", "No application has this client_id"},
		"script":                  {"mine", "javascript:alert(1)", nil, 400, "", "must be an absolute http or https URL"},
		"data":                    {"mine", "data:text/html,x", nil, 400, "", "must be an absolute"},
		"own scheme":              {"mine", "myapp://callback", nil, 400, "", "must be an absolute"},
		"no host":                 {"mine", "https:///x", nil, 400, "", "must be an absolute"},
		"relative":                {"mine", "/callback", nil, 400, "", "must be an absolute"},
		"line break":              {"mine", "https://a.example/\r\nx: y", nil, 400, "", "must be an absolute"},
		"allow":                   {"mine", "http://127.0.0.1:1/x", url.Values{"choice": {"allow"}, "user": {"demo"}}, 302, "http://127.0.0.1:1/x?code=", ""},
		"allow, own query":        {"mine", callback, url.Values{"choice": {"allow"}, "user": {"demo"}}, 302, callback + "&code=", ""},
		"allow, fragment":         {"mine", "https://a.example/x#y", url.Values{"choice": {"allow"}, "user": {"demo"}}, 302, "https://a.example/x?code=", ""},
		"deny":                    {"mine", callback, url.Values{"choice": {"deny"}, "user": {"demo"}}, 302, callback + "&error=user_denied", ""},
		"no choice":               {"mine", callback, url.Values{"user": {"demo"}}, 302, callback + "&error=user_denied", ""},
		"typed user":              {"mine", callback, url.Values{"choice": {"allow"}, "user": {"demo"}, "other": {"tidewrack"}}, 302, callback + "&code=", ""},
		"unknown user":            {"mine", callback, url.Values{"choice": {"allow"}, "other": {"<no-such-user>"}}, 400, "", "There is no user with this name."},
		"unknown user typed":      {"mine", callback, url.Values{"choice": {"allow"}, "other": {"<no-such-user>"}}, 400, "", `value="&lt;no-such-user&gt;"`},
		"no redirect_uri":         {"mine", "", url.Values{"choice": {"allow"}, "user": {"demo"}}, 200, "", "Your code"},
		"no redirect_uri, denied": {"mine", "", url.Values{"choice": {"deny"}}, 200, "", "Access denied"},
		"markup in redirect_uri":  {"mine", "https://a.example/\"><script>", nil, 200, "", "Allow My"},
	} {
		path := authorizePath(tt.client, tt.redirectURI)
		w := get(t, e, path)
		if tt.choice != nil {
			w = submitForm(t, e, path, tt.choice)
		}
		location := w.Header().Get("Location")
		if w.Code != tt.status || !strings.HasPrefix(location, tt.location) || (location == "") != (tt.location == "") || !strings.Contains(w.Body.String(), tt.text) {
			t.Errorf("%s: status %d, Location %q, body %s; want %d, %q, a body with %q", name, w.Code, location, w.Body, tt.status, tt.location, tt.text)
		}
		if strings.Contains(w.Body.String(), "<script") || strings.Contains(w.Body.String(), "src=") {
			t.Errorf("%s: the page contains a script or loads a resource: %s", name, w.Body)
		}
	}
	for method, want := range map[string]int{http.MethodHead: 200, http.MethodPut: 405, http.MethodDelete: 405} {
		if w := send(e, method, authorizePath("mine", callback), "", "", nil); w.Code != want {
			t.Errorf("%s of the authorize page: status %d, want %d", method, w.Code, want)
		}
	}
	if w := get(t, e, strings.Replace(authorizePath("mine", callback), "?", "/?", 1)); w.Code != 200 {
		t.Errorf("GET of the authorize page with a trailing slash: status %d, want 200", w.Code)
	}
	if got := e.Requests(); len(got) != 0 {
		t.Errorf("the journal contains requests for the authorize page, want none: %v", got)
	}
}

// TestOAuth_form checks that a page can be submitted once, and only for the application
// and redirect_uri that it was opened for.
func TestOAuth_form(t *testing.T) {
	t.Parallel()
	clock := &manualClock{sharedWorld().Now}
	e := newEmulator(t, emulator.WithOAuthClient("mine", "secret", "Mine"), emulator.WithClock(clock.read))
	page := authorizePath("mine", callback)
	open := func() string { return formTokenPattern.FindStringSubmatch(get(t, e, page).Body.String())[1] }
	submit := func(path, value string) *httptest.ResponseRecorder {
		body := url.Values{"form": {value}, "choice": {"allow"}, "user": {"demo"}}.Encode()
		return send(e, http.MethodPost, path, "", "application/x-www-form-urlencoded", strings.NewReader(body))
	}
	used := open()
	if w := submit(page, used); w.Code != http.StatusFound {
		t.Fatalf("submitting the form: status %d, want 302: %s", w.Code, w.Body)
	}
	for name, do := range map[string]func() *httptest.ResponseRecorder{
		"a second time":   func() *httptest.ResponseRecorder { return submit(page, used) },
		"without a value": func() *httptest.ResponseRecorder { return submit(page, "") },
		"another application": func() *httptest.ResponseRecorder {
			return submit(authorizePath(emulator.DemoClientID, callback), open())
		},
		"another redirect_uri": func() *httptest.ResponseRecorder { return submit(authorizePath("mine", callback+"2"), open()) },
		"too late": func() *httptest.ResponseRecorder {
			value := open()
			clock.now = clock.now.Add(10 * time.Minute)
			return submit(page, value)
		},
		"no form": func() *httptest.ResponseRecorder {
			return send(e, http.MethodPost, page, "", "application/x-www-form-urlencoded", strings.NewReader("%zz"))
		},
	} {
		if w := do(); w.Code != http.StatusBadRequest || !formTokenPattern.MatchString(w.Body.String()) {
			t.Errorf("%s: status %d, Location %q; want 400 with a new form: %s", name, w.Code, w.Header().Get("Location"), w.Body)
		}
	}
}

// TestOAuth_exchange checks that the exchange accepts parameters in all forms that
// clients use, and rejects wrong ones.
func TestOAuth_exchange(t *testing.T) {
	t.Parallel()
	clock := &manualClock{sharedWorld().Now}
	e := newEmulator(t, emulator.WithOAuthClient("mine", "secret", "Mine"), emulator.WithClock(clock.read))
	const path, urlencoded = "/www/oauth/access_token", "application/x-www-form-urlencoded"
	type exchangeFunc = func(url.Values) *httptest.ResponseRecorder
	asGet := func(v url.Values) *httptest.ResponseRecorder { return get(t, e, path+"?"+v.Encode()) }
	for name, exchange := range map[string]exchangeFunc{
		"GET":        asGet,
		"GET, slash": func(v url.Values) *httptest.ResponseRecorder { return get(t, e, path+"/?"+v.Encode()) },
		"POST, query": func(v url.Values) *httptest.ResponseRecorder {
			return send(e, "POST", path+"?"+v.Encode(), "", "", nil)
		},
		"POST, form": func(v url.Values) *httptest.ResponseRecorder {
			return send(e, "POST", path, "", urlencoded, strings.NewReader(v.Encode()))
		},
		"POST, slash": func(v url.Values) *httptest.ResponseRecorder {
			return send(e, "POST", path+"/", "", urlencoded, strings.NewReader(v.Encode()))
		},
		"POST, multipart": func(v url.Values) *httptest.ResponseRecorder { return postForm(t, e, path, "", fieldsOf(v)) },
	} {
		for _, redirectURI := range []string{callback, ""} {
			var code string
			if redirectURI == "" {
				w := submitForm(t, e, authorizePath(emulator.DemoClientID, ""), url.Values{"choice": {"allow"}, "user": {"demo"}})
				code = regexp.MustCompile(`<code>(\w+)</code>`).FindStringSubmatch(w.Body.String())[1]
			} else {
				code = obtainCode(t, e, emulator.DemoClientID, redirectURI, "demo")
			}
			w := exchange(exchangeParams(code, redirectURI))
			token, _ := object(t, w.Body.Bytes())["access_token"].(string)
			if w.Code != 200 || token == "" {
				t.Errorf("%s: status %d, want 200 with an access_token: %s", name, w.Code, w.Body)
				continue
			}
			if me := getJSON(t, e, "/me/?access_token="+token); me["key"] != "/demo/" {
				t.Errorf("%s: the token's user is %v, want /demo/", name, me["key"])
			}
			if w := exchange(exchangeParams(code, redirectURI)); w.Code != 400 {
				t.Errorf("%s: second exchange of the same code: status %d, want 400", name, w.Code)
			}
		}
	}
	for name, change := range map[string]func(url.Values){
		"another redirect_uri":        func(v url.Values) { v.Set("redirect_uri", callback+"&y") },
		"equivalent redirect_uri":     func(v url.Values) { v.Set("redirect_uri", strings.Replace(callback, "%20", "+", 1)) },
		"no redirect_uri":             func(v url.Values) { v.Del("redirect_uri") },
		"unknown client":              func(v url.Values) { v.Set("client_id", "other") },
		"another client":              func(v url.Values) { v.Set("client_id", "mine"); v.Set("client_secret", "secret") },
		"secret of another client":    func(v url.Values) { v.Set("client_secret", "secret") },
		"no secret":                   func(v url.Values) { v.Del("client_secret") },
		"unknown code":                func(v url.Values) { v.Set("code", "x") },
		"no code":                     func(v url.Values) { v.Del("code") },
		"a code ten minutes old":      func(url.Values) { clock.now = clock.now.Add(10 * time.Minute) },
		"a token instead of the code": func(v url.Values) { v.Set("code", "demo-token") },
	} {
		v := exchangeParams(obtainCode(t, e, emulator.DemoClientID, callback, "demo"), callback)
		change(v)
		w := asGet(v)
		body := object(t, w.Body.Bytes())
		if text, _ := body["error"].(string); w.Code != 400 || text == "" || len(body) != 1 {
			t.Errorf("%s: status %d, want 400 with only an error text: %s", name, w.Code, w.Body)
		}
	}
	// The code remains valid after a failed exchange.
	v := exchangeParams(obtainCode(t, e, emulator.DemoClientID, callback, "demo"), callback)
	wrong := exchangeParams(v.Get("code"), "https://other.example/")
	if w := asGet(wrong); w.Code != 400 {
		t.Errorf("exchange with another redirect_uri: status %d, want 400", w.Code)
	}
	clock.now = clock.now.Add(10*time.Minute - 1)
	if w := asGet(v); w.Code != 200 {
		t.Errorf("exchange just before the code expires: status %d, want 200: %s", w.Code, w.Body)
	}
	for _, r := range e.Requests() {
		if strings.Contains(r.Query, "secret") || strings.Contains(r.Query, "code") || strings.Contains(r.Query, "token") {
			t.Errorf("the journal contains a secret, a code or a token: %+v", r)
		}
	}
	if w := send(e, http.MethodDelete, path, "", "", nil); w.Code != 405 {
		t.Errorf("DELETE %s: status %d, want 405", path, w.Code)
	}
	if w := send(e, http.MethodPost, path, "", urlencoded, strings.NewReader("%zz")); w.Code != 400 {
		t.Errorf("POST %s with an invalid form: status %d, want 400", path, w.Code)
	}
}

func fieldsOf(v url.Values) form {
	var f form
	for name, values := range v {
		f.fields = append(f.fields, name+"="+values[0])
	}
	return f
}

func TestOAuth_faults(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	if err := e.Fail(emulator.Fault{Kind: emulator.FaultURLEncodedToken, Times: 1}); err != nil {
		t.Fatal(err)
	}
	v := exchangeParams(obtainCode(t, e, emulator.DemoClientID, callback, "demo"), callback)
	w := get(t, e, "/www/oauth/access_token?"+v.Encode())
	params, err := url.ParseQuery(w.Body.String())
	if err != nil || w.Code != 200 || len(params) != 1 || params.Get("access_token") == "" {
		t.Fatalf("exchange with the fault: status %d, body %q; want 200, a URL-encoded access_token", w.Code, w.Body)
	}
	getJSON(t, e, "/me/?access_token="+params.Get("access_token"))

	// The code remains valid after a rejected exchange, but not after a lost response.
	v = exchangeParams(obtainCode(t, e, emulator.DemoClientID, callback, "demo"), callback)
	for _, kind := range []emulator.FaultKind{emulator.FaultHTML503, emulator.FaultEarly503, emulator.FaultHTML502} {
		if err := e.Fail(emulator.Fault{Match: "POST /www/oauth/*", Kind: kind, Times: 1}); err != nil {
			t.Fatal(err)
		}
		send(e, http.MethodPost, "/www/oauth/access_token?"+v.Encode(), "", "", nil)
	}
	if w := get(t, e, "/www/oauth/access_token?"+v.Encode()); w.Code != 400 || !strings.Contains(w.Body.String(), "used") {
		t.Errorf("exchange after a lost response: status %d, want 400 for a used code: %s", w.Code, w.Body)
	}
}

// TestRevoke checks that a revoked token is rejected like an unknown one.
func TestRevoke(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	v := exchangeParams(obtainCode(t, e, emulator.DemoClientID, callback, "demo"), callback)
	issued := object(t, get(t, e, "/www/oauth/access_token?"+v.Encode()).Body.Bytes())["access_token"].(string)
	me := func(token string) int { return get(t, e, "/me/?access_token="+token).Code }
	for _, token := range []string{issued, "demo-token"} {
		if got := me(token); got != 200 {
			t.Errorf("/me/ before the token is revoked: status %d, want 200", got)
		}
		if w := writeControl(e, http.MethodPost, "revoke", `{"token": "`+token+`"}`); w.Code != 200 {
			t.Errorf("POST revoke: status %d, want 200: %s", w.Code, w.Body)
		}
		w := get(t, e, "/me/?access_token="+token)
		if w.Code != 400 || at(object(t, w.Body.Bytes()), "error.message") != "An invalid access token was provided" {
			t.Errorf("/me/ with the revoked token: status %d, want 400: %s", w.Code, w.Body)
		}
		if w := send(e, http.MethodPost, "/spartacus/follow/", token, "", nil); w.Code != 400 {
			t.Errorf("follow with the revoked token: status %d, want 400", w.Code)
		}
		if w := writeControl(e, http.MethodPost, "revoke", `{"token": "`+token+`"}`); w.Code != 400 {
			t.Errorf("revoking the token a second time: status %d, want 400", w.Code)
		}
	}
	if got := me("spartacus-token"); got != 200 {
		t.Errorf("/me/ with another user's token: status %d, want 200", got)
	}
	for _, body := range []string{`{"token": "x"}`, `{"token": ""}`, `{}`, `[]`, `{"tokens": "spartacus-token"}`} {
		if w := writeControl(e, http.MethodPost, "revoke", body); w.Code != 400 {
			t.Errorf("POST revoke %s: status %d, want 400", body, w.Code)
		}
	}
	e.Reset()
	if a, b := me("demo-token"), me(issued); a != 200 || b != 400 {
		t.Errorf("/me/ after a reset: status %d with the seeded token, %d with the issued one; want 200, 400", a, b)
	}
}

func TestOAuth_options(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]emulator.Option{
		"no ID": emulator.WithOAuthClient("", "x", "x"), "no secret": emulator.WithOAuthClient("x", "", "x"),
	} {
		if _, err := emulator.New(option); err == nil {
			t.Errorf("New with an OAuth client with %s returned no error, want one", name)
		}
	}
	e := newEmulator(t, emulator.WithOAuthClient(emulator.DemoClientID, "changed", "Changed"))
	v := exchangeParams(obtainCode(t, e, emulator.DemoClientID, callback, "demo"), callback)
	if w := get(t, e, "/www/oauth/access_token?"+v.Encode()); w.Code != 400 {
		t.Errorf("exchange with the old secret: status %d, want 400", w.Code)
	}
	v.Set("client_secret", "changed")
	if w := get(t, e, "/www/oauth/access_token?"+v.Encode()); w.Code != 200 {
		t.Errorf("exchange with the new secret: status %d, want 200", w.Code)
	}
}
