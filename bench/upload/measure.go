package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// A report contains all measurements.
type report struct {
	plan            plan
	uploads         []row
	concurrent      row
	firstByte       int64         // sent by the client when Mixcloud had received the first part of the file
	inFlight        int64         // maximum, with a slow Mixcloud
	afterDisconnect time.Duration // until the connection to Mixcloud was closed after the client had disconnected
}

// A row contains the measurements of one kind of upload.
type row struct {
	bytes            int64
	chunked          bool
	direct, through  time.Duration // medians
	memory, tmpBytes int64         // of the server, maximum
	cpu              time.Duration // processor time of the server per GiB
}

// A bench runs the emulator of all measurements, and starts servers.
type bench struct {
	emulator *target
	log      io.Writer
	count    int
}

func measure(ctx context.Context, plan plan, log io.Writer) (report, error) {
	r := report{plan: plan}
	emulator, err := start(ctx, "emulator")
	if err != nil {
		return r, err
	}
	defer emulator.Stop()
	b := &bench{emulator: emulator, log: log}
	for _, bytes := range plan.sizes {
		for _, chunked := range []bool{false, true} {
			one, err := b.compare(ctx, row{bytes: bytes, chunked: chunked}, plan.rounds, 1)
			if err != nil {
				return r, err
			}
			r.uploads = append(r.uploads, one)
		}
	}
	if r.concurrent, err = b.compare(ctx, row{bytes: plan.concurrentSize[0]}, plan.rounds, plan.concurrent); err != nil {
		return r, err
	}
	server, err := b.startServer(ctx)
	if err != nil {
		return r, err
	}
	defer server.Stop()
	if r.firstByte, err = b.measureFirstByte(ctx, server); err != nil {
		return r, err
	}
	r.inFlight, r.afterDisconnect, err = b.measureInFlight(ctx, server, time.Duration(plan.seconds)*time.Second)
	return r, err
}

// startServer starts a server and makes one small upload, so that memory that is allocated once does
// not count as growth.
func (b *bench) startServer(ctx context.Context) (*target, error) {
	server, err := start(ctx, "serve", "--api-url="+b.emulator.Address(), "--site-url="+b.emulator.Address()+"/www")
	if err != nil {
		return nil, err
	}
	if _, err := b.uploadConcurrently(ctx, toServer, server.Address(), 1<<20, false, 1); err != nil {
		server.Stop()
		return nil, err
	}
	return server, nil
}

// compare makes uploads through a new server and directly to Mixcloud, in turns.
func (b *bench) compare(ctx context.Context, r row, rounds, concurrent int) (row, error) {
	fmt.Fprintf(b.log, "upload: %d of %s, chunked: %v\n", concurrent, size(r.bytes), r.chunked)
	server, err := b.startServer(ctx)
	if err != nil {
		return r, err
	}
	defer server.Stop()
	watch, err := server.startWatch()
	if err != nil {
		return r, err
	}
	var direct, through []time.Duration
	for i := range rounds {
		turns := []func() error{
			func() error {
				took, err := b.uploadConcurrently(ctx, toMixcloud, b.emulator.Address(), r.bytes, r.chunked, concurrent)
				direct = append(direct, took)
				return err
			},
			func() error {
				took, err := b.uploadConcurrently(ctx, toServer, server.Address(), r.bytes, r.chunked, concurrent)
				through = append(through, took)
				return err
			},
		}
		for j := range turns { // each runs first equally often
			if err := turns[(i+j)%len(turns)](); err != nil {
				return r, err
			}
		}
	}
	r.direct, r.through = median(direct), median(through)
	r.memory, r.tmpBytes, r.cpu, err = watch.end()
	r.cpu = time.Duration(float64(r.cpu) / float64(r.bytes) / float64(rounds*concurrent) * (1 << 30))
	return r, err
}

