// Package redisurl reads the one setting that says where Redis is.
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

// A URL says where Redis is and how to enter it:
//
//	redis://[user:password@]host[:6379][,host…][/database]      one server, or some nodes of a cluster
//	rediss://…                                                  the same over TLS
//	redis-sentinel://[user:password@]host[:26379][,host…][/database]?master_set=name
//	rediss-sentinel://…                                         the same over TLS
//	unix://[user:password@]/path/to/socket[?db=database]
//
// valkey and valkeys are other words for redis and rediss. User and password
// are those of the servers; sentinels that want their own take sentinel_user and
// sentinel_password. Whether a server belongs to a cluster is found out by
// asking it.
//
// A URL holds a password: whatever prints, logs or marshals it gets it without.
type URL string

// String is the URL without what must not be shown: all but the user's name,
// hosts, database and master set.
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
	for _, open := range []string{"db", "master_set"} {
		if parsed.Query().Has(open) {
			query.Set(open, parsed.Query().Get(open))
		}
	}
	shown.RawQuery = query.Encode()
	return shown.String()
}

// GoString is String: the password is hidden from %#v too.
func (u URL) GoString() string { return fmt.Sprintf("redisurl.URL(%q)", u.String()) }

// MarshalText is String.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// HasPassword reports whether the URL holds a password, be it of a server or of a
// sentinel.
func (u URL) HasPassword() bool {
	parsed, err := parse(string(u))
	if err != nil {
		return false
	}
	_, has := parsed.User.Password()
	return has || parsed.Query().Has("sentinel_password")
}

// Check says what is wrong with a URL, without repeating it.
func (u URL) Check() error {
	_, err := u.Options()
	return err
}

// parse is [url.Parse] for several hosts, whose errors repeat nothing.
func parse(s string) (*url.URL, error) {
	// The standard library takes no list of hosts: all but the first are set
	// aside, and their ports are checked later.
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
		return nil, errors.New("is no URL: a password with special characters must be percent-encoded")
	}
	u.Host = hosts
	return u, nil
}

// Options are what the client needs to know of a URL; the rest is not set. Its
// errors repeat nothing of the URL.
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
	hosts = append(hosts, query["addr"]...) // as rueidis itself has it
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
		return opt, errors.New("must name the master that the sentinels watch: ?master_set=name")
	}
	opt.Sentinel.TLSConfig = opt.TLSConfig
	opt.Sentinel.Username, opt.Sentinel.Password = query.Get("sentinel_user"), query.Get("sentinel_password")
	return opt, nil
}

func unixOptions(at *url.URL) (opt rueidis.ClientOption, err error) {
	if at.Host != "" || at.Path == "" {
		return opt, errors.New("must name the socket by its whole path: unix:///path/to/socket")
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

// hostLetters are what names and addresses of hosts are made of. Names in other
// scripts have a form in these.
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
		return "", errors.New("has a host with a character that no host has")
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
