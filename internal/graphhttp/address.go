package graphhttp

import (
	"context"
	"net/http"
	"net/netip"
)

type addressKey struct{}

// Address returns the network address of a request's client: an IPv4 address, or the
// first 64 bits of an IPv6 one, which are a site's. It is "" if that is not known.
func Address(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}

// ClientAddress puts the client's address into the request's context. It is the one
// that the connection comes from: headers such as X-Forwarded-For are what a client
// makes up.
func ClientAddress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address := clientAddress(r.RemoteAddr)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), addressKey{}, address)))
	})
}

func clientAddress(remote string) string {
	from, err := netip.ParseAddrPort(remote)
	if err != nil {
		return ""
	}
	ip := from.Addr().Unmap()
	if ip.Is4() {
		return ip.String()
	}
	site, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return ""
	}
	return site.String()
}
