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

// A problem is one error in the settings.
type problem struct {
	name   string // the flag or, for a setting without a flag, the variable without its prefix
	text   string
	origin string // where the value was set; "" for the command line
}

func (p *problem) Error() string {
	if p.origin == "" {
		return p.text
	}
	return p.text + " (" + p.origin + ")"
}

// problems collects the errors in the settings, so that all are reported together.
type problems []error

func (p *problems) add(flag, format string, args ...any) {
	name, _, _ := strings.Cut(flag, " ") // for --fresh-for, the kind follows
	*p = append(*p, &problem{name: name, text: "--" + flag + " " + fmt.Sprintf(format, args...)})
}

// addEnv is like add, for a setting that has no flag.
func (p *problems) addEnv(name, format string, args ...any) {
	*p = append(*p, &problem{name: name, text: envPrefix + name + " " + fmt.Sprintf(format, args...)})
}

// in is like add, for a line of a file.
func (p *problems) in(path string, line int, format string, args ...any) {
	*p = append(*p, &problem{text: fmt.Sprintf("%s, line %d: %s", path, line, fmt.Sprintf(format, args...))})
}

func (p problems) join() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// Error returns one line per problem.
func (p problems) Error() string { return errors.Join(p...).Error() }

// locate sets the origins of the invalid values.
func (p problems) locate(origins map[string]string) {
	for _, err := range p {
		if problem, ok := errors.AsType[*problem](err); ok {
			problem.origin = origins[problem.name]
		}
	}
}

