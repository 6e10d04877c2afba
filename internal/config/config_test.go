package config

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/telemetry"
)

var update = flag.Bool("update", false, "rewrite the table in testdata and in docs/configuration.md")

// env returns an environment with the given NAME=VALUE lines, after adding the prefix to each.
func env(lines ...string) []string {
	environ := []string{"PATH=/bin", "HOME"}
	for _, l := range lines {
		environ = append(environ, envPrefix+l)
	}
	return environ
}

func defaults() *Serve {
	return &Serve{
		Addr:            "127.0.0.1:8080",
		APIURL:          "https://api.mixcloud.com",
		SiteURL:         "https://www.mixcloud.com",
		OEmbedURL:       "https://app.mixcloud.com/oembed/",
		RequestTimeout:  30 * time.Second,
		MaxWait:         time.Second,
		DrainTimeout:    30 * time.Second,
		MaxUpstream:     32,
		OperationBudget: 200,
		CacheBytes:      256 << 20,
		StaleFor:        24 * time.Hour,
		UpstreamRate:    50,
		UpstreamBurst:   500,
		UpstreamRetries: 2,
		MaxDepth:        25,
		MaxRootFields:   100,
		MaxAliases:      1000,
		MaxDirectives:   50,
		MaxTokens:       15_000,
		LogSample:       1,
		MaxBody:         1 << 20,
		Introspection:   new(true),
		Trace:           "demo",
		MaxFields:       200_000,
		MaxBytes:        16 << 20,
		Log:             Log{Level: slog.LevelInfo, Format: telemetry.Text},
	}
}

