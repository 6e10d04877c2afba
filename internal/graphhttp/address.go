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

// Address returns the network address of the client: an IPv4 address, or the first 64 bits of
// an IPv6 address, which identify a site. It is "" if unknown.
func Address(ctx context.Context) string {
	if s := stateFrom(ctx); s != nil {
		return s.address
	}
	return ""
}

// ClientAddress returns middleware that stores the client's address in the request's context.
// It is the peer address of the connection. If that is a trusted proxy, it is the last address
// in X-Forwarded-For or Forwarded that is not a trusted proxy. From other peers these headers
// are ignored, since clients can forge them, and logged once.
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
			state, r := withState(r)
			state.address = clientAddress(ip)
			next.ServeHTTP(w, r)
		})
	}
}

// peerAddress returns the address of a connection's peer, or an invalid one.
func peerAddress(remote string) netip.Addr {
	from, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return from.Addr().Unmap().WithZone("")
}

// clientAddress returns the [Address] of an IP address.
func clientAddress(ip netip.Addr) string {
	switch {
	case !ip.IsValid():
		return ""
	case ip.Is4():
		return ip.String()
	}
	return netip.PrefixFrom(ip, 64).Masked().String()
}

// forwardedHeader returns the name of the forwarding header of a request, or "".
func forwardedHeader(h http.Header) string {
	for _, name := range []string{"X-Forwarded-For", "Forwarded"} {
		if len(h[name]) > 0 {
			return name
		}
	}
	return ""
}

// A proxyList contains the address ranges of trusted proxies.
type proxyList []netip.Prefix

func (p proxyList) trust(ip netip.Addr) bool {
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(ip) })
}

// client returns the client's address of a request from a trusted proxy. A proxy writes one of
// the two headers, and may forward the other as the client sent it. If they disagree, client
// trusts neither.
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

// last returns the last untrusted address of a list of hops, to which each proxy has appended
// its peer. Addresses before an invalid one are not trusted.
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

// parseHop parses an address with an optional port. It returns an invalid address on failure.
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

// forwardedFor parses the "for" parameter of an element of the header Forwarded (RFC 7239).
// Names such as "unknown" and "_hidden" are not addresses.
func forwardedFor(element string) netip.Addr {
	for _, pair := range splitUnquoted(element, ';') {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if strings.EqualFold(name, "for") {
			return parseHop(strings.Trim(value, `"`))
		}
	}
	return netip.Addr{}
}

// splitUnquoted splits a header at a separator outside of quoted strings (RFC 9110, section
// 5.6.4): proxies quote values that the client chose, such as the host.
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
