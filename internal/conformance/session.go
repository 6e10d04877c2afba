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
	userAgent   = "mixcloud-graphql-conformance"
	patience    = time.Minute // for one answer
	largestBody = 16 << 20
	hopeless    = 3 // requests in a row without an answer, or refused even after waiting: the run stops asking
)

// A base is one of the three places that are asked.
type base int

const (
	onAPI base = iota
	onSite
	onOEmbed
	bases
)

func (b base) String() string { return [bases]string{"API URL", "site URL", "oEmbed URL"}[b] }

// A request is a GET that a probe wants answered. Equal requests are sent once
// in a run.
type request struct {
	base   base
	ref    string // path and raw query below the base, without the token
	token  bool   // the access token goes into the query
	header string // an Authorization header; "" for none
}

// A session is one run: it paces, sends, remembers and records. It is used by
// one goroutine.
type session struct {
	bases     [bases]string // without a closing slash
	token     string
	secrets   []string // what redact takes out
	interval  time.Duration
	transport http.RoundTripper
	out       io.Writer
	reportTo  io.Writer
	log       *slog.Logger

	answers map[request]reply
	report  Report
	used    []int // exchanges that the present probe looked at
	limited []*answer
	sent    int
	last    time.Time // when the latest request was sent
	silent  int       // requests without an answer, in a row
	refused int       // requests refused by the rate limit even after waiting
	fatal   error     // why the run cannot go on
}

// A reply is what came of a request: an answer, or why there is none.
type reply struct {
	answer    *answer
	err       error
	exchanges []int
}

// An answer is what the wire said.
type answer struct {
	status int
	header http.Header
	body   []byte
	doc    any // the body as JSON; nil when it is none
	sentTo string
}

// get asks the API anonymously. ref is a path and a raw query.
func (s *session) get(ctx context.Context, ref string) (*answer, error) {
	return s.fetch(ctx, request{base: onAPI, ref: ref})
}

// getAsViewer asks the API with the access token. Without one nothing can be told.
func (s *session) getAsViewer(ctx context.Context, ref string) (*answer, error) {
	if s.token == "" {
		return nil, errors.New("there is no access token to ask with")
	}
	return s.fetch(ctx, request{base: onAPI, ref: ref, token: true})
}

// fetch gives the answer to a request, sending it at most twice in a run: once
// more after a refusal by the rate limit, or after no answer at all.
func (s *session) fetch(ctx context.Context, req request) (*answer, error) {
	r, ok := s.answers[req]
	if !ok {
		before := len(s.report.Exchanges)
		r.answer, r.err = s.send(ctx, req)
		for i := before; i < len(s.report.Exchanges); i++ {
			r.exchanges = append(r.exchanges, i)
		}
		s.answers[req] = r
	}
	for _, i := range r.exchanges {
		if !slices.Contains(s.used, i) {
			s.used = append(s.used, i)
		}
	}
	return r.answer, r.err
}

func (s *session) send(ctx context.Context, req request) (*answer, error) {
	if s.refused >= hopeless {
		return nil, errors.New("the rate limit refused too many requests before")
	}
	a, err := s.once(ctx, req)
	if err != nil {
		if s.fatal != nil || s.sent == 1 {
			s.fatal = err
			return nil, err
		}
		if a, err = s.once(ctx, req); err != nil {
			return nil, err
		}
	}
	wait, limited := a.rateLimit()
	if !limited {
		return a, nil
	}
	s.limited = append(s.limited, a)
	if deadline, ok := ctx.Deadline(); wait <= 0 || ok && time.Until(deadline) < wait {
		s.refused++
		return nil, errors.New("the rate limit refused the request, and waiting was no use")
	}
	s.log.InfoContext(ctx, "waiting for the rate limit", "seconds", wait.Seconds())
	if err := s.sleep(ctx, wait); err != nil {
		return nil, err
	}
	if a, err = s.once(ctx, req); err != nil {
		return nil, err
	}
	if _, limited := a.rateLimit(); limited {
		s.limited = append(s.limited, a)
		s.refused++
		return nil, errors.New("the rate limit refused the request twice")
	}
	return a, nil
}

// once paces, sends and records one GET. A host that keeps silent ends the run.
func (s *session) once(ctx context.Context, req request) (*answer, error) {
	if !s.last.IsZero() {
		if err := s.sleep(ctx, time.Until(s.last.Add(s.interval))); err != nil {
			return nil, err
		}
	}
	s.last = time.Now()
	s.sent++
	x := Exchange{Method: http.MethodGet, URL: s.redact(s.bases[req.base] + req.ref), Token: req.token || req.header != ""}
	a, err := s.exchange(ctx, req)
	if err != nil {
		x.Failure = s.redact(err.Error())
		err = fmt.Errorf("GET %s: %s", x.URL, x.Failure)
		s.log.WarnContext(ctx, "no answer", "url", x.URL, "error", x.Failure)
		if req.base == onAPI {
			if s.silent++; s.silent >= hopeless {
				s.fatal = err
			}
		}
		if ctx.Err() != nil {
			err = ctx.Err()
			s.fatal = err
		}
	} else {
		if req.base == onAPI {
			s.silent = 0
		}
		x.Status, x.Header, x.Body = a.status, s.redactHeader(a.header), s.redact(string(a.body))
	}
	s.report.Exchanges = append(s.report.Exchanges, x)
	return a, err
}

func (s *session) exchange(ctx context.Context, req request) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	full := s.bases[req.base] + req.ref
	a := &answer{sentTo: full}
	if req.token {
		separator := "?"
		if strings.Contains(full, "?") {
			separator = "&"
		}
		full += separator + "access_token=" + url.QueryEscape(s.token)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, full, http.NoBody)
	if err != nil {
		return nil, errors.New("not a URL that can be asked")
	}
	r.Header.Set("User-Agent", userAgent)
	if req.header != "" {
		r.Header.Set("Authorization", req.header)
	}
	res, err := s.transport.RoundTrip(r) // and no http.Client, which fails for a Location that it cannot read
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	a.status, a.header = res.StatusCode, res.Header
	if a.body, err = io.ReadAll(io.LimitReader(res.Body, largestBody+1)); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(a.body) > largestBody {
		return nil, fmt.Errorf("an answer of more than %d bytes", largestBody)
	}
	a.doc = decode(a.body)
	return a, nil
}

// decode reads a whole JSON text; nil when the body is none. Numbers stay as
// they are spelled.
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

// sleep waits. An ended context ends the run.
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

// rateLimit says whether the answer is a refusal by the rate limit, however
// faithfully it is spelled, and which wait it names: that of the header, or else
// that of the body; 0 for none.
func (a *answer) rateLimit() (wait time.Duration, limited bool) {
	if a.status != http.StatusForbidden && a.status != http.StatusTooManyRequests {
		return 0, false
	}
	e := a.failure()
	if e.kind != "RateLimitException" && !strings.Contains(e.message, "rate limit") {
		return 0, false
	}
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil {
		seconds, _ = strconv.Atoi(e.retryAfter)
	}
	return time.Duration(max(0, seconds)) * time.Second, true
}

// redact takes the access token out of a text, in each form that it can have
// there.
func (s *session) redact(text string) string {
	for _, form := range s.secrets {
		text = strings.ReplaceAll(text, form, "[token]")
	}
	return text
}

// spellings are the forms that a token can have in URLs and in JSON, the
// longest first.
func spellings(token string) []string {
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