func serveWith(change func(*Serve)) *Serve {
	c := defaults()
	change(c)
	return c
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason string
		args   []string
		env    []string
		want   Command
	}{
		"no arguments": {
			reason: "without a command, serve runs with its defaults",
			want:   defaults(),
		},
		"default command with flags": {
			reason: "flags of serve work without the command",
			args:   []string{"--demo", "--addr", ":0"},
			want:   serveWith(func(c *Serve) { c.Demo, c.Addr = true, ":0" }),
		},
		"named command": {
			reason: "the explicit command is the same as the default",
			args:   []string{"serve", "--demo"},
			want:   serveWith(func(c *Serve) { c.Demo = true }),
		},
		"environment": {
			reason: "every flag, of any type, is also an environment variable",
			env: []string{
				"DEMO=true", "REQUEST_TIMEOUT=1m", "MAX_UPSTREAM=5", "LOG_LEVEL=debug", "LOG_FORMAT=json",
				"PUBLIC_URL=https://graph.example.org",
			},
			want: serveWith(func(c *Serve) {
				c.Demo, c.RequestTimeout, c.MaxUpstream = true, time.Minute, 5
				c.Log = Log{Level: slog.LevelDebug, Format: telemetry.JSON}
				c.PublicURL = "https://graph.example.org"
			}),
		},
		"sign-in": {
			reason: "redirect URIs are repeatable; in the environment they are separated by spaces",
			args:   []string{"--oauth-client-id=app", "--oauth-redirect-uri=https://a.example/cb?x=1,2", "--oauth-redirect-uri", "org.example.app:/cb"},
			env:    []string{"OAUTH_CLIENT_SECRET=s3cret", "SECRET_KEY=0123456789abcdef0123456789abcdef", "PUBLIC_URL=https://graph.example.org"},
			want: serveWith(func(c *Serve) {
				c.OAuthClientID, c.OAuthClientSecret, c.SecretKey = "app", "s3cret", "0123456789abcdef0123456789abcdef"
				c.OAuthRedirects = []string{"https://a.example/cb?x=1,2", "org.example.app:/cb"}
				c.PublicURL = "https://graph.example.org"
			}),
		},
		"sign-in on this machine": {
			reason: "plain http is allowed on loopback addresses, and --demo has an OAuth client",
			args:   []string{"--demo"},
			env:    []string{"OAUTH_REDIRECT_URI=http://localhost:3000/cb http://127.0.0.1:1/x", "PUBLIC_URL=http://[::1]:8080"},
			want: serveWith(func(c *Serve) {
				c.Demo, c.PublicURL = true, "http://[::1]:8080"
				c.OAuthRedirects = []string{"http://localhost:3000/cb", "http://127.0.0.1:1/x"}
			}),
		},
		"origins": {
			reason: "origins are compared as text; localhost with a port is for development",
			args:   []string{"--allow-origin=https://app.example.com", "--allow-origin", "http://localhost:3000"},
			want:   serveWith(func(c *Serve) { c.AllowOrigin = []string{"https://app.example.com", "http://localhost:3000"} }),
		},
		"trusted proxies": {
			reason: "a proxy is an IP address or a network",
			args:   []string{"--trusted-proxy=10.0.0.0/8", "--trusted-proxy", "2001:db8::1"},
			want:   serveWith(func(c *Serve) { c.TrustedProxy = []string{"10.0.0.0/8", "2001:db8::1"} }),
		},
		"flag wins": {
			reason: "a flag takes precedence over a variable",
			args:   []string{"--max-upstream=7"},
			env:    []string{"MAX_UPSTREAM=5"},
			want:   serveWith(func(c *Serve) { c.MaxUpstream = 7 }),
		},
		"minimum values": {
			reason: "0 is a valid value",
			args:   []string{"--cache-bytes=0", "--stale-for=0", "--upstream-rate=0", "--upstream-burst=1", "--upstream-retries=0", "--redis-url="},
			want: serveWith(func(c *Serve) {
				c.CacheBytes, c.StaleFor, c.UpstreamRate, c.UpstreamBurst, c.UpstreamRetries = 0, 0, 0, 1, 0
			}),
		},
		"sizes": {
			reason: "a size is a number of bytes, or a number with a unit",
			args:   []string{"--cache-bytes=1GiB", "--max-response-bytes", "100000", "--memory-limit=512MiB", "--max-response-fields=5"},
			env:    []string{"MAX_ALIASES=10", "MAX_DIRECTIVES=20"},
			want: serveWith(func(c *Serve) {
				c.CacheBytes, c.MaxBytes, c.MemoryLimit, c.MaxFields = 1<<30, 100_000, 512<<20, 5
				c.MaxAliases, c.MaxDirectives = 10, 20
			}),
		},
		"lifetimes": {
			reason: "each occurrence of the flag adds kinds, and the last value of a kind counts",
			args:   []string{"--fresh-for=user=10m list=0s", "--fresh-for", "list=30s"},
			want: serveWith(func(c *Serve) {
				c.FreshFor = Lifetimes{"user": 10 * time.Minute, "list": 30 * time.Second}
			}),
		},
		"disabled mechanisms": {
			reason: "each occurrence of the flag adds names, and a name counts once",
			args:   []string{"--disable=look-ahead", "--disable=projection,look-ahead"},
			want:   serveWith(func(c *Serve) { c.Disable = Mechanisms{"look-ahead", "projection"} }),
		},
		"disabled mechanisms in the environment": {
			reason: "several names are separated by commas",
			env:    []string{"DISABLE=projection, look-ahead"},
			want:   serveWith(func(c *Serve) { c.Disable = Mechanisms{"projection", "look-ahead"} }),
		},
		"empty variable": {
			reason: "deployment tools set variables to the empty string to unset them",
			env:    []string{"MAX_UPSTREAM=", "DEMO="},
			want:   defaults(),
		},
		"redis": {
			reason: "Redis requires the secret key, from which shared names are derived",
			args:   []string{"--redis-url=redis://me:pw@one,two:7000/1"},
			env:    []string{"SECRET_KEY=0123456789abcdef0123456789abcdef"},
			want: serveWith(func(c *Serve) {
				c.RedisURL, c.SecretKey = "redis://me:pw@one,two:7000/1", "0123456789abcdef0123456789abcdef"
			}),
		},
		"emulator": {
			args: []string{"emulator", "--seed", "7", "--latency=20ms"},
			env:  []string{"ADDR=127.0.0.1:9"},
			want: &Emulator{
				Addr: "127.0.0.1:9", Seed: 7, Latency: 20 * time.Millisecond,
				Log: Log{Level: slog.LevelInfo, Format: telemetry.Text},
			},
		},
		"conformance": {
			reason: "the token is read from the environment",
			args:   []string{"conformance", "--rate", "0.5", "--report", "out.md"},
			env:    []string{"TOKEN=s3cret"},
			want: &Conformance{
				APIURL: "https://api.mixcloud.com", SiteURL: "https://www.mixcloud.com",
				Rate: 0.5, Report: "out.md", Token: "s3cret",
				Log: Log{Level: slog.LevelInfo, Format: telemetry.Text},
			},
		},
		"health check": {
			reason: "it reads the address and the certificate from the server's environment",
			args:   []string{"healthcheck", "--timeout=1s"},
			env:    []string{"ADDR=:8443", "TLS_CERT=cert.pem", "TLS_KEY=key.pem", "MAX_UPSTREAM=0"},
			want:   &Healthcheck{Addr: ":8443", TLSCert: "cert.pem", Timeout: time.Second},
		},
		"version": {args: []string{"version"}, want: &Version{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(tt.args, env(tt.env...), io.Discard)
			if err != nil {
				t.Fatalf("%s: Parse returned the error %v", tt.reason, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestParse_Problems(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		env  []string
		want []string // a substring of each line of the error, in order
	}{
		"all at once": {
			args: []string{
				"--addr=nowhere", "--public-url=//x", "--api-url=ftp://x", "--site-url=https://u:p@x", "--oembed-url=https://x/?a=b",
				"--request-timeout=0s", "--drain-timeout=-1s", "--max-upstream=0", "--operation-budget=-3",
				"--cache-bytes=-1", "--stale-for=-1s", "--upstream-rate=-1", "--upstream-total-rate=0.001", "--upstream-burst=0", "--upstream-retries=3",
				"--log-format=xml",
			},
			want: []string{
				"--addr must be host:port", "--public-url must be a URL", "--api-url must be a URL",
				"--site-url must not contain a user name or password", "--oembed-url must not contain a query",
				"--request-timeout must be between", "--drain-timeout must be between", "--max-upstream must be between 1 and",
				"--operation-budget must be between 1 and", "--cache-bytes must not be", "--stale-for must be between",
				"--upstream-rate must be 0, or between 0.01", "--upstream-total-rate must be 0, or between 0.01", "--upstream-burst must be between", "--upstream-retries must be between 0", "--log-format must be text or json",
			},
		},
		"health check": {
			args: []string{"healthcheck", "--addr=:0", "--timeout=2m"},
			want: []string{"--addr must have the port of the server", "--timeout must be between 1ms and 1m"},
		},
		"limits of responses": {
			args: []string{
				"--max-depth=0", "--max-root-fields=0", "--max-aliases=0", "--max-directives=0", "--max-tokens=0", "--log-sample=0", "--client-inflight=-1", "--client-requests=-1", "--client-calls=1000001",
				"--max-body=1", "--max-response-fields=0", "--max-response-bytes=0", "--memory-limit=1KiB",
			},
			want: []string{"--max-depth must be between 1", "--max-root-fields must be between 1", "--max-aliases must be between 1", "--max-directives must be between 1", "--max-tokens must be between 1", "--client-inflight must be", "--client-requests must be", "--client-calls must be between 1 and 1000000", "--max-body must be between 1KiB and 1GiB, not 1", "--max-response-fields must be between 1", "--max-response-bytes must be at least 1", "--memory-limit must be 0 or at least 64MiB, not 1KiB", "--log-sample must be between 1"},
		},
		"invalid sizes": {
			args: []string{"--max-response-bytes=16MB", "--memory-limit=9999999999GiB"},
			want: []string{"--max-response-bytes must be a size", "--memory-limit must be a size"},
		},
		"invalid values of the upstream": {
			args: []string{"--cache-bytes=99999999999999999999", "--stale-for=1d", "--upstream-rate=fast", "--upstream-burst=1.5", "--upstream-retries=x"},
			want: []string{"--cache-bytes must be a size such as 16MiB", "--stale-for must be a duration", "--upstream-rate must be a number", "--upstream-burst must be a whole number", "--upstream-retries must be a whole number"},
		},
		"invalid values of the upstream, in the environment": {
			env:  []string{"CACHE_BYTES=-1", "STALE_FOR=721h", "UPSTREAM_RATE=NaN", "UPSTREAM_BURST=10001", "UPSTREAM_RETRIES=-1", "REDIS_URL=redis://me:s3cret@host:99999"},
			want: []string{"--cache-bytes must not be", "--stale-for must be between", "--upstream-rate must be 0, or", "--upstream-burst must be between", "--upstream-retries must be between 0", "--redis-url has a port", "--redis-url requires a secret key"},
		},
		"a rate that is too low": {args: []string{"--upstream-rate=1e-300"}, want: []string{"--upstream-rate must be 0, or between 0.01"}},
		"an infinite rate":       {args: []string{"--upstream-rate=Inf"}, want: []string{"--upstream-rate must be 0, or between 0.01"}},
		"invalid lifetimes": {
			args: []string{"--fresh-for=list=-1s", "--fresh-for=mixtape=1m chart=721h"},
			want: []string{"--fresh-for chart must be between", "--fresh-for list must be between", `--fresh-for does not know the kind "mixtape": use one of user, `},
		},
		"unknown mechanisms":  {args: []string{"--disable=look-ahead,caching"}, want: []string{`--disable does not know the mechanism "caching": use look-ahead or projection`}},
		"malformed lifetimes": {args: []string{"--fresh-for=list", "--fresh-for=list=soon"}, want: []string{`--fresh-for must be a kind and a duration such as list=30s, not "list"`, "--fresh-for must be a kind"}},
		"ports":               {args: []string{"--addr=127.0.0.1:65536"}, want: []string{"--addr must end with a port between 0 and 65535"}},
		"demo and a base URL": {args: []string{"--demo", "--api-url=http://127.0.0.1:1"}, want: []string{"--api-url cannot be combined with --demo"}},
		"sign-in, all at once": {
			args: []string{
				"--oauth-client-id=a b", "--public-url=http://graph.example.org",
				"--oauth-redirect-uri=http://app.example/cb", "--oauth-redirect-uri=https://u:p@app.example/cb", "--oauth-redirect-uri=/cb",
				"--oauth-redirect-uri=https://app.example/#x", "--oauth-redirect-uri=javascript:alert(1)", "--oauth-redirect-uri=https:///cb", "--oauth-redirect-uri=https://é.example",
			},
			env: []string{"SECRET_KEY=short"},
			want: []string{
				"MIXCLOUD_GRAPHQL_SECRET_KEY must have at least 32 bytes",
				"--oauth-redirect-uri must begin with https://", "--oauth-redirect-uri must not contain a user name", "--oauth-redirect-uri must be an absolute URI",
				"--oauth-redirect-uri must not have a fragment", "--oauth-redirect-uri must begin with", "--oauth-redirect-uri must begin with", "--oauth-redirect-uri must be an absolute URI",
				"--oauth-client-id must be printable", "--oauth-client-id requires the client secret in MIXCLOUD_GRAPHQL_OAUTH_CLIENT_SECRET",
				"--public-url must begin with https:// if --oauth-client-id is set",
			},
		},
		"origins that no browser sends": {
			args: []string{
				"--allow-origin=*", "--allow-origin=https://app.example.com/", "--allow-origin=app.example.com", "--allow-origin=https://App.example.com",
				"--allow-origin=https://*.example.com", "--allow-origin=https://app.example.com:443", "--allow-origin=null", "--allow-origin=https://u@app.example.com",
			},
			want: []string{
				"--allow-origin must not be *", "--allow-origin must be an origin such as", "--allow-origin must be an origin such as", "--allow-origin must be a single origin in lower case",
				"--allow-origin must be a single origin in lower case", "--allow-origin must not contain the default port", "--allow-origin must be an origin such as", "--allow-origin must be an origin such as",
			},
		},
		"a certificate without a key": {
			args: []string{"--tls-cert=cert.pem"},
			want: []string{"--tls-cert requires --tls-key"},
		},
		"a key without a certificate": {
			env:  []string{"TLS_KEY=key.pem"},
			want: []string{"--tls-key requires --tls-cert"},
		},
		"a missing certificate": {
			args: []string{"--tls-cert=testdata/none.pem", "--tls-key=testdata/none.pem"},
			want: []string{"--tls-cert and --tls-key cannot be loaded: open testdata/none.pem: no such file"},
		},
		"invalid proxies": {
			args: []string{"--trusted-proxy=proxy.example.com", "--trusted-proxy=10.0.0.0/33", "--trusted-proxy=::ffff:10.0.0.0/104"},
			want: []string{`--trusted-proxy must be an IP address or a network such as 10.0.0.0/8, not "proxy.example.com"`, "--trusted-proxy must be", "--trusted-proxy must be"},
		},
		"sign-in without a client ID": {
			args: []string{"--oauth-redirect-uri=https://app.example/cb"},
			env:  []string{"OAUTH_CLIENT_SECRET=s3cret"},
			want: []string{"MIXCLOUD_GRAPHQL_OAUTH_CLIENT_SECRET requires --oauth-client-id", "--oauth-redirect-uri requires --oauth-client-id"},
		},
		"sign-in on all addresses": {
			args: []string{"--oauth-client-id=app", "--addr=:8080"},
			env:  []string{"OAUTH_CLIENT_SECRET=s3cret"},
			want: []string{"--oauth-client-id requires --public-url"},
		},
		"emulator":     {args: []string{"emulator", "--latency=-1s", "--addr="}, want: []string{"--addr must be host:port", "--latency must be between"}},
		"conformance":  {args: []string{"conformance", "--rate=NaN", "--api-url=x"}, want: []string{"--api-url must be", "--rate must be above 0"}},
		"not a number": {env: []string{"MAX_UPSTREAM=many"}, want: []string{`--max-upstream must be a whole number, not "many"`}},
		"malformed values and invalid ones": {
			args: []string{"--max-upstream=x", "--operation-budget=1.5", "--log-level=loud", "--addr=nowhere"},
			env:  []string{"REQUEST_TIMEOUT=30"},
			want: []string{
				"--max-upstream must be a whole number", "--operation-budget must be a whole number", "--log-level must be debug, info, warn or error",
				"--request-timeout must be a duration such as 30s", "--addr must be host:port",
			},
		},
		"emulator, malformed":       {args: []string{"emulator", "--seed=x", "--latency=5"}, want: []string{"--seed must be a whole number", "--latency must be a duration"}},
		"conformance, malformed":    {args: []string{"conformance", "--rate=slow"}, want: []string{"--rate must be a number"}},
		"unknown flag":              {args: []string{"--frobnicate"}, want: []string{"unknown flag --frobnicate"}},
		"unknown command":           {args: []string{"frobnicate"}, want: []string{"unexpected argument frobnicate"}},
		"redis without a key":       {args: []string{"--redis-url=redis://localhost"}, want: []string{"--redis-url requires a secret key in MIXCLOUD_GRAPHQL_SECRET_KEY"}},
		"redis with a short key":    {args: []string{"--redis-url=redis://localhost"}, env: []string{"SECRET_KEY=short"}, want: []string{"at least 32 bytes"}},
		"redis with another scheme": {args: []string{"--redis-url=https://localhost"}, want: []string{"--redis-url must begin with redis://", "requires a secret key"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(tt.args, env(tt.env...), io.Discard)
			if err == nil {
				t.Fatal("Parse returned no error")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tt.want) {
				t.Fatalf("got %d problems, want %d:\n%v", len(lines), len(tt.want), err)
			}
			for i, part := range tt.want {
				if !strings.Contains(lines[i], part) {
					t.Errorf("problem %d is %q, want it to contain %q", i, lines[i], part)
				}
			}
		})
	}
}

func TestParse_Help(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	_, err := Parse([]string{"serve", "--help"}, env(), &out)
	if !errors.Is(err, ErrHelp) {
		t.Fatalf("Parse = %v, want ErrHelp", err)
	}
	for _, part := range []string{"--drain-timeout", "$MIXCLOUD_GRAPHQL_DRAIN_TIMEOUT", "(default 256MiB,", "(default 30s,"} {
		if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), part) { // kong wraps lines
			t.Errorf("the help does not mention %s:\n%s", part, out.String())
		}
	}
}

// Parsing the output of Print as environment variables results in the same settings.
func TestPrint_RoundTrip(t *testing.T) {
	t.Parallel()
	want, err := Parse([]string{"--max-upstream=9", "--log-level=warn", "--public-url=https://g.example/x", "--request-timeout=1m30s", "--demo", "--fresh-for=list=30s", "--fresh-for=artist=36h", "--disable=projection,look-ahead", "--oauth-redirect-uri=https://a/x", "--oauth-redirect-uri=https://b/y"}, env(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Print(&out, want); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(out.String(), envPrefix, "")), "\n")
	got, err := Parse(nil, env(lines...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the settings differ after Print and Parse (-want +got):\n%s", diff)
	}
}

func TestSecret_IsNeverShown(t *testing.T) {
	t.Parallel()
	const canary = "s3cret-canary"
	cmd, err := Parse([]string{"conformance"}, env("TOKEN="+canary), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Print(&out, cmd); err != nil {
		t.Fatal(err)
	}
	c := cmd.(*Conformance)
	fmt.Fprintf(&out, "%v %+v %#v %s %q %x\n", c, c, c, c.Token, c.Token, c.Token)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "secret", c.Token, "all", c)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "secret", c.Token, "all", c)
	if strings.Contains(out.String(), canary) || strings.Contains(out.String(), fmt.Sprintf("%x", canary)) {
		t.Errorf("the output contains the secret:\n%s", out.String())
	}
	if !strings.Contains(out.String(), "MIXCLOUD_GRAPHQL_TOKEN=[redacted]") {
		t.Errorf("Print does not report that the secret is set:\n%s", out.String())
	}
	if c.Token.Reveal() != canary {
		t.Errorf("Reveal() = %q, want %q", c.Token.Reveal(), canary)
	}
}

func TestServe_SecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	const canary = "s3cret-canary-s3cret-canary-s3cret-canary"
	cmd, err := Parse([]string{"--oauth-client-id=app"}, env("SECRET_KEY="+canary, "OAUTH_CLIENT_SECRET="+canary), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Print(&out, cmd); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%v %+v %#v\n", cmd, cmd, cmd)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "all", cmd)
	_, err = Parse([]string{"--oauth-client-id=app"}, env("SECRET_KEY=s3cret-canary", "OAUTH_CLIENT_SECRET="+canary), io.Discard)
	fmt.Fprintln(&out, err)
	if err == nil || strings.Contains(out.String(), "s3cret-canary") {
		t.Errorf("Parse with a short secret key: error %v, want one; or the output contains a secret:\n%s", err, out.String())
	}
	for _, name := range []string{"SECRET_KEY", "OAUTH_CLIENT_SECRET"} {
		if !strings.Contains(out.String(), envPrefix+name+"=[redacted]") {
			t.Errorf("Print does not report that %s is set:\n%s", name, out.String())
		}
	}
}

// The table of docs/configuration.md is generated from the structs, between two markers.
func TestTable(t *testing.T) {
	t.Parallel()
	table, err := Table()
	if err != nil {
		t.Fatal(err)
	}
	const golden, page = "testdata/table.md", "../../docs/configuration.md"
	const begin, end = "<!-- config:begin -->\n", "<!-- config:end -->"
	if *update {
		if err := os.WriteFile(golden, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), table); diff != "" {
		t.Errorf("%s is out of date: run this test with -update (-file +generated):\n%s", golden, diff)
	}

	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), begin)
	inside, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("docs/configuration.md has no %s … %s", strings.TrimSpace(begin), end)
	}
	if *update {
		if err := os.WriteFile(page, []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(inside, table); diff != "" {
		t.Errorf("the table in docs/configuration.md is out of date: run this test with -update (-file +generated):\n%s", diff)
	}
}
