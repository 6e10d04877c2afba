package app

import (
	"crypto/tls"
	"fmt"
	"sync/atomic"
)

// A certificate is the TLS certificate of the server, from a pair of files that can be read again while the server runs. It is
// safe for concurrent use.
type certificate struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
}

// newCertificate reads a certificate. It returns nil if no files are named: the server then speaks plain HTTP.
func newCertificate(certFile, keyFile string) (*certificate, error) {
	if certFile == "" {
		return nil, nil //nolint:nilnil // no certificate is a valid setting
	}
	c := &certificate{certFile: certFile, keyFile: keyFile}
	return c, c.Reload()
}

// Reload reads the files again. New connections get the new certificate; after an error they get the old one.
func (c *certificate) Reload() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("cannot load the TLS certificate: %w", err)
	}
	c.current.Store(&pair)
	return nil
}

// config returns the TLS settings of a server.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}
