package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mixcloud-graphql/internal/telemetry"
)

// A problem is one thing that is wrong with the settings.
type problem struct {
	name   string // the flag or, for what comes from the environment alone, the variable without its prefix
	text   string
	origin string // of the value; "" for the command line
}

func (p *problem) Error() string {
	if p.origin == "" {
		return p.text
	}
	return p.text + " (" + p.origin + ")"
}

// problems collects what is wrong, so that all of it is reported at once.
type problems []error

func (p *problems) add(flag, format string, args ...any) {
	name, _, _ := strings.Cut(flag, " ") // a kind may follow
	*p = append(*p, &problem{name: name, text: "--" + flag + " " + fmt.Sprintf(format, args...)})
}

// addEnv is add for what comes from the environment alone.
func (p *problems) addEnv(name, format string, args ...any) {
	*p = append(*p, &problem{name: name, text: envPrefix + name + " " + fmt.Sprintf(format, args...)})
}

// in is add for a line of a file.
func (p *problems) in(path string, line int, format string, args ...any) {
	*p = append(*p, &problem{text: fmt.Sprintf("%s, line %d: %s", path, line, fmt.Sprintf(format, args...))})
}

func (p problems) join() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// Error has a line for each problem.
func (p problems) Error() string { return errors.Join(p...).Error() }

// locate adds the origins of values.
func (p problems) locate(origins map[string]string) {
	for _, one := range p {
		if one, ok := errors.AsType[*problem](one); ok {
			one.origin = origins[one.name]
		}
	}
}

// Validate returns everything that is wrong with the settings of the server.
func (c *Serve) Validate() error {
	var p problems
	p.address("addr", c.Addr)
	p.root("public-url", c.PublicURL, true)
	p.root("api-url", c.APIURL, false)
	p.root("site-url", c.SiteURL, false)
	p.root("oembed-url", c.OEmbedURL, false)
	if c.Demo {
		for _, f := range []struct{ flag, value, byDefault string }{
			{"api-url", c.APIURL, liveAPI},
			{"site-url", c.SiteURL, liveSite},
			{"oembed-url", c.OEmbedURL, liveOEmbed},
		} {
			if f.value != f.byDefault {
				p.add(f.flag, "has no meaning with --demo, which brings its own Mixcloud: leave out one of the two")
			}
		}
	}
	c.signIn(&p)
	if c.OnlyPersisted && c.Manifest == "" {
		p.add("only-persisted", "needs --manifest, the operations that are executed")
	}
	for _, origin := range c.AllowOrigin {
		p.origin("allow-origin", origin)
	}
	c.tls(&p)
	for _, text := range c.TrustedProxy {
		if _, ok := parsePrefix(text); !ok {
			p.add("trusted-proxy", "must be an IP address, or a range of them such as 10.0.0.0/8, not %q", text)
		}
	}
	p.between("request-timeout", c.RequestTimeout, time.Millisecond, time.Hour)
	p.between("max-wait", c.MaxWait, time.Millisecond, time.Minute)
	p.between("drain-timeout", c.DrainTimeout, 0, time.Hour)
	p.count("max-upstream", c.MaxUpstream, 1024)
	p.count("operation-budget", c.OperationBudget, 1_000_000)
	if c.CacheBytes < 0 {
		p.add("cache-bytes", "must not be negative")
	}
	p.count("max-depth", c.MaxDepth, 1000)
	p.count("max-root-fields", c.MaxRootFields, 100_000)
	p.count("max-aliases", c.MaxAliases, 100_000)
	p.count("max-directives", c.MaxDirectives, 100_000)
	p.count("max-tokens", c.MaxTokens, 10_000_000)
	p.upTo("client-inflight", c.ClientInflight, 1_000_000)
	p.upTo("client-requests", c.ClientRequests, 1_000_000)
	p.upTo("client-calls", c.ClientCalls, 1_000_000)
	if c.MaxBody < leastBody || c.MaxBody > largestBody {
		p.add("max-body", "must be between %v and %v, not %v", leastBody, largestBody, c.MaxBody)
	}
	p.count("max-response-fields", c.MaxFields, 1_000_000_000)
	if c.MaxBytes < 1 {
		p.add("max-response-bytes", "must be at least 1")
	}
	if c.MemoryLimit != 0 && c.MemoryLimit < leastMemory {
		p.add("memory-limit", "must be 0 or at least %v, not %v", leastMemory, c.MemoryLimit)
	}
	c.FreshFor.validate("fresh-for", &p)
	p.between("stale-for", c.StaleFor, 0, longestLife)
	if !(c.UpstreamRate == 0 || c.UpstreamRate >= slowestRate && c.UpstreamRate <= 10_000) {
		p.add("upstream-rate", "must be 0, or from %v to 10000 calls a second, not %v", slowestRate, c.UpstreamRate)
	}
	if !(c.TotalRate == 0 || c.TotalRate >= slowestRate && c.TotalRate <= 10_000) {
		p.add("upstream-total-rate", "must be 0, or from %v to 10000 calls a second, not %v", slowestRate, c.TotalRate)
	}
	p.count("upstream-burst", c.UpstreamBurst, 10_000)
	if c.UpstreamRetries < 0 || c.UpstreamRetries > 2 {
		p.add("upstream-retries", "must be from 0 to 2, not %d", c.UpstreamRetries)
	}
	c.shared(&p)
	c.Log.validate(&p)
	return p.join()
}

