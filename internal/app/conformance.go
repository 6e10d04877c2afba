package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/conformance"
	"mixcloud-graphql/internal/telemetry"
)

// ErrDifference is returned by [Run] if the conformance command found that Mixcloud's behavior
// differs from this project's expectations.
var ErrDifference = errors.New("Mixcloud's behavior differs from this project's expectations. The table above lists the differences")

func runConformance(ctx context.Context, cfg config.Conformance, stdout, stderr io.Writer) (err error) {
	log, err := telemetry.NewLogger(stderr, cfg.Log.Format, cfg.Log.Level)
	if err != nil {
		return err
	}
	var file io.Writer // not *os.File: without a report the interface itself must be nil
	if cfg.Report != "" {
		f, openErr := os.Create(cfg.Report)
		if openErr != nil {
			return fmt.Errorf("cannot write the report: %w", openErr)
		}
		file = f
		defer func() { err = errors.Join(err, f.Close()) }()
	}
	report, err := conformance.Run(ctx, conformance.Config{
		APIURL:    cfg.APIURL,
		SiteURL:   cfg.SiteURL,
		OEmbedURL: cfg.OEmbedURL,
		Token:     cfg.Token.Reveal(),
		Rate:      cfg.Rate,
		Out:       stdout,
		Report:    file,
		Log:       log,
	})
	if err != nil {
		return err
	}
	if report.Differs() {
		return ErrDifference
	}
	return nil
}
