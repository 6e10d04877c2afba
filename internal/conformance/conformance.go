// Package conformance compares a Mixcloud with what this project relies on of
// it. Every rule of docs/mixcloud-api.md that a read can show is a small probe,
// and so is every question there that nobody has answered yet.
//
// [Run] asks any base URL, the live service as well as the emulator, slowly and
// with GET alone. It judges the bytes on the wire, so it shares no decoding with
// the client: a mistake of the client's cannot hide itself here.
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

// Config says whom to ask, and how.
type Config struct {
	APIURL     string       // root of the REST API, such as https://api.mixcloud.com
	SiteURL    string       // root of the site, such as https://www.mixcloud.com
	OEmbedURL  string       // the oEmbed endpoint; "" for oembed/ below SiteURL
	Token      string       // access token for what only a viewer can ask; "" leaves those questions out
	Rate       float64      // requests a second; 0 or less for no pacing, which is for tests
	HTTPClient *http.Client // whose transport sends the requests; nil for a plain one. Redirects are never followed
	Out        io.Writer    // gets the table, a line whenever a probe is done; nil for none
	Report     io.Writer    // gets the report as JSON at the end; nil for none
	Log        *slog.Logger // told about waits and failures, never about tokens; nil for none
}

// Run asks every probe's question once, in a fixed order, and returns what it
// found. A rule that does not hold is no error: see [Report.Differs].
//
// A request that the rate limit refuses is sent once more after the wait that
// the refusal names.
//
// An error means that the questions could not be asked: a base URL that is none,
// an API that does not answer HTTP, an ended context, a writer that fails. The
// report then holds what was done before, and so do Out and Config.Report. The
// access token is in neither the report, the table, the log nor an error.
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
		result, err := s.ask(ctx, p)
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
		if err := table.sum(s.report); err != nil {
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

// ask lets one probe judge. The only errors are those that end the run.
func (s *session) ask(ctx context.Context, p probe) (Result, error) {
	s.used = nil
	verdict, seen := Agrees, ""
	if err := p.judge(ctx, s); err != nil {
		if s.fatal != nil {
			return Result{}, s.fatal
		}
		verdict, seen = CouldNotTell, err.Error()
		if _, ok := errors.AsType[*difference](err); ok {
			verdict = Differs
		}
	}
	return Result{
		Name: p.name, Rule: p.rule, Section: docPath + "#" + p.section, Confidence: p.sure,
		Verdict: verdict, Seen: shorten(s.redact(seen)), Asked: s.used,
	}, nil
}

func newSession(cfg Config) (*session, error) {
	if cfg.OEmbedURL == "" {
		cfg.OEmbedURL = strings.TrimSuffix(cfg.SiteURL, "/") + "/oembed/"
	}
	s := &session{
		token: cfg.Token, secrets: spellings(cfg.Token), out: cfg.Out, reportTo: cfg.Report, log: cfg.Log,
		answers: make(map[request]reply),
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
