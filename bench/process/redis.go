package process

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"time"
)

// Redis starts redis-server at an address, or at a free port if the address is "". It stores no
// files.
func Redis(ctx context.Context, address string) (*Process, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, err
	}
	if address == "" {
		if address, err = freePort(ctx); err != nil {
			return nil, err
		}
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	p := newProcess(ctx, Options{}, program, "--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", os.TempDir())
	p.address = address
	if err := p.run(); err != nil {
		return nil, err
	}
	for range int(startTimeout / (20 * time.Millisecond)) {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return p, conn.Close()
		}
		time.Sleep(20 * time.Millisecond)
		if ctx.Err() != nil {
			break
		}
	}
	p.Stop()
	return nil, errors.New("redis-server did not become ready")
}

func freePort(ctx context.Context) (string, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}
