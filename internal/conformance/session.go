package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	userAgent      = "mixcloud-graphql-conformance"
	requestTimeout = time.Minute
	maxBody        = 16 << 20
	maxFailures    = 3 // maximum number of consecutive requests without a response, and of requests that the rate limit rejected twice
)

// A base is one of the three base URLs.
type base int

const (
	onAPI base = iota
	onSite
	onOEmbed
	bases
)

func (b base) String() string { return [bases]string{"API URL", "site URL", "oEmbed URL"}[b] }

// A request is a GET request of a probe. Equal requests are sent once per run.
type request struct {
	base   base
	ref    string // path and raw query below the base, without the token
	token  bool   // send the access token in the query
	header string // an Authorization header; "" for none
}

// A session is the state of one run: it limits the rate, sends requests, caches
// responses and records exchanges. It is used by one goroutine.
type session struct {
	bases     [bases]string // without a trailing slash
	token     string
	secrets   []string // removed by redact
	interval  time.Duration
	transport http.RoundTripper
	out       io.Writer
	reportTo  io.Writer
	log       *slog.Logger

	outcomes         map[request]outcome
	report           Report
	exchanges        []int // indexes of the exchanges that the current probe used
	rateLimited      []*response
	sent             int
	last             time.Time // time of the last request
	failures         int       // consecutive requests without a response
	rateLimitedTwice int       // requests that the rate limit rejected even after waiting
	fatal            error     // the error that ends the run
}

// An outcome is the result of a request: a response or an error.
type outcome struct {
	response  *response
	err       error
	exchanges []int
}

// A response is an HTTP response.
type response struct {
	status int
	header http.Header
	body   []byte
	doc    any // the body as JSON; nil if it is not JSON
	url    string
}

// get sends an anonymous request to the API. ref is a path and a raw query.
func (s *session) get(ctx context.Context, ref string) (*response, error) {
	return s.fetch(ctx, request{base: onAPI, ref: ref})
}

// getAsViewer sends a request to the API with the access token. Without a token it
// returns an inconclusive error.
func (s *session) getAsViewer(ctx context.Context, ref string) (*response, error) {
	if s.token == "" {
		return nil, errors.New("no access token is configured")
	}
	return s.fetch(ctx, request{base: onAPI, ref: ref, token: true})
}

// fetch returns the response to a request. It sends each request once per run, or twice
// if the rate limit rejected it or there was no response.
func (s *session) fetch(ctx context.Context, req request) (*response, error) {
	r, ok := s.outcomes[req]
	if !ok {
		before := len(s.report.Exchanges)
		r.response, r.err = s.send(ctx, req)
		for i := before; i < len(s.report.Exchanges); i++ {
			r.exchanges = append(r.exchanges, i)
		}
		s.outcomes[req] = r
	}
	for _, i := range r.exchanges {
		if !slices.Contains(s.exchanges, i) {
			s.exchanges = append(s.exchanges, i)
		}
	}
	return r.response, r.err
}

func (s *session) send(ctx context.Context, req request) (*response, error) {
	if s.rateLimitedTwice >= maxFailures {
		return nil, errors.New("not sent, because the rate limit refused too many requests")
	}
	a, err := s.sendOnce(ctx, req)
	if err != nil {
		if s.fatal != nil || s.sent == 1 {
			s.fatal = err
			return nil, err
		}
		if a, err = s.sendOnce(ctx, req); err != nil {
			return nil, err
		}
	}
	wait, limited := a.rateLimit()
	if !limited {
		return a, nil
	}
	s.rateLimited = append(s.rateLimited, a)
	if deadline, ok := ctx.Deadline(); wait <= 0 || ok && time.Until(deadline) < wait {
		s.rateLimitedTwice++
		return nil, errors.New("the rate limit refused the request, with no wait or one after the deadline")
	}
	s.log.InfoContext(ctx, "waiting for the rate limit", "seconds", wait.Seconds())
	if err := s.sleep(ctx, wait); err != nil {
		return nil, err
	}
	if a, err = s.sendOnce(ctx, req); err != nil {
		return nil, err
	}
	if _, limited := a.rateLimit(); limited {
		s.rateLimited = append(s.rateLimited, a)
		s.rateLimitedTwice++
		return nil, errors.New("the rate limit refused the request twice")
	}
	return a, nil
}

