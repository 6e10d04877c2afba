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
// request's address or from Mixcloud.
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
	pageNoAttempt = page{Status: http.StatusBadRequest, Title: "This sign-in was not begun here", Text: []string{
		"This browser has no sign-in under way: it took longer than ten minutes, was begun in another browser, or cookies are switched off.",
	}}
	pageExpired = page{Status: http.StatusBadRequest, Title: "That took too long", Text: []string{
		"For your safety a sign-in must be finished within ten minutes.",
	}}
	pageForeign = page{Status: http.StatusBadRequest, Title: "This is not the sign-in that you began", Text: []string{
		"Either you began another one since, or somebody has sent you a link with which you would act in their name. Nothing was changed.",
	}}
	pageUsed = page{Status: http.StatusBadRequest, Title: "This sign-in is over already", Text: []string{
		"Each one can be finished once. If you are not signed in, begin a new one.",
	}}
	pageDenied = page{Status: http.StatusForbidden, Title: "You are not signed in", Text: []string{
		"You, or Mixcloud, did not allow it. Nothing was changed.",
	}}
	pageNoCode = page{Status: http.StatusBadRequest, Title: "Mixcloud's answer is incomplete", Text: []string{
		"Mixcloud has sent you back without saying whether you allow it.",
	}}
	pageRefused = page{Status: http.StatusBadRequest, Title: "Mixcloud did not accept the sign-in", Text: []string{
		"What Mixcloud has sent along with you is not valid, or not any more. If it happens again, this server's application may be set up wrongly.",
	}}
	pageLimited = page{Status: http.StatusServiceUnavailable, Title: "Mixcloud asks us to wait", Text: []string{
		"There were too many requests in a short time. Please try again in some minutes.",
	}}
	pageUnavailable = page{Status: http.StatusBadGateway, Title: "Mixcloud cannot be reached", Text: []string{
		"You did nothing wrong: Mixcloud did not answer as it should. Please try again in a while.",
	}}
	pageTimeout = page{Status: http.StatusGatewayTimeout, Title: "Mixcloud took too long", Text: []string{
		"You did nothing wrong: Mixcloud did not answer in time. Please try again in a while.",
	}}
	pageBroken = page{Status: http.StatusServiceUnavailable, Title: "Signing in does not work at the moment", Text: []string{
		"You did nothing wrong: this server has a fault. Please try again in a while.",
	}}
	pageSignOut = page{Status: http.StatusOK, Title: "Sign out?", Text: []string{
		"This browser will act for nobody here. What you have allowed stays known to Mixcloud: you can take it back in your settings there.",
	}}
	pageSignedOut = page{Status: http.StatusOK, Title: "You are not signed in", Text: []string{
		"There is nothing to sign out of.",
	}}
	pageCrossSite = page{Status: http.StatusForbidden, Title: "You were not signed out", Text: []string{
		"Another site has asked for it. If it is what you want, do it here.",
	}}
	pageNoSignIn = page{Status: http.StatusNotFound, Title: "Nobody can sign in here", Text: []string{
		"Everything that is public can be asked for without.",
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