// tls checks that the certificate can be used.
func (c *Serve) tls(p *problems) {
	switch {
	case c.TLSCert == "" && c.TLSKey == "":
	case c.TLSKey == "":
		p.add("tls-cert", "needs the private key of the certificate in --tls-key")
	case c.TLSCert == "":
		p.add("tls-key", "needs the certificate in --tls-cert")
	default:
		if _, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey); err != nil {
			p.add("tls-cert", "and --tls-key cannot be used: %v", err)
		}
	}
}

// TrustedProxies returns the address ranges of --trusted-proxy.
func (c *Serve) TrustedProxies() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range c.TrustedProxy {
		if prefix, ok := parsePrefix(text); ok {
			all = append(all, prefix)
		}
	}
	return all
}

// parsePrefix reads an address range, or one address.
func parsePrefix(text string) (_ netip.Prefix, ok bool) {
	if ip, err := netip.ParseAddr(text); err == nil {
		ip = ip.Unmap().WithZone("")
		return netip.PrefixFrom(ip, ip.BitLen()), true
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix.Masked(), err == nil && !prefix.Addr().Is4In6()
}

// The body of a request may be limited to a size between these.
const (
	leastBody   Bytes = 1 << 10
	largestBody Bytes = 1 << 30
)

// leastMemory is the least memory that a server can work in.
const leastMemory Bytes = 64 << 20

// slowestRate is the fewest calls a second that a server can live on.
const slowestRate = 0.01

// minSecretKey is the fewest bytes of a secret key, see internal/auth.
const minSecretKey = 32

// signIn checks what has to do with signing in, and what of it needs another.
func (c *Serve) signIn(p *problems) {
	if key := strings.TrimSpace(c.SecretKey.Reveal()); c.SecretKey != "" && len(key) < minSecretKey {
		p.addEnv("SECRET_KEY", "must have at least %d bytes, such as those that openssl rand -base64 32 prints", minSecretKey)
	}
	for _, uri := range c.OAuthRedirects {
		p.redirectURI("oauth-redirect-uri", uri)
	}
	if c.OAuthClientID == "" {
		if c.OAuthClientSecret != "" {
			p.addEnv("OAUTH_CLIENT_SECRET", "has no meaning without --oauth-client-id")
		}
		if len(c.OAuthRedirects) > 0 && !c.Demo {
			p.add("oauth-redirect-uri", "has no meaning without --oauth-client-id")
		}
		return
	}
	if strings.ContainsFunc(c.OAuthClientID, func(r rune) bool { return r <= ' ' || r > '~' }) {
		p.add("oauth-client-id", "must be printable ASCII without blanks")
	}
	if c.OAuthClientSecret == "" {
		p.add("oauth-client-id", "needs the application's secret in %sOAUTH_CLIENT_SECRET", envPrefix)
	}
	public, err := url.Parse(c.PublicURL)
	switch host, _, _ := net.SplitHostPort(c.Addr); {
	case c.PublicURL == "" && !loopback(host):
		p.add("oauth-client-id", "needs --public-url, the https address that browsers reach this server under, as it listens on more than this machine")
	case c.PublicURL != "" && err == nil && public.Scheme == "http" && !loopback(public.Hostname()):
		p.add("public-url", "must begin with https:// with --oauth-client-id: browsers would send the cookies of signing in in the clear")
	}
}

// loopback tells whether a host name is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost") || ip != nil && ip.IsLoopback()
}