// Validate returns all problems of the server's settings.
func (c *Serve) Validate() error {
	var p problems
	p.address("addr", c.Addr)
	p.baseURL("public-url", c.PublicURL, true)
	p.baseURL("api-url", c.APIURL, false)
	p.baseURL("site-url", c.SiteURL, false)
	p.baseURL("oembed-url", c.OEmbedURL, false)
	if c.Demo {
		for _, f := range []struct{ flag, value, byDefault string }{
			{"api-url", c.APIURL, liveAPI},
			{"site-url", c.SiteURL, liveSite},
			{"oembed-url", c.OEmbedURL, liveOEmbed},
		} {
			if f.value != f.byDefault {
				p.add(f.flag, "cannot be combined with --demo, which uses the built-in emulator: remove one of them")
			}
		}
	}
	c.signIn(&p)
	if c.OnlyPersisted && c.Manifest == "" {
		p.add("only-persisted", "requires --manifest, the file with the operations to allow")
	}
	for _, origin := range c.AllowOrigin {
		p.origin("allow-origin", origin)
	}
	c.tls(&p)
	for _, text := range c.TrustedProxy {
		if _, ok := parsePrefix(text); !ok {
			p.add("trusted-proxy", "must be an IP address or a network such as 10.0.0.0/8, not %q", text)
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
	if c.MaxBody < minBody || c.MaxBody > maxBody {
		p.add("max-body", "must be between %v and %v, not %v", minBody, maxBody, c.MaxBody)
	}
	p.count("max-response-fields", c.MaxFields, 1_000_000_000)
	if c.MaxBytes < 1 {
		p.add("max-response-bytes", "must be at least 1")
	}
	if c.MemoryLimit != 0 && c.MemoryLimit < minMemory {
		p.add("memory-limit", "must be 0 or at least %v, not %v", minMemory, c.MemoryLimit)
	}
	c.FreshFor.validate("fresh-for", &p)
	p.between("stale-for", c.StaleFor, 0, maxLifetime)
	p.rate("upstream-rate", c.UpstreamRate)
	p.rate("upstream-total-rate", c.TotalRate)
	p.count("upstream-burst", c.UpstreamBurst, 10_000)
	if c.UpstreamRetries < 0 || c.UpstreamRetries > 2 {
		p.add("upstream-retries", "must be between 0 and 2, not %d", c.UpstreamRetries)
	}
	c.Disable.validate("disable", &p)
	c.redis(&p)
	c.Log.validate(&p)
	p.count("log-sample", c.LogSample, 1_000_000)
	return p.join()
}

// tls checks that the certificate and the private key can be loaded.
func (c *Serve) tls(p *problems) {
	switch {
	case c.TLSCert == "" && c.TLSKey == "":
	case c.TLSKey == "":
		p.add("tls-cert", "requires --tls-key, the private key of the certificate")
	case c.TLSCert == "":
		p.add("tls-key", "requires --tls-cert, the certificate")
	default:
		if _, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey); err != nil {
			p.add("tls-cert", "and --tls-key cannot be loaded: %v", err)
		}
	}
}

// TrustedProxies returns the networks of --trusted-proxy.
func (c *Serve) TrustedProxies() []netip.Prefix {
	var all []netip.Prefix
	for _, text := range c.TrustedProxy {
		if prefix, ok := parsePrefix(text); ok {
			all = append(all, prefix)
		}
	}
	return all
}

// parsePrefix parses a network or a single IP address.
func parsePrefix(text string) (_ netip.Prefix, ok bool) {
	if ip, err := netip.ParseAddr(text); err == nil {
		ip = ip.Unmap().WithZone("")
		return netip.PrefixFrom(ip, ip.BitLen()), true
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix.Masked(), err == nil && !prefix.Addr().Is4In6()
}

// The range of --max-body.
const (
	minBody Bytes = 1 << 10
	maxBody Bytes = 1 << 30
)

// minMemory is the minimum of --memory-limit.
const minMemory Bytes = 64 << 20

// The range of the rates of calls, per second.
const (
	minRate = 0.01
	maxRate = 10_000
)

// rate checks a rate of calls, where 0 means no limit.
func (p *problems) rate(flag string, rate float64) {
	if !(rate == 0 || rate >= minRate && rate <= maxRate) {
		p.add(flag, "must be 0, or between %v and %v calls per second, not %v", minRate, maxRate, rate)
	}
}

// minSecretKey is the minimum length of the secret key in bytes, see internal/auth.
const minSecretKey = 32

// signIn checks the settings of sign-in.
func (c *Serve) signIn(p *problems) {
	if key := strings.TrimSpace(c.SecretKey.Reveal()); c.SecretKey != "" && len(key) < minSecretKey {
		p.addEnv("SECRET_KEY", "must have at least %d bytes, such as the output of openssl rand -base64 32", minSecretKey)
	}
	for _, uri := range c.OAuthRedirects {
		p.redirectURI("oauth-redirect-uri", uri)
	}
	if c.OAuthClientID == "" {
		if c.OAuthClientSecret != "" {
			p.addEnv("OAUTH_CLIENT_SECRET", "requires --oauth-client-id")
		}
		if len(c.OAuthRedirects) > 0 && !c.Demo {
			p.add("oauth-redirect-uri", "requires --oauth-client-id")
		}
		return
	}
	if strings.ContainsFunc(c.OAuthClientID, func(r rune) bool { return r <= ' ' || r > '~' }) {
		p.add("oauth-client-id", "must be printable ASCII without spaces")
	}
	if c.OAuthClientSecret == "" {
		p.add("oauth-client-id", "requires the client secret in %sOAUTH_CLIENT_SECRET", envPrefix)
	}
	public, err := url.Parse(c.PublicURL)
	switch host, _, _ := net.SplitHostPort(c.Addr); {
	case c.PublicURL == "" && !loopback(host):
		p.add("oauth-client-id", "requires --public-url, an https URL of this server, because --addr is not a loopback address")
	case c.PublicURL != "" && err == nil && public.Scheme == "http" && !loopback(public.Hostname()):
		p.add("public-url", "must begin with https:// if --oauth-client-id is set: otherwise browsers would send session cookies unencrypted")
	}
}

// loopback reports whether a host is a loopback address or a name below localhost.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost") || ip != nil && ip.IsLoopback()
}

// redirectURI checks an OAuth redirect URI: https, http on a loopback address, or an app's
// private-use scheme, which contains a dot (RFC 8252).
func (p *problems) redirectURI(flag, s string) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		p.add(flag, "must be an absolute URI in ASCII, not %q", s)
	case strings.Contains(s, "#"):
		p.add(flag, "must not have a fragment: %q", s)
	case u.User != nil:
		p.add(flag, "must not contain a user name or password")
	case u.Scheme == "https" && u.Host != "", u.Scheme == "http" && loopback(u.Hostname()), strings.Contains(u.Scheme, "."):
	default:
		p.add(flag, "must begin with https://, with http:// and a loopback address, or with an app's private scheme such as org.example.app:, not %q", s)
	}
}

