package app

import (
	"crypto/tls"
	"fmt"
	"sync/atomic"
)

// A certificate is the server's TLS certificate. Its two files can be reloaded while the server runs. It is safe for
// concurrent use.
type certificate struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
}

// newCertificate reads a certificate. It returns nil without file names: the server then uses plain HTTP.
func newCertificate(certFile, keyFile string) (*certificate, error) {
	if certFile == "" {
		return nil, nil //nolint:nilnil // no certificate is a valid setting
	}
	c := &certificate{certFile: certFile, keyFile: keyFile}
	return c, c.Reload()
}

// Reload reads the files again. New connections use the new certificate. After an error they use the old one.
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