// sendOnce waits for the rate, sends a request and records the exchange. Too many
// failures end the run.
func (s *session) sendOnce(ctx context.Context, req request) (*response, error) {
	if !s.last.IsZero() {
		if err := s.sleep(ctx, time.Until(s.last.Add(s.interval))); err != nil {
			return nil, err
		}
	}
	s.last = time.Now()
	s.sent++
	x := Exchange{Method: http.MethodGet, URL: s.redact(s.bases[req.base] + req.ref), Token: req.token || req.header != ""}
	a, err := s.roundTrip(ctx, req)
	if err != nil {
		x.Failure = s.redact(err.Error())
		err = fmt.Errorf("GET %s: %s", x.URL, x.Failure)
		s.log.WarnContext(ctx, "request failed", "url", x.URL, "error", x.Failure)
		if req.base == onAPI {
			if s.failures++; s.failures >= maxFailures {
				s.fatal = err
			}
		}
		if ctx.Err() != nil {
			err = ctx.Err()
			s.fatal = err
		}
	} else {
		if req.base == onAPI {
			s.failures = 0
		}
		x.Status, x.Header, x.Body = a.status, s.redactHeader(a.header), s.redact(string(a.body))
	}
	s.report.Exchanges = append(s.report.Exchanges, x)
	return a, err
}

func (s *session) roundTrip(ctx context.Context, req request) (*response, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	full := s.bases[req.base] + req.ref
	a := &response{url: full}
	if req.token {
		separator := "?"
		if strings.Contains(full, "?") {
			separator = "&"
		}
		full += separator + "access_token=" + url.QueryEscape(s.token)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, full, http.NoBody)
	if err != nil {
		return nil, errors.New("the URL is not valid")
	}
	r.Header.Set("User-Agent", userAgent)
	if req.header != "" {
		r.Header.Set("Authorization", req.header)
	}
	res, err := s.transport.RoundTrip(r) // not http.Client, which fails for an invalid Location
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	a.status, a.header = res.StatusCode, res.Header
	if a.body, err = io.ReadAll(io.LimitReader(res.Body, maxBody+1)); err != nil {
		return nil, fmt.Errorf("read the response: %w", err)
	}
	if len(a.body) > maxBody {
		return nil, fmt.Errorf("the response has more than %d bytes", maxBody)
	}
	a.doc = decode(a.body)
	return a, nil
}

// decode decodes a JSON text, with numbers as json.Number. It returns nil if the body is
// not JSON.
func decode(body []byte) any {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var doc any
	if err := dec.Decode(&doc); err != nil {
		return nil
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil
	}
	return doc
}

// sleep waits for d. If the context ends, the run ends.
func (s *session) sleep(ctx context.Context, d time.Duration) error {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		s.fatal = err
		return err
	}
	return nil
}

// rateLimit reports whether the rate limit rejected the request, in any known form, and
// returns the wait of the header, otherwise of the body; 0 for none.
func (a *response) rateLimit() (wait time.Duration, limited bool) {
	if a.status != http.StatusForbidden && a.status != http.StatusTooManyRequests {
		return 0, false
	}
	e := a.apiError()
	if e.kind != "RateLimitException" && !strings.Contains(e.message, "rate limit") {
		return 0, false
	}
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil {
		seconds, _ = strconv.Atoi(e.retryAfter)
	}
	return time.Duration(max(0, seconds)) * time.Second, true
}

// redact replaces the access token in a text, in all its forms.
func (s *session) redact(text string) string {
	for _, form := range s.secrets {
		text = strings.ReplaceAll(text, form, "[token]")
	}
	return text
}

// tokenForms returns the forms of a token in URLs and in JSON, longest first.
func tokenForms(token string) []string {
	if token == "" {
		return nil
	}
	inJSON, err := json.Marshal(token)
	if err != nil {
		inJSON = []byte(strconv.Quote(token))
	}
	forms := []string{
		token, url.QueryEscape(token), url.PathEscape(token),
		strings.Trim(string(inJSON), `"`), strings.Trim(strconv.Quote(token), `"`), strings.Trim(strconv.QuoteToASCII(token), `"`),
	}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(forms)
}

func (s *session) redactHeader(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		if name == "Set-Cookie" {
			continue
		}
		for _, v := range values {
			out.Add(name, s.redact(v))
		}
	}
	return out
}
