// Package conformance checks that a Mixcloud service has the behavior that this
// project relies on. Every rule of docs/mixcloud-api.md that can be checked by reads
// has a probe, including the rules that are not confirmed yet.
//
// [Run] sends GET requests to any base URL, of the live service or of an emulator, at
// a limited rate. It checks the raw responses and shares no decoding with the client,
// so that an error in the client cannot hide a difference.
package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config configures a run.
type Config struct {
	APIURL     string       // base URL of the REST API, such as https://api.mixcloud.com
	SiteURL    string       // base URL of the site, such as https://www.mixcloud.com
	OEmbedURL  string       // the oEmbed endpoint; "" for SiteURL + "/oembed/"
	Token      string       // access token for probes of a viewer's data; "" makes them inconclusive
	Rate       float64      // requests per second; 0 or less for no limit, for tests
	HTTPClient *http.Client // its transport sends the requests; nil for a default one. Redirects are not followed
	Out        io.Writer    // for the table, with a line after each probe; nil for none
	Report     io.Writer    // for the report as JSON at the end; nil for none
	Log        *slog.Logger // for waits and failures, without tokens; nil for none
}

// Run runs all probes once, in a fixed order, and returns their results. A rule that
// does not hold is not an error: see [Report.Differs].
//
// If the rate limit rejects a request, Run waits for the time in the response and sends
// the request once more.
//
// Run returns an error if it cannot run the probes: an invalid base URL, an API that does not
// respond, an ended context or a failing writer. The report, Out and Config.Report then contain the
// results up to that point. The access token is not in the report, the table, the log or an error.
func Run(ctx context.Context, cfg Config) (Report, error) {
	s, err := newSession(cfg)
	if err != nil {
		return Report{}, err
	}
	return s.run(ctx, probes())
}

func (s *session) run(ctx context.Context, list []probe) (Report, error) {
	s.report = Report{
		APIURL: s.bases[onAPI], SiteURL: s.bases[onSite], OEmbedURL: s.bases[onOEmbed],
		Started: time.Now().UTC(), Viewer: s.token != "",
		Probes: make([]Result, 0, len(list)),
	}
	table := newTable(s.out, list)
	var failure error
	for _, p := range list {
		result, err := s.runProbe(ctx, p)
		if err != nil {
			failure = fmt.Errorf("conformance: %w", err)
			break
		}
		s.report.Probes = append(s.report.Probes, result)
		if err := table.row(result); err != nil {
			return s.report, fmt.Errorf("conformance: table: %w", err)
		}
	}
	s.report.Requests, s.report.Incomplete = s.sent, failure != nil
	if len(s.report.Probes) > 0 {
		if err := table.summary(s.report); err != nil {
			return s.report, errors.Join(failure, fmt.Errorf("conformance: table: %w", err))
		}
	}
	if s.reportTo != nil {
		if err := s.report.write(s.reportTo); err != nil {
			return s.report, errors.Join(failure, fmt.Errorf("conformance: report: %w", err))
		}
	}
	return s.report, failure
}

// runProbe runs one probe. It returns only errors that end the run.
func (s *session) runProbe(ctx context.Context, p probe) (Result, error) {
	s.exchanges = nil
	verdict, message := Agrees, ""
	if err := p.check(ctx, s); err != nil {
		if s.fatal != nil {
			return Result{}, s.fatal
		}
		verdict, message = Inconclusive, err.Error()
		if _, ok := errors.AsType[*difference](err); ok {
			verdict = Differs
		}
	}
	return Result{
		Name: p.name, Rule: p.rule, Section: docPath + "#" + p.section, Confidence: p.confidence,
		Verdict: verdict, Detail: shorten(s.redact(message)), Exchanges: s.exchanges,
	}, nil
}

func newSession(cfg Config) (*session, error) {
	if cfg.OEmbedURL == "" {
		cfg.OEmbedURL = strings.TrimSuffix(cfg.SiteURL, "/") + "/oembed/"
	}
	s := &session{
		token: cfg.Token, secrets: tokenForms(cfg.Token), out: cfg.Out, reportTo: cfg.Report, log: cfg.Log,
		outcomes: make(map[request]outcome),
	}
	for b, raw := range [bases]string{onAPI: cfg.APIURL, onSite: cfg.SiteURL, onOEmbed: cfg.OEmbedURL} {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("conformance: the %s must be an http or https URL without a query", base(b))
		}
		s.bases[b] = strings.TrimSuffix(raw, "/")
	}
	if s.out == nil {
		s.out = io.Discard
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if cfg.Rate > 0 {
		s.interval = time.Duration(float64(time.Second) / cfg.Rate)
	}
	if cfg.HTTPClient != nil && cfg.HTTPClient.Transport != nil {
		s.transport = cfg.HTTPClient.Transport
	} else {
		s.transport = http.DefaultTransport.(*http.Transport).Clone()
	}
	return s, nil
}
