package mixcloud

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// callBody is the response of the calls of BenchmarkCall. It is small, so that decoding
// costs little.
const callBody = `{"key":"/spartacus/","username":"spartacus","name":"Spartacus"}`

// fixedResponse is a transport that returns callBody without a connection.
type fixedResponse struct{}

func (fixedResponse) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		Status: "200 OK", StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(callBody)),
		Body: io.NopCloser(bytes.NewReader([]byte(callBody))),
	}, nil
}

// BenchmarkCall measures the cost that a Client adds to net/http. For comparison, "bare"
// makes the same call without a Client: it reads the body and decodes nothing.
func BenchmarkCall(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, callBody)
	}))
	defer server.Close()
	for _, way := range []struct {
		name      string
		transport http.RoundTripper
	}{{"stub", fixedResponse{}}, {"loopback", defaultTransport()}} {
		client, err := New(WithAPIURL(server.URL), WithHTTPClient(&http.Client{Transport: way.transport, Timeout: defaultTimeout}))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(way.name+"/bare", func(b *testing.B) {
			h := &http.Client{Transport: way.transport}
			b.ReportAllocs()
			for b.Loop() {
				req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, server.URL+"/spartacus/", nil)
				if err != nil {
					b.Fatal(err)
				}
				resp, err := h.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					b.Fatal(err)
				}
				_ = resp.Body.Close()
			}
		})
		for name, c := range map[string]*Client{"anonymous": client, "token": client.As("t")} {
			b.Run(way.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.User(b.Context(), "/spartacus/"); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
