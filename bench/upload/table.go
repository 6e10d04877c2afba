package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"sync"
	"time"
)

// print writes the report as Markdown.
func (r report) print(w io.Writer) error {
	p := &printer{w: w}
	p.line("| upload | direct | through the server | ratio | processor time for 1 GiB | memory growth | temporary bytes |")
	p.line("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, u := range r.uploads {
		kind := "with Content-Length"
		if u.chunked {
			kind = "chunked"
		}
		p.row(size(u.bytes)+" "+kind, u, 1)
	}
	p.row(fmt.Sprintf("%d × %s concurrently", r.plan.concurrent, size(r.concurrent.bytes)), r.concurrent, r.plan.concurrent)
	p.line("")
	p.line("| other figures | |")
	p.line("| --- | ---: |")
	p.line("| sent by the client when Mixcloud had received the first part of the file | %s |", size(r.firstByte))
	p.line("| maximum in flight, with Mixcloud reading 1 MiB/s | %.1f MiB |", float64(r.inFlight)/(1<<20))
	p.line("| until the connection to Mixcloud was closed after the client had disconnected | %v |", r.afterDisconnect.Round(time.Millisecond))
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) row(name string, r row, concurrent int) {
	rate := func(d time.Duration) float64 { return float64(r.bytes) * float64(concurrent) / (1 << 20) / d.Seconds() }
	p.line("| %s | %.0f MiB/s | %.0f MiB/s | %.2f | %.2f s | %.1f MiB | %d |", name, rate(r.direct), rate(r.through),
		r.direct.Seconds()/r.through.Seconds(), r.cpu.Seconds(), float64(r.memory)/(1<<20), r.tmpBytes)
}

var digests sync.Map

// digest returns the SHA-256 of a file with a number of bytes.
func digest(bytes int64) string {
	if known, ok := digests.Load(bytes); ok {
		return known.(string)
	}
	h := sha256.New()
	for left := bytes; left > 0; left -= int64(len(content)) {
		h.Write(content[:min(left, int64(len(content)))])
	}
	sum := hex.EncodeToString(h.Sum(nil))
	digests.Store(bytes, sum)
	return sum
}
