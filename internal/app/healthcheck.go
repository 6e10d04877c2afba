package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"

	"mixcloud-graphql/internal/config"
)

// livePath is the path of the liveness probe.
const livePath = "/livez"

// runHealthcheck sends GET /livez to a server, and returns an error unless the status is 200.
func runHealthcheck(ctx context.Context, cfg config.Healthcheck, stdout io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	scheme := "http"
	if cfg.TLSCert != "" {
		scheme = "https"
	}
	// Go connects to this machine if the host is missing or unspecified, as in ":8080" and "0.0.0.0:8080".
	url := scheme + "://" + cfg.Addr + livePath
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("health check: %w", err)
	}
	// Without a proxy. The certificate names the public host and not this address, and the request contains nothing secret.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // see above
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return fmt.Errorf("health check: no response from %s: %w", url, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("health check: %s returned status %d, want 200", url, resp.StatusCode)
	}
	_, err = fmt.Fprintln(stdout, "ok")
	return err
}
