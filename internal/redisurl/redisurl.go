// Package redisurl parses the URL of a Redis server, cluster or Sentinel setup.
package redisurl

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
)

// A URL names the Redis servers, with credentials. Its forms are:
//
//	redis://[user:password@]host[:6379][,host…][/database]      one server, or some nodes of a cluster
//	rediss://…                                                  the same over TLS
//	redis-sentinel://[user:password@]host[:26379][,host…][/database]?master_set=name
//	rediss-sentinel://…                                         the same over TLS
//	unix://[user:password@]/path/to/socket[?db=database]
//
// The schemes valkey and valkeys are synonyms of redis and rediss. User and password are the
// credentials of the servers. For sentinels with other credentials, use the parameters
// sentinel_user and sentinel_password. The client detects whether a server belongs to a cluster.
//
// A URL may contain a password. Its printed, logged and marshaled forms omit the password.
type URL string

// String returns the URL without secrets: only the user's name, the hosts, the database and the
// master set.
func (u URL) String() string {
	if u == "" {
		return ""
	}
	parsed, err := parse(string(u))
	if err != nil {
		return "[redacted]"
	}
	shown := url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: parsed.Path}
	if parsed.User != nil {
		shown.User = url.User(parsed.User.Username())
		if _, has := parsed.User.Password(); has {
			shown.User = url.UserPassword(parsed.User.Username(), "redacted")
		}
	}
	query := url.Values{}
	for _, public := range []string{"db", "master_set"} {
		if parsed.Query().Has(public) {
			query.Set(public, parsed.Query().Get(public))
		}
	}
	shown.RawQuery = query.Encode()
	return shown.String()
}

// GoString returns String in Go syntax, so that %#v omits the password too.
func (u URL) GoString() string { return fmt.Sprintf("redisurl.URL(%q)", u.String()) }

// MarshalText returns String.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// HasPassword reports whether the URL contains a password of a server or of a sentinel.
func (u URL) HasPassword() bool {
	parsed, err := parse(string(u))
	if err != nil {
		return false
	}
	_, has := parsed.User.Password()
	return has || parsed.Query().Has("sentinel_password")
}

// Check returns an error if the URL is not valid. The error does not contain the URL.
func (u URL) Check() error {
	_, err := u.Options()
	return err
}

// parse is [url.Parse] for a list of hosts. Its errors do not contain the URL.
func parse(s string) (*url.URL, error) {
	// The standard library accepts no list of hosts, so a placeholder is parsed instead. The hosts
	// are checked later.
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return nil, errors.New("must begin with redis://, rediss://, redis-sentinel://, rediss-sentinel:// or unix://")
	}
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	user, hosts := "", authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user, hosts = authority[:i+1], authority[i+1:]
	}
	u, err := url.Parse(scheme + "://" + user + "x" + tail)
	if err != nil {
		return nil, errors.New("is not a valid URL: special characters in the password must be percent-encoded")
	}
	u.Host = hosts
	return u, nil
}

// Options returns the client options that follow from the URL. The error does not contain the URL.
func (u URL) Options() (opt rueidis.ClientOption, err error) {
	at, err := parse(string(u))
	if err != nil {
		return opt, err
	}
	port, sentinel := "6379", false
	switch at.Scheme {
	case "redis", "valkey":
	case "rediss", "valkeys":
		opt.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	case "redis-sentinel":
		port, sentinel = "26379", true
	case "rediss-sentinel":
		port, sentinel = "26379", true
		opt.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	case "unix":
		return unixOptions(at)
	default:
		return opt, errors.New("must begin with redis://, rediss://, redis-sentinel://, rediss-sentinel:// or unix://")
	}
	hosts := strings.Split(at.Host, ",")
	query := at.Query()
	hosts = append(hosts, query["addr"]...) // a parameter that rueidis supports
	for _, host := range hosts {
		addr, err := address(host, port)
		if err != nil {
			return opt, err
		}
		opt.InitAddress = append(opt.InitAddress, addr)
	}
	if opt.SelectDB, err = database(strings.TrimPrefix(at.Path, "/"), query.Get("db")); err != nil {
		return opt, err
	}
	credentials(&opt, at)
	opt.Sentinel.MasterSet = query.Get("master_set")
	if sentinel && opt.Sentinel.MasterSet == "" {
		return opt, errors.New("must contain the name of the master that the sentinels monitor: ?master_set=name")
	}
	opt.Sentinel.TLSConfig = opt.TLSConfig
	opt.Sentinel.Username, opt.Sentinel.Password = query.Get("sentinel_user"), query.Get("sentinel_password")
	return opt, nil
}

func unixOptions(at *url.URL) (opt rueidis.ClientOption, err error) {
	if at.Host != "" || at.Path == "" {
		return opt, errors.New("must contain the absolute path of the socket: unix:///path/to/socket")
	}
	opt.InitAddress = []string{at.Path}
	opt.DialCtxFn = func(ctx context.Context, path string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
		return d.DialContext(ctx, "unix", path)
	}
	opt.ForceSingleClient = true
	credentials(&opt, at)
	opt.SelectDB, err = database("", at.Query().Get("db"))
	return opt, err
}

func credentials(opt *rueidis.ClientOption, at *url.URL) {
	if at.User != nil {
		opt.Username = at.User.Username()
		opt.Password, _ = at.User.Password()
	}
}

// hostLetters are the characters of host names and addresses. Internationalized names are encoded
// in these characters.
const hostLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:"

func address(hostport, port string) (string, error) {
	host := hostport
	if strings.LastIndexByte(hostport, ':') > strings.LastIndexByte(hostport, ']') {
		var err error
		if host, port, err = net.SplitHostPort(hostport); err != nil {
			return "", errors.New("has a host that is not host:port")
		}
	} else {
		host = strings.Trim(host, "[]")
	}
	if host == "" {
		return "", errors.New("has no host")
	}
	if strings.Trim(host, hostLetters) != "" {
		return "", errors.New("has a host with an invalid character")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", errors.New("has a port that is not from 1 to 65535")
	}
	return net.JoinHostPort(host, port), nil
}

func database(inPath, inQuery string) (int, error) {
	name := inPath
	if name == "" {
		name = inQuery
	}
	if name == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(name, 10, 16)
	if err != nil {
		return 0, errors.New("has a database that is not a number")
	}
	return int(n), nil
}