// uploadConcurrently makes concurrent uploads, and verifies them.
func (b *bench) uploadConcurrently(ctx context.Context, to func(base, name string) (form, error), base string, bytes int64, chunked bool, concurrent int) (time.Duration, error) {
	began := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for range concurrent {
		b.count++
		f, err := to(base, fmt.Sprintf("Bench %d", b.count))
		if err != nil {
			return 0, err
		}
		g.Go(func() error {
			_, err := f.send(ctx, bytes, chunked)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	took := time.Since(began)
	return took, b.verify(bytes, concurrent)
}

// verify checks that the emulator has received the latest uploads completely.
func (b *bench) verify(bytes int64, concurrent int) error {
	var all []struct {
		Bytes  int64
		SHA256 string
	}
	if err := b.control(http.MethodGet, "uploads", "", &all); err != nil {
		return err
	}
	if len(all) < concurrent {
		return fmt.Errorf("the emulator received %d uploads, want at least %d", len(all), concurrent)
	}
	for _, u := range all[len(all)-concurrent:] {
		if u.Bytes != bytes || u.SHA256 != digest(bytes) {
			return fmt.Errorf("the emulator received %d bytes with the SHA-256 %s, want %d with %s", u.Bytes, u.SHA256, bytes, digest(bytes))
		}
	}
	return nil
}

// measureFirstByte sends small parts of a file until Mixcloud has received the first one.
func (b *bench) measureFirstByte(ctx context.Context, server *target) (int64, error) {
	f, err := toServer(server.Address(), "First byte")
	if err != nil {
		return 0, err
	}
	s, err := f.open(ctx, 64<<20, false)
	if err != nil {
		return 0, err
	}
	defer s.conn.Close()
	const fields = 4 << 10 // the other parts of Mixcloud's form are smaller
	for range 64 {
		if err := s.push(16 << 10); err != nil {
			return 0, err
		}
		for range 50 {
			received, err := b.received()
			if err != nil {
				return 0, err
			}
			if received > fields {
				return s.sent.Load(), nil
			}
			if err := pause(ctx, time.Millisecond); err != nil {
				return 0, err
			}
		}
	}
	return s.sent.Load(), nil
}

// measureInFlight sends as much as possible to an emulator that reads a mebibyte per second. The
// bytes in flight are those that were sent and not yet read: they are in the buffers of the server
// and of the kernel.
func (b *bench) measureInFlight(ctx context.Context, server *target, d time.Duration) (inFlight int64, afterDisconnect time.Duration, err error) {
	if err := b.waitUntilReceived(ctx, 0); err != nil {
		return 0, 0, err
	}
	if err := b.control(http.MethodPost, "settings", `{"readRate":1048576}`, nil); err != nil {
		return 0, 0, err
	}
	f, err := toServer(server.Address(), "Slow")
	if err != nil {
		return 0, 0, err
	}
	s, err := f.open(ctx, 1<<30, false)
	if err != nil {
		return 0, 0, err
	}
	pushed := make(chan struct{})
	go func() {
		defer close(pushed)
		_ = s.push(1 << 30) // until the connection is closed
	}()
	for end := time.Now().Add(d); time.Now().Before(end); {
		received, err := b.received()
		if err != nil {
			return 0, 0, err
		}
		inFlight = max(inFlight, s.sent.Load()-received)
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return 0, 0, err
		}
	}
	if err := b.control(http.MethodPost, "settings", `{"readRate":0}`, nil); err != nil {
		return 0, 0, err
	}
	_ = s.conn.Close()
	<-pushed
	began := time.Now()
	err = b.waitUntilReceived(ctx, 0)
	return inFlight, time.Since(began), err
}

// waitUntilReceived waits until the emulator has read a number of bytes of the uploads in flight.
func (b *bench) waitUntilReceived(ctx context.Context, want int64) error {
	for range 2000 {
		received, err := b.received()
		if err != nil || received == want {
			return err
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("an upload did not end")
}

// received returns the number of bytes that the emulator has read of the uploads in flight.
func (b *bench) received() (total int64, err error) {
	var active []struct{ Received int64 }
	err = b.control(http.MethodGet, "uploads?active=1", "", &active)
	for _, a := range active {
		total += a.Received
	}
	return total, err
}

func (b *bench) control(method, path, body string, into any) error {
	req, err := http.NewRequest(method, b.emulator.Address()+"/__emulator/"+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("emulator: %s %s: status %s", method, path, resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
