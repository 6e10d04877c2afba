package graphhttp

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

type addressKey struct{}

// Address returns the network address of a request's client: an IPv4 address, or the
// first 64 bits of an IPv6 one, which are a site's. It is "" if that is not known.
func Address(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}

// ClientAddress is middleware that puts the client's address into the request's
// context. It is the one that the connection comes from. If that is one of the
// trusted proxies, the header X-Forwarded-For or Forwarded names the client: the
// last address in it that is no trusted proxy. From all others these headers are
// ignored, as clients can write anything into them, and logged once.
func ClientAddress(trusted []netip.Prefix, log *slog.Logger) func(http.Handler) http.Handler {
	var warned sync.Once
	proxies := proxyList(trusted)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			peer := peerAddress(r.RemoteAddr)
			ip := peer
			if header := forwardedHeader(r.Header); header != "" {
				if proxies.trust(peer) {
					ip = proxies.client(peer, r.Header)
				} else {
					warned.Do(func() {
						log.Warn("forwarding header ignored: peer is not a trusted proxy; name your proxies with --trusted-proxy",
							"header", header, "peer", peer)
					})
				}
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), addressKey{}, clientAddress(ip))))
		})
	}
}

// peerAddress returns the address that a connection comes from; invalid if it has none.
func peerAddress(remote string) netip.Addr {
	from, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return from.Addr().Unmap().WithZone("")
}

// clientAddress is [Address] of an IP address.
func clientAddress(ip netip.Addr) string {
	switch {
	case !ip.IsValid():
		return ""
	case ip.Is4():
		return ip.String()
	}
	return netip.PrefixFrom(ip, 64).Masked().String()
}

// forwardedHeader returns the name of the header of a request that says for whom it
// was forwarded; "" for none.
func forwardedHeader(h http.Header) string {
	for _, name := range []string{"X-Forwarded-For", "Forwarded"} {
		if len(h[name]) > 0 {
			return name
		}
	}
	return ""
}

// A proxyList has the address ranges of trusted proxies.
type proxyList []netip.Prefix

func (p proxyList) trust(ip netip.Addr) bool {
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(ip) })
}

// client returns the address of the client of a request that came from a trusted
// proxy. A proxy writes one of the two headers, and may pass on what the client
// wrote into the other: if they disagree, neither counts.
func (p proxyList) client(peer netip.Addr, h http.Header) netip.Addr {
	named, written := p.last(peer, h["X-Forwarded-For"], parseHop), len(h["X-Forwarded-For"]) > 0
	if len(h["Forwarded"]) == 0 {
		return named
	}
	other := p.last(peer, h["Forwarded"], forwardedFor)
	if written && other != named {
		return peer
	}
	return other
}

// last returns the address before the last trusted one of a list of hops, which each proxy has
// appended its own peer to. What stands before an address that cannot be read is not believed.
func (p proxyList) last(peer netip.Addr, lines []string, parse func(string) netip.Addr) netip.Addr {
	hops := splitUnquoted(strings.Join(lines, ","), ',')
	ip := peer
	for _, hop := range slices.Backward(hops) {
		before := parse(strings.TrimSpace(hop))
		if !before.IsValid() {
			break
		}
		if ip = before; !p.trust(ip) {
			break
		}
	}
	return ip
}

// parseHop reads an address with or without a port; invalid if it is none.
func parseHop(text string) netip.Addr {
	if ip := peerAddress(text); ip.IsValid() {
		return ip
	}
	ip, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}

// forwardedFor reads the "for" of an element of the header Forwarded (RFC 7239). Names such as "unknown" and "_hidden" are no
// address.
func forwardedFor(element string) netip.Addr {
	for _, pair := range splitUnquoted(element, ';') {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if strings.EqualFold(name, "for") {
			return parseHop(strings.Trim(value, `"`))
		}
	}
	return netip.Addr{}
}

// splitUnquoted splits a header at a separator outside of quoted strings (RFC 9110, section 5.6.4): a proxy quotes what the
// client chose, such as the host.
func splitUnquoted(text string, separator byte) []string {
	var parts []string
	quoted, from := false, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			parts = append(parts, text[from:i])
			from = i + 1
		}
	}
	return append(parts, text[from:])
}
