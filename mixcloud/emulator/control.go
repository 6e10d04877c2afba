package emulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// maxControlBody limits the bodies that the control API reads.
const maxControlBody = 1 << 20

// serveControl serves the control API. It rejects requests from other machines,
// through a proxy, or from pages of other sites in a local browser.
func (e *Emulator) serveControl(w http.ResponseWriter, r *http.Request) {
	if err := checkLocal(r); err != nil {
		writeControl(w, http.StatusForbidden, map[string]string{"error": err.Error()})
		return
	}
	status, result := http.StatusOK, any(map[string]bool{"ok": true})
	var err error
	switch r.Method + " " + strings.Trim(strings.TrimPrefix(r.URL.Path, "/__emulator/"), "/") {
	case "GET requests":
		result = e.Requests()
	case "DELETE requests":
		e.ClearRequests()
	case "GET faults":
		result = e.pendingFaults()
	case "POST faults":
		err = e.postFault(r.Body)
	case "DELETE faults":
		e.ClearFaults()
	case "GET settings":
		result = toJSON(e.Settings())
	case "POST settings":
		err = e.postSettings(r.Body)
		result = toJSON(e.Settings())
	case "POST reset":
		e.Reset()
	case "GET uploads":
		result = e.Uploads()
		if r.URL.Query().Get("active") == "1" {
			result = e.ActiveUploads()
		}
	case "GET users":
		result = e.Users()
	case "GET edits":
		result = e.Edits()
	case "POST revoke":
		err = e.postRevoke(r.Body)
	default:
		status, result = http.StatusNotFound, map[string]string{"error": "unknown method and path of the control API"}
	}
	if err != nil {
		status, result = http.StatusBadRequest, map[string]string{"error": err.Error()}
	}
	writeControl(w, status, result)
}

func writeControl(w http.ResponseWriter, status int, result any) {
	body, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		status, body = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// checkLocal returns an error if a request is not from a program on this machine.
func checkLocal(r *http.Request) error {
	if !isLoopback(r.RemoteAddr) {
		return fmt.Errorf("the control API accepts requests from this machine only")
	}
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip"} {
		if r.Header.Get(h) != "" {
			return fmt.Errorf("the control API does not accept requests through a proxy")
		}
	}
	if r.Context().Value(inProcess{}) == nil && !isLoopback(r.Host) { // DNS rebinding
		return fmt.Errorf("the control API must be called at a loopback address")
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return fmt.Errorf("the control API does not accept requests from pages of other sites")
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host && origin != "https://"+r.Host {
		return fmt.Errorf("the control API does not accept requests from pages of other sites")
	}
	return nil
}

// isLoopback reports whether an address, or a Host with or without a port, is a
// loopback address.
func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

// settingsJSON is the control API's form of Settings. Durations are in Go's format.
// Absent members do not change the setting.
type settingsJSON struct {
	Latency    *string `json:"latency,omitempty"`
	Lag        *string `json:"lag,omitempty"`
	Limit      *int    `json:"limit,omitempty"`
	PageCap    *int    `json:"pageCap,omitempty"`
	SinceOrder *string `json:"sinceOrder,omitempty"`
	ReadRate   *int64  `json:"readRate,omitempty"`
	Marks      *bool   `json:"marks,omitempty"`
}

func toJSON(s Settings) settingsJSON {
	latency, lag, cap := s.Latency.String(), s.Lag.String(), s.pageCap()
	return settingsJSON{&latency, &lag, &s.Limit, &cap, &s.SinceOrder, &s.ReadRate, &s.Marks}
}

func (e *Emulator) postSettings(body io.Reader) error {
	var in settingsJSON
	if err := decodeControl(body, &in); err != nil {
		return err
	}
	s := e.Settings()
	for _, d := range []struct {
		in  *string
		out *time.Duration
	}{{in.Latency, &s.Latency}, {in.Lag, &s.Lag}} {
		if d.in == nil {
			continue
		}
		var err error
		if *d.out, err = time.ParseDuration(*d.in); err != nil {
			return err
		}
	}
	if in.Limit != nil {
		s.Limit = *in.Limit
	}
	if in.PageCap != nil {
		s.PageCap = *in.PageCap
	}
	if in.SinceOrder != nil {
		s.SinceOrder = *in.SinceOrder
	}
	if in.ReadRate != nil {
		s.ReadRate = *in.ReadRate
	}
	if in.Marks != nil {
		s.Marks = *in.Marks
	}
	return e.Set(s)
}

// faultJSON is the control API's form of Fault.
type faultJSON struct {
	Match      string    `json:"match"`
	Times      int       `json:"times"`
	Fault      FaultKind `json:"fault"`
	RetryAfter seconds   `json:"retryAfter"`
	Delay      string    `json:"delay"`
	After      int64     `json:"after,omitempty"`
}

// seconds is encoded as a number. It is decoded from a number or from a duration in
// Go's format.
type seconds int

// UnmarshalJSON implements [json.Unmarshaler].
func (s *seconds) UnmarshalJSON(text []byte) error {
	var duration string
	if json.Unmarshal(text, &duration) != nil {
		return json.Unmarshal(text, (*int)(s))
	}
	d, err := time.ParseDuration(duration)
	*s = seconds(d / time.Second)
	return err
}

func (e *Emulator) postFault(body io.Reader) error {
	in := faultJSON{Delay: "0s"}
	if err := decodeControl(body, &in); err != nil {
		return err
	}
	delay, err := time.ParseDuration(in.Delay)
	if err != nil {
		return err
	}
	return e.Fail(Fault{in.Match, in.Times, in.Fault, time.Duration(in.RetryAfter) * time.Second, delay, in.After})
}

// pendingFaults returns the active faults with their remaining times.
func (e *Emulator) pendingFaults() []faultJSON {
	l := &e.faults
	l.mu.Lock()
	defer l.mu.Unlock()
	list := []faultJSON{}
	for i, f := range l.list {
		if l.left[i] != 0 {
			list = append(list, faultJSON{f.Match, max(0, l.left[i]), f.Kind, seconds(f.RetryAfter / time.Second), f.Delay.String(), f.After})
		}
	}
	return list
}

func (e *Emulator) postRevoke(body io.Reader) error {
	var in struct {
		Token string `json:"token"`
	}
	if err := decodeControl(body, &in); err != nil {
		return err
	}
	if !e.Revoke(in.Token) {
		return fmt.Errorf("the token is unknown or was already revoked")
	}
	return nil
}

// decodeControl decodes a JSON object. An unknown member is an error.
func decodeControl(body io.Reader, into any) error {
	d := json.NewDecoder(io.LimitReader(body, maxControlBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("the body is not valid JSON for this path: %w", err)
	}
	return nil
}
