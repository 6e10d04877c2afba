package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"mixcloud-graphql/bench/process"
)

// A server is a running server.
type server struct {
	name    string
	queries string // folder of its queries
	process *process.Process
	client  *http.Client
	idle    int64 // resident memory after the start
}

// A bench measures all servers.
type bench struct {
	settings
	queries  []query
	progress io.Writer
	mixcloud *mixcloud
	servers  []*server
	pinned   bool
	next     int64 // number of the next new variables
}

// start starts all servers. If the machine has two processors the servers get the second one, and
// this process, with the load generator and the simulated Mixcloud, gets the first one.
func (b *bench) start(ctx context.Context, node nodeProgram) (err error) {
	if b.mixcloud, err = startMixcloud(ctx); err != nil {
		return err
	}
	if runtime.NumCPU() > 1 {
		if b.pinned, err = process.Pin(os.Getpid(), 0); err != nil {
			return err
		}
	}
	api := b.mixcloud.url
	err = b.add("this server", ourQueries, func() (*process.Process, error) {
		return process.StartSelf(ctx, process.Options{}, "serve", "--addr=127.0.0.1:0", "--upstream-rate=0",
			"--api-url="+api, "--site-url="+api+"/www", "--oembed-url="+api+"/www/oembed/")
	})
	if err != nil {
		return err
	}
	for _, s := range []struct{ name, program string }{
		{"Apollo Server, DataLoader", "apollo.mjs"},
		{"Yoga, DataLoader, response cache", "yoga.mjs"},
	} {
		err := b.add(s.name, nodeQueries, func() (*process.Process, error) {
			env := []string{"NODE_ENV=production", "MIXCLOUD_API_URL=" + api}
			return process.StartCommand(ctx, process.Options{Env: env}, node.path, filepath.Join(node.folder, s.program))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// add starts a server, and measures its memory.
func (b *bench) add(name, queries string, start func() (*process.Process, error)) error {
	p, err := start()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	s := &server{name: name, queries: queries, process: p, client: &http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{MaxIdleConnsPerHost: b.connections, DisableCompression: true},
	}}
	b.servers = append(b.servers, s)
	if b.pinned {
		if _, err := process.Pin(p.Pid(), 1); err != nil {
			return err
		}
	}
	time.Sleep(300 * time.Millisecond) // so that work after the start has ended
	s.idle, err = p.Memory("VmRSS")
	return err
}

// stop stops all servers.
func (b *bench) stop() {
	for _, s := range b.servers {
		s.process.Stop()
	}
	if b.mixcloud != nil {
		b.mixcloud.close()
	}
}

// errorsFirst is the beginning of a response with errors, from all servers.
const errorsFirst = `{"errors":`

// send sends the body of a request, and returns the body of the response.
func (s *server) send(ctx context.Context, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.process.Address()+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	response, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || bytes.HasPrefix(response, []byte(errorsFirst))) {
		err = fmt.Errorf("status %d: %.300s", resp.StatusCode, response)
	}
	return response, err
}
