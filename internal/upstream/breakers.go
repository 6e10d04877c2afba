package upstream

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"mixcloud-graphql/internal/breaker"
	"mixcloud-graphql/internal/telemetry"
)

// breakers stop calls that would probably fail. Each route has a circuit breaker, which records
// the outcome of every call and its address. Each failed read has its own backoff. A local fault,
// such as a lack of file descriptors, is logged and does not count as a failure of Mixcloud.
type breakers struct {
	routes  [routes]*breaker.Breaker
	reads   *breaker.Backoff[key] // backoff of failed reads
	log     *slog.Logger
	sampler telemetry.Sampler
}

func newBreakers(log *slog.Logger) *breakers {
	b := &breakers{reads: breaker.NewBackoff[key](maxFailing), log: log}
	for r := range b.routes {
		config := breaker.Config{Name: route(r).String(), Log: log}
		if route(r) == routeFixed {
			config.Fixed = fixedAddresses
		}
		b.routes[r] = breaker.New(config)
	}
	return b
}

// maxFailing is the maximum number of failed reads with a backoff. It is needed because clients
// choose the ids.
const maxFailing = 10_000

// A callTarget is the address of a call, with the breaker of its route.
type callTarget struct {
	breaker *breaker.Breaker
	address string
}

// ofRead returns the breaker of the read of a key. path is the location of a redirect, or "".
func (b *breakers) ofRead(k key, path string) callTarget {
	route, address := k.class.route(), addressOf(k.id)
	switch {
	case route == routeChart && isFixed(address):
		route = routeFixed
	case route == routeViewer: // one path, but its response depends on the token
		address += k.principal.String()
	}
	if path != "" {
		address = path
	}
	return callTarget{b.routes[route], address}
}

// ofWrite returns the breaker of a write to an address.
func (b *breakers) ofWrite(address string) callTarget {
	return callTarget{b.routes[routeWrite], address}
}

// check returns an error if the breaker would refuse a call now. Unlike allow, it does not admit
// the call.
func (g callTarget) check() error { return refusalOf(g.breaker.Check(g.address)) }

// allow admits a call that is made now. The caller must call Done on the result.
func (g callTarget) allow() (*breaker.Call, error) {
	c, err := g.breaker.Allow(g.address)
	return c, refusalOf(err)
}

// fixedAddresses are the charts that exist once. Clients can name any number of other lists and
// resources.
var fixedAddresses = []string{"/popular/", "/popular/hot/", "/new/", "/categories/"}

func isFixed(address string) bool { return slices.Contains(fixedAddresses, address) }

// addressOf returns the part of an id that identifies the resource or list: its path, and the query
// parameters of a search or an embed. All pages of a list have the same address.
func addressOf(id string) string {
	path, query, _ := strings.Cut(id, "?")
	values, _ := url.ParseQuery(query)
	identifying := url.Values{}
	for _, name := range []string{"q", "type", "url"} {
		if values.Has(name) {
			identifying[name] = values[name]
		}
	}
	if len(identifying) == 0 {
		return path
	}
	return path + "?" + identifying.Encode()
}

// closed reports whether neither a circuit breaker nor the backoff of a failed read may refuse
// the read of a key.
func (b *breakers) closed(k key) bool {
	err, _ := b.reads.Blocked(k)
	return err == nil && b.ofRead(k, "").breaker.Closed()
}

// blocked returns the error of the last read of a key while its backoff lasts. Each page of a
// list has its own backoff, because a failing page does not imply that the others fail.
func (b *breakers) blocked(k key) error {
	err, wait := b.reads.Blocked(k)
	if err == nil {
		return nil
	}
	return withWait(err, wait)
}

// observe reports the outcome of a call to its breaker, and logs a local fault.
func (b *breakers) observe(ctx context.Context, c *breaker.Call, err error) {
	c.Done(outcomeOf(err), err)
	if fault := localFault(err); fault != "" {
		b.sampler.Log(ctx, b.log, slog.LevelError, "local fault", "local fault: cannot call Mixcloud", "fault", fault, "err", err)
	}
}