// redis checks the settings of Redis.
func (c *Serve) redis(p *problems) {
	if c.RedisURL == "" {
		return
	}
	if err := c.RedisURL.Check(); err != nil {
		p.add("redis-url", "%v", err)
	}
	if c.SecretKey == "" {
		p.add("redis-url", "requires a secret key in %sSECRET_KEY, the same for every replica: at least %d bytes, such as the output of openssl rand -base64 32", envPrefix, minSecretKey)
	}
}

// Validate returns all problems of the emulator's settings.
func (c *Emulator) Validate() error {
	var p problems
	p.address("addr", c.Addr)
	p.baseURL("public-url", c.PublicURL, true)
	p.between("latency", c.Latency, 0, time.Minute)
	c.Log.validate(&p)
	return p.join()
}

// Validate returns all problems of the conformance check's settings.
func (c *Conformance) Validate() error {
	var p problems
	p.baseURL("api-url", c.APIURL, false)
	p.baseURL("site-url", c.SiteURL, false)
	p.baseURL("oembed-url", c.OEmbedURL, true)
	if !(c.Rate > 0 && c.Rate <= 1000) {
		p.add("rate", "must be above 0 and at most 1000 requests per second, not %v", c.Rate)
	}
	c.Log.validate(&p)
	return p.join()
}

// Validate returns all problems of the settings.
func (c *Healthcheck) Validate() error {
	var p problems
	p.address("addr", c.Addr)
	if strings.HasSuffix(c.Addr, ":0") {
		p.add("addr", "must have the port of the server, not port 0")
	}
	p.between("timeout", c.Timeout, time.Millisecond, time.Minute)
	return p.join()
}

// Validate returns nil, because the command has no settings.
func (*Schema) Validate() error { return nil }

// Validate returns nil, because the command has no settings.
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
		p.add(flag, "must end with a port between 0 and 65535, not %q", port)
	}
}

// baseURL checks a base URL, to which paths are appended.
func (p *problems) baseURL(flag, s string, optional bool) {
	if s == "" && optional {
		return
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		p.add(flag, "must be a URL that begins with https:// or http://")
	case u.User != nil:
		p.add(flag, "must not contain a user name or password")
	case strings.ContainsAny(s, "?#"):
		p.add(flag, "must not contain a query or a fragment")
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

// upTo is like count, but also accepts 0.
func (p *problems) upTo(flag string, n, high int) {
	if n != 0 {
		p.count(flag, n, high)
	}
}

// origin checks an origin in the form of the header Origin: scheme, host and port, in lower
// case and without a default port. The server compares it with the header as text.
func (p *problems) origin(flag, value string) {
	u, err := url.Parse(value)
	switch {
	case value == "*":
		p.add(flag, "must not be *: remove the flag to allow every origin, without the session cookie")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Scheme+"://"+u.Host != value:
		p.add(flag, "must be an origin such as https://app.example.com, without a path, not %q", value)
	case value != strings.ToLower(value), strings.Contains(value, "*"):
		p.add(flag, "must be a single origin in lower case, not %q", value)
	case u.Scheme == "https" && u.Port() == "443", u.Scheme == "http" && u.Port() == "80":
		p.add(flag, "must not contain the default port, which browsers leave out: %q", value)
	}
}
