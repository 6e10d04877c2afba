package app

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/show"
)

// certFiles are the files of a certificate and its key.
type certFiles struct {
	cert, key string
	pool      *x509.CertPool // contains all certificates that write has made
	serial    int64
}

// write makes a new certificate for the loopback address and overwrites the files.
func (c *certFiles) write(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(c.serial), Subject: pkix.Name{CommonName: "graph.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	c.pool.AddCert(parsed)
	for file, block := range map[string]*pem.Block{c.cert: {Type: "CERTIFICATE", Bytes: der}, c.key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func newCertFiles(t *testing.T) *certFiles {
	t.Helper()
	dir := t.TempDir()
	c := &certFiles{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), pool: x509.NewCertPool()}
	c.write(t)
	return c
}

// newProtocolClient returns a client for one protocol: "HTTP/1.1", "HTTP/2" over TLS, or "h2c" (HTTP/2 without TLS).
func newProtocolClient(t *testing.T, protocol string, pool *x509.CertPool) *http.Client {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{RootCAs: pool}} //nolint:gosec // a test
	switch protocol {
	case "HTTP/1.1":
		transport.Protocols.SetHTTP1(true)
	case "HTTP/2":
		transport.Protocols.SetHTTP2(true)
	case "h2c":
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

// protocolModes are the combinations of HTTP version and TLS.
var protocolModes = []struct {
	name, scheme, protocol string
	major                  int
}{
	{"plain HTTP/1.1", "http", "HTTP/1.1", 1},
	{"plain HTTP/2", "http", "h2c", 2},
	{"TLS HTTP/1.1", "https", "HTTP/1.1", 1},
	{"TLS HTTP/2", "https", "HTTP/2", 2},
}

// Queries, streams of events and uploads work over HTTP/1.1 and HTTP/2, with TLS and without.
func TestServe_Protocols(t *testing.T) {
	t.Parallel()
	for _, mode := range protocolModes {
		t.Run(mode.name, func(t *testing.T) {
			t.Parallel()
			cfg := config.Serve{DrainTimeout: 10 * time.Second}
			files := newCertFiles(t)
			if mode.scheme == "https" {
				cfg.TLSCert, cfg.TLSKey = files.cert, files.key
			}
			s := newTestServer(t, serverOptions{writable: true, config: cfg})
			base := listenAndServe(t, s.app, mode.scheme)
			c := newProtocolClient(t, mode.protocol, files.pool)

			var group sync.WaitGroup
			for range 20 {
				group.Go(func() {
					status, major, body := postTo(t, c, base+"/graphql", "application/json", "", strings.NewReader(`{"query":"{user(username:\"demo\"){username}}"}`))
					if status != http.StatusOK || major != mode.major || !strings.Contains(body, `"username":"demo"`) {
						t.Errorf("status = %d over HTTP/%d, want 200 over HTTP/%d and the username demo: %s", status, major, mode.major, body)
					}
				})
			}
			group.Wait()

			upload := multipartRequest(t, `mutation ($mp3: Upload!) { uploadCloudcast(input: {mp3: $mp3, name: "Night Bus"}) { cloudcast { name } userErrors { message } } }`,
				map[string]any{"mp3": nil}, uploadFile{Path: "variables.mp3", Name: "a.mp3", Head: "ID3", Size: 3 << 20})
			for _, chunked := range []bool{false, true} {
				whole, err := io.ReadAll(upload.Body)
				if err != nil {
					t.Fatal(err)
				}
				upload.Body = io.NopCloser(bytes.NewReader(whole))
				var body io.Reader = bytes.NewReader(whole)
				if chunked {
					body = io.MultiReader(body) // net/http does not know the length of this reader
				}
				status, _, response := postTo(t, c, base+"/graphql", upload.Header.Get("Content-Type"), "demo-token", body)
				if status != http.StatusOK || !strings.Contains(response, `"name":"Night Bus"`) {
					t.Fatalf("upload, chunked %t: status = %d, want 200 and the name Night Bus: %s", chunked, status, response)
				}
			}
			want := sha256.Sum256(uploadFile{Head: "ID3", Size: 3 << 20}.content())
			uploads := s.emulator.Uploads()
			if len(uploads) == 0 || uploads[0].SHA256 != hex.EncodeToString(want[:]) {
				t.Errorf("uploads = %+v, want one with the file's hash", show.Value(uploads))
			}

			// A form that is refused before its end leaves the connection usable for other requests.
			refused := "--b\r\nContent-Disposition: form-data; name=\"nothing\"\r\n\r\n" + strings.Repeat("x", 4<<20)
			if status, _, response := postTo(t, c, base+"/graphql", "multipart/form-data; boundary=b", "demo-token", io.MultiReader(strings.NewReader(refused))); status != http.StatusBadRequest {
				t.Errorf("malformed form: status = %d, want 400: %s", status, response)
			}
			if status, _, _ := postTo(t, c, base+"/graphql", "application/json", "", strings.NewReader(`{"query":"{__typename}"}`)); status != http.StatusOK {
				t.Errorf("request after a malformed form: status = %d, want 200", status)
			}
		})
	}
}

// postTo sends a POST request and returns the response.
func postTo(t *testing.T, c *http.Client, url, contentType, token string, body io.Reader) (status, major int, response string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	if err != nil {
		t.Error(err)
		return 0, 0, ""
	}
	r.Header.Set("Content-Type", contentType)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.Do(r)
	if err != nil {
		t.Error(err)
		return 0, 0, ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return resp.StatusCode, resp.ProtoMajor, string(text)
}

// If the server responds before it has read the whole form, the HTTP/2 connection stays usable.
func TestServe_HTTP2_KeepsTheConnection(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, serverOptions{config: config.Serve{DrainTimeout: 10 * time.Second}})
	base := listenAndServe(t, s.app, "http")
	c := newProtocolClient(t, "h2c", nil)
	var connections int
	var mu sync.Mutex
	dialer := new(net.Dialer)
	c.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		mu.Lock()
		connections++
		mu.Unlock()
		return dialer.DialContext(ctx, network, addr)
	}
	for range 5 {
		refused := "--b\r\nContent-Disposition: form-data; name=\"nothing\"\r\n\r\n" + strings.Repeat("x", 1<<20)
		if status, _, response := postTo(t, c, base+"/graphql", "multipart/form-data; boundary=b", "demo-token", strings.NewReader(refused)); status != http.StatusBadRequest {
			t.Fatalf("status = %d, want 400: %s", status, response)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if connections != 1 {
		t.Errorf("%d connections for 5 requests, want 1", connections)
	}
}

// After a reload, new connections get the new certificate. A reload of an invalid one returns an error and changes nothing.
func TestApp_Reload(t *testing.T) {
	t.Parallel()
	files := newCertFiles(t)
	s := newTestServer(t, serverOptions{config: config.Serve{TLSCert: files.cert, TLSKey: files.key, DrainTimeout: 10 * time.Second}})
	base := listenAndServe(t, s.app, "https")
	serial := func() int64 {
		t.Helper()
		c := newProtocolClient(t, "HTTP/1.1", files.pool)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/livez", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.TLS.PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Fatalf("serial number = %d, want 1", got)
	}
	files.write(t)
	if got := serial(); got != 1 {
		t.Fatalf("serial number before the reload = %d, want 1", got)
	}
	if err := s.app.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got != 2 {
		t.Fatalf("serial number after the reload = %d, want 2", got)
	}
	if err := os.WriteFile(files.cert, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.app.Reload(); err == nil {
		t.Error("Reload with an invalid certificate returned no error")
	}
	if got := serial(); got != 2 {
		t.Errorf("serial number after an invalid certificate = %d, want 2", got)
	}
	if err := newTestServer(t, serverOptions{}).app.Reload(); err != nil {
		t.Errorf("Reload without TLS = %v, want nil", err)
	}
}

// The server drains although a client has not finished its TLS handshake.
func TestServe_TLS_UnfinishedHandshake(t *testing.T) {
	t.Parallel()
	files := newCertFiles(t)
	s := newTestServer(t, serverOptions{config: config.Serve{TLSCert: files.cert, TLSKey: files.key, DrainTimeout: 20 * time.Second}})
	base := listenAndServe(t, s.app, "https")
	silent, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if status, _, _ := postTo(t, newProtocolClient(t, "HTTP/2", files.pool), base+"/graphql", "application/json", "", strings.NewReader(`{"query":"{__typename}"}`)); status != http.StatusOK {
		t.Errorf("status = %d, want 200", status)
	}
}