// redirectURI checks an address that codes may be sent to: https, http on this
// machine, or an app's own scheme, which holds a dot (RFC 8252).
func (p *problems) redirectURI(flag, s string) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		p.add(flag, "must be a whole address in ASCII, not %q", s)
	case strings.Contains(s, "#"):
		p.add(flag, "must not have a fragment: %q", s)
	case u.User != nil:
		p.add(flag, "must not hold a name or a password")
	case u.Scheme == "https" && u.Host != "", u.Scheme == "http" && loopback(u.Hostname()), strings.Contains(u.Scheme, "."):
	default:
		p.add(flag, "must begin with https://, http:// and a loopback address, or an app's own scheme such as org.example.app:, not %q", s)
	}
}

// shared checks what replicas share.
func (c *Serve) shared(p *problems) {
	if c.RedisURL == "" {
		return
	}
	if err := c.RedisURL.Check(); err != nil {
		p.add("redis-url", "%v", err)
	}
	if c.SecretKey == "" {
		p.add("redis-url", "needs a secret key in %sSECRET_KEY, the same for every replica: at least %d bytes, such as those that openssl rand -base64 32 prints", envPrefix, minSecretKey)
	}
}

// Validate returns everything that is wrong with the settings of the emulator.
func (c *Emulator) Validate() error {
	var p problems
	p.address("addr", c.Addr)
	p.root("public-url", c.PublicURL, true)
	p.between("latency", c.Latency, 0, time.Minute)
	c.Log.validate(&p)
	return p.join()
}

// Validate returns everything that is wrong with the settings of a comparison.
func (c *Conformance) Validate() error {
	var p problems
	p.root("api-url", c.APIURL, false)
	p.root("site-url", c.SiteURL, false)
	p.root("oembed-url", c.OEmbedURL, true)
	if !(c.Rate > 0 && c.Rate <= 1000) {
		p.add("rate", "must be above 0 and at most 1000 requests a second, not %v", c.Rate)
	}
	c.Log.validate(&p)
	return p.join()
}

// Validate finds nothing wrong.
func (*Schema) Validate() error { return nil }

// Validate finds nothing wrong.
func (*Version) Validate() error { return nil }

func (l Log) validate(p *problems) {
	if l.Format != telemetry.Text && l.Format != telemetry.JSON {
		p.add("log-format", "must be text or json, not %q", l.Format)
	}
}

func (p *problems) address(flag, addr string) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		p.add(flag, "must be host:port, such as 127.0.0.1:8080, not %q", addr)
		return
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		p.add(flag, "must end in a port from 0 to 65535, not %q", port)
	}
}

// root checks the address that paths are appended to.
func (p *problems) root(flag, s string, optional bool) {
	if s == "" && optional {
		return
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		p.add(flag, "must be an address that begins with https:// or http://")
	case u.User != nil:
		p.add(flag, "must not hold a name or a password")
	case strings.ContainsAny(s, "?#"):
		p.add(flag, "must end with its path, without ? or #")
	}
}

func (p *problems) between(flag string, d, low, high time.Duration) {
	if d < low || d > high {
		p.add(flag, "must be between %s and %s, not %s", durationText(low), durationText(high), durationText(d))
	}
}

func (p *problems) count(flag string, n, high int) {
	if n < 1 || n > high {
		p.add(flag, "must be between 1 and %d, not %d", high, n)
	}
}

// upTo is count for a number that may be 0.
func (p *problems) upTo(flag string, n, high int) {
	if n != 0 {
		p.count(flag, n, high)
	}
}

// origin checks what a browser sends in the header Origin: scheme, host and port,
// in lower case and without a default port, since the two are compared as text.
func (p *problems) origin(flag, value string) {
	u, err := url.Parse(value)
	switch {
	case value == "*":
		p.add(flag, "must not be *: leave the flag out to allow every origin without the session cookie")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Scheme+"://"+u.Host != value:
		p.add(flag, "must be an origin such as https://app.example.com, without a path, not %q", value)
	case value != strings.ToLower(value), strings.Contains(value, "*"):
		p.add(flag, "must be one origin in lower case, not %q", value)
	case u.Scheme == "https" && u.Port() == "443", u.Scheme == "http" && u.Port() == "80":
		p.add(flag, "must not name the default port, as browsers leave it out: %q", value)
	}
}
