package auth

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"

	"mixcloud-graphql/mixcloud"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// pagePolicy is the pages' Content-Security-Policy. It allows only their own style and form.
var pagePolicy = func() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}()

// A page is an HTML response of signing in that is not a redirect. It contains nothing from the
// request's URL or from Mixcloud.
type page struct {
	Status int
	Title  string
	Text   []string
	Links  []link
	Button string // action of the sign-out form; "" for no form
	Next   string // value of the form's field next
}

type link struct{ Label, Address string }

var (
	pageNoAttempt = page{Status: http.StatusBadRequest, Title: "No sign-in is in progress", Text: []string{
		"This browser has no sign-in in progress. It has expired after ten minutes, it was started in another browser, or cookies are disabled.",
	}}
	pageExpired = page{Status: http.StatusBadRequest, Title: "The sign-in has expired", Text: []string{
		"For security, a sign-in must be completed within ten minutes.",
	}}
	pageWrongAttempt = page{Status: http.StatusBadRequest, Title: "This is not your current sign-in", Text: []string{
		"You have started another sign-in since, or the link would sign you in to the account of another person. Nothing was changed.",
	}}
	pageUsed = page{Status: http.StatusBadRequest, Title: "This sign-in was already completed", Text: []string{
		"A sign-in can be completed only once. If you are not signed in, start a new one.",
	}}
	pageDenied = page{Status: http.StatusForbidden, Title: "You are not signed in", Text: []string{
		"You or Mixcloud denied access. Nothing was changed.",
	}}
	pageNoCode = page{Status: http.StatusBadRequest, Title: "Mixcloud's response is incomplete", Text: []string{
		"Mixcloud did not report whether you granted access.",
	}}
	pageRefused = page{Status: http.StatusBadRequest, Title: "Mixcloud did not accept the sign-in", Text: []string{
		"The authorization code from Mixcloud is invalid or has expired. If this happens again, the OAuth settings of this server may be wrong.",
	}}
	pageLimited = page{Status: http.StatusServiceUnavailable, Title: "Mixcloud's rate limit is exceeded", Text: []string{
		"There were too many requests in a short time. Please try again in a few minutes.",
	}}
	pageUnavailable = page{Status: http.StatusBadGateway, Title: "Mixcloud is unavailable", Text: []string{
		"Mixcloud cannot be reached or returns errors. Please try again later.",
	}}
	pageTimeout = page{Status: http.StatusGatewayTimeout, Title: "Mixcloud did not respond in time", Text: []string{
		"Please try again later.",
	}}
	pageInternal = page{Status: http.StatusServiceUnavailable, Title: "Sign-in does not work at the moment", Text: []string{
		"This server has an internal error. Please try again later.",
	}}
	pageSignOut = page{Status: http.StatusOK, Title: "Sign out?", Text: []string{
		"This browser will no longer be signed in here. To revoke this application's access to your account, open your settings on Mixcloud.",
	}}
	pageSignedOut = page{Status: http.StatusOK, Title: "You are not signed in", Text: []string{
		"There is no session to end.",
	}}
	pageCrossSite = page{Status: http.StatusForbidden, Title: "You were not signed out", Text: []string{
		"The request came from another site. To sign out, use the link below.",
	}}
	pageNoSignIn = page{Status: http.StatusNotFound, Title: "Sign-in is not available", Text: []string{
		"Public data is available without signing in.",
	}}
)

// pageOf returns the page for an exchange that failed.
func pageOf(err error) page {
	var refused *mixcloud.OAuthError
	switch {
	case errors.As(err, &refused):
		return pageRefused
	case errors.Is(err, mixcloud.ErrRateLimited):
		return pageLimited
	case errors.Is(err, mixcloud.ErrTimeout):
		return pageTimeout
	default:
		return pageUnavailable
	}
}

// write sends the page.
func (p page) write(w http.ResponseWriter) {
	var body bytes.Buffer
	err := pageTemplate.Execute(&body, struct {
		page
		Style template.CSS
	}{p, template.CSS(pageCSS)}) //nolint:gosec // the style is embedded
	if err != nil {
		panic(fmt.Errorf("the page's template: %w", err)) // a test renders every page
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	w.WriteHeader(p.Status)
	_, _ = w.Write(body.Bytes()) // an error means that the browser has disconnected
}
