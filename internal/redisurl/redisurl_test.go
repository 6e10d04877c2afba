package redisurl

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const password = "hunter2"

func TestURL_Options(t *testing.T) {
	t.Parallel()
	type want struct {
		Addresses []string
		TLS       bool
		User, Pw  string
		DB        int
		Master    string
		SUser     string
		SPw       string
	}
	tests := map[URL]want{
		"redis://localhost":                       {Addresses: []string{"localhost:6379"}},
		"valkey://localhost:7000/3":               {Addresses: []string{"localhost:7000"}, DB: 3},
		"redis://localhost?db=4":                  {Addresses: []string{"localhost:6379"}, DB: 4},
		"redis://:hunter2@[::1]:7000":             {Addresses: []string{"[::1]:7000"}, Pw: password},
		"redis://me:hunter2@[::1]":                {Addresses: []string{"[::1]:6379"}, User: "me", Pw: password},
		"redis://me:a%40%2F%3Ab@h":                {Addresses: []string{"h:6379"}, User: "me", Pw: "a@/:b"},
		"rediss://a,b:7001,c/":                    {Addresses: []string{"a:6379", "b:7001", "c:6379"}, TLS: true},
		"valkeys://a":                             {Addresses: []string{"a:6379"}, TLS: true},
		"redis://a:1?addr=b:2&addr=c":             {Addresses: []string{"a:1", "b:2", "c:6379"}},
		"redis://s1:26379?master_set=m":           {Addresses: []string{"s1:26379"}, Master: "m"},
		"redis-sentinel://s1,s2:5/1?master_set=m": {Addresses: []string{"s1:26379", "s2:5"}, DB: 1, Master: "m"},
		"rediss-sentinel://me:hunter2@s1?master_set=m&sentinel_user=su&sentinel_password=sp": {
			Addresses: []string{"s1:26379"}, TLS: true, Master: "m", User: "me", Pw: password, SUser: "su", SPw: "sp",
		},
		"unix:///run/redis.sock?db=2":       {Addresses: []string{"/run/redis.sock"}, DB: 2},
		"unix://me:hunter2@/run/redis.sock": {Addresses: []string{"/run/redis.sock"}, User: "me", Pw: password},
	}
	for u, w := range tests {
		o, err := u.Options()
		if err != nil {
			t.Errorf("Options of %s failed: %v", string(u), err)
			continue
		}
		got := want{
			o.InitAddress, o.TLSConfig != nil, o.Username, o.Password, o.SelectDB,
			o.Sentinel.MasterSet, o.Sentinel.Username, o.Sentinel.Password,
		}
		if diff := cmp.Diff(w, got); diff != "" {
			t.Errorf("%s: options differ (-want +got):\n%s", string(u), diff)
		}
		if (o.Sentinel.TLSConfig != nil) != w.TLS {
			t.Errorf("%s: TLS for the sentinels = %v, want %v", string(u), o.Sentinel.TLSConfig != nil, w.TLS)
		}
	}
}

func TestURL_Check(t *testing.T) {
	t.Parallel()
	for u, want := range map[URL]string{
		"":                                     "must begin with",
		"localhost:6379":                       "must begin with",
		"http://h":                             "must begin with",
		"redis://":                             "has no host",
		"redis://a,,b":                         "has no host",
		"redis://me:hunter2@h:0":               "port",
		"redis://me:hunter2@h:65536":           "port",
		"redis://me:hunter2@h:x":               "port",
		"redis://a:1:2":                        "host:port",
		"redis://a b":                          "character",
		"redis://h/x":                          "database",
		"redis://h/1/2":                        "database",
		"redis://h/-1":                         "database",
		"redis://me:hunter2%@h":                "percent-encoded",
		"redis://me:hunter2 \x00@h":            "percent-encoded",
		"redis-sentinel://me:hunter2@h":        "master_set",
		"unix://host/run/redis.sock":           "absolute path",
		"unix://":                              "absolute path",
		"redis://me:hunter2@h:6379?addr=x:y:z": "host",
	} {
		err := u.Check()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check of %q = %v, want the error %q", string(u), err, want)
		}
		if err != nil && strings.Contains(err.Error(), password) {
			t.Errorf("Check of %q: the error contains the password: %v", string(u), err)
		}
	}
}

// Printed and marshaled URLs contain no password.
func TestURL_hidesPasswords(t *testing.T) {
	t.Parallel()
	for u, want := range map[URL]string{
		"redis://me:hunter2@h,i:7000/3?addr=hunter2": "redis://me:redacted@h,i:7000/3",
		"redis://:hunter2@h":                         "redis://:redacted@h",
		"redis://me@h":                               "redis://me@h",
		"redis-sentinel://s?master_set=m&sentinel_password=hunter2": "redis-sentinel://s?master_set=m",
		"redis://me:hunter2%@h": "[redacted]",
		"hunter2":               "[redacted]",
		"":                      "",
	} {
		text, err := json.Marshal(struct{ U URL }{u})
		if err != nil {
			t.Fatal(err)
		}
		for _, shown := range []string{fmt.Sprint(u), fmt.Sprintf("%s %v %+v %#v %q", u, u, u, u, u), string(text)} {
			if strings.Contains(shown, password) {
				t.Errorf("formatted value of %q contains the password: %s", string(u), shown)
			}
		}
		if got := u.String(); got != want {
			t.Errorf("String() of %q = %q, want %q", string(u), got, want)
		}
	}
}

func FuzzURL(f *testing.F) {
	for _, s := range []string{
		"redis://me:hunter2@h,i:7000/3?addr=x&db=1", "rediss-sentinel://s?master_set=m", "unix:///x?db=1", "redis://[::1]:1", "redis://@:", "://", "redis://a:b:c",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u := URL(s)
		o, err := u.Options()
		if (err == nil) != (u.Check() == nil) {
			t.Errorf("Options = %v, but Check = %v", err, u.Check())
		}
		if err == nil && len(o.InitAddress) == 0 {
			t.Error("Options returned no address")
		}
		if err != nil {
			return
		}
		shown, err := URL(u.String()).Options()
		if err != nil {
			t.Fatalf("%q is formatted as %q, which is not valid: %v", s, u, err)
		}
		if shown.Password != "" && shown.Password != "redacted" || shown.Sentinel.Password != "" {
			t.Errorf("%q is formatted as %q, with a password", s, u)
		}
		if diff := cmp.Diff(o.InitAddress[0], shown.InitAddress[0]); diff != "" {
			t.Errorf("%q is formatted as %q, which has another host (-want +got):\n%s", s, u, diff)
		}
	})
}
