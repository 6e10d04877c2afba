package config

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const goodKey = "0123456789abcdef0123456789abcdef"

// inFiles writes files to a new directory. In texts it replaces $name by the path of the
// file with that name.
func inFiles(t *testing.T, files map[string]string, texts ...[]string) [][]string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var all [][]string
	for _, list := range texts {
		var done []string
		for _, text := range list {
			done = append(done, regexp.MustCompile(`\$(\w+)`).ReplaceAllString(text, dir+"/$1"))
		}
		all = append(all, done)
	}
	return all
}

func TestParse_Sources(t *testing.T) {
	t.Parallel()
	config := func(c *Serve) { c.Config = "" } // the path differs in each run
	tests := map[string]struct {
		reason    string
		files     map[string]string
		args, env []string
		change    func(*Serve)
	}{
		"every type in a file": {
			files: map[string]string{"c": `# comment
addr: 127.0.0.1:9999
demo: true
request-timeout: 45s
max-upstream: 8
upstream-rate: 2.5
cache-bytes: 64MiB
memory-limit: 536870912
log-level: debug
allow-origin: [https://a.example, "https://b.example"]
fresh-for:
  list: 30s
  chart: 1m
disable: [look-ahead, projection]
public-url: ""
stale-for:
`},
			args: []string{"--config=$c"},
			change: func(c *Serve) {
				c.Addr, c.Demo, c.RequestTimeout, c.MaxUpstream, c.UpstreamRate = "127.0.0.1:9999", true, 45*time.Second, 8, 2.5
				c.CacheBytes, c.MemoryLimit, c.AllowOrigin = 64<<20, 512<<20, []string{"https://a.example", "https://b.example"}
				c.FreshFor = Lifetimes{"list": 30 * time.Second, "chart": time.Minute}
				c.Disable = Mechanisms{LookAhead, Projection}
				_ = c.Log.Level.UnmarshalText([]byte("debug"))
			},
		},
		"a file with one line": {
			files:  map[string]string{"c": "max-upstream: 8"},
			env:    []string{"CONFIG=$c"},
			change: func(c *Serve) { c.MaxUpstream = 8 },
		},
		"an empty file": {
			files: map[string]string{"c": "# nothing yet\n"},
			args:  []string{"--config", "$c"},
		},
		"precedence": {
			reason: "flag, environment, file, default; lists replace each other",
			files: map[string]string{"c": `
max-upstream: 1
operation-budget: 1
max-aliases: 1
demo: true
allow-origin: [https://file.example, https://other.example]
`},
			args: []string{"--config=$c", "--max-upstream=3", "--demo=false"},
			env:  []string{"MAX_UPSTREAM=2", "OPERATION_BUDGET=2", "ALLOW_ORIGIN=https://env.example"},
			change: func(c *Serve) {
				c.MaxUpstream, c.OperationBudget, c.MaxAliases = 3, 2, 1
				c.AllowOrigin = []string{"https://env.example"}
			},
		},
		"secrets in files of their own": {
			files: map[string]string{"key": goodKey + "\n", "redis": "redis://me:pw@host\n"},
			env:   []string{"SECRET_KEY_FILE=$key", "REDIS_URL_FILE=$redis"},
			change: func(c *Serve) {
				c.SecretKey, c.RedisURL = goodKey, "redis://me:pw@host"
			},
		},
		"the URL of Redis without a password": {
			files:  map[string]string{"c": "redis-url: redis://host:7000"},
			args:   []string{"--config=$c"},
			env:    []string{"SECRET_KEY=" + goodKey},
			change: func(c *Serve) { c.SecretKey, c.RedisURL = goodKey, "redis://host:7000" },
		},
		"variables of Kubernetes and of other commands": {
			env: []string{
				"SERVICE_HOST=10.0.0.1", "SERVICE_PORT=80", "SERVICE_PORT_HTTP=80", "PORT=tcp://10.0.0.1:80", "PORT_80_TCP=tcp://10.0.0.1:80",
				"PORT_80_TCP_ADDR=10.0.0.1", "REDIS_SERVICE_HOST=10.0.0.2", "REDIS_PORT=tcp://10.0.0.2:6379", "REDIS_PORT_6379_TCP_PROTO=tcp",
				"SEED=7", "LATENCY=nonsense", "TOKEN=t", "TOKEN_FILE=/nonexistent", "RATE=x", "REPORT=y", "MAX_UPSTREM=",
			},
		},
		"variables of other programs": {},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			texts := inFiles(t, tt.files, tt.args, tt.env)
			got, err := Parse(texts[0], append(env(texts[1]...), "MIXCLOUD=x", "mixcloud_graphql_max_upstream=x"), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			want := defaults()
			if tt.change != nil {
				tt.change(want)
			}
			config(got.(*Serve))
			if diff := cmp.Diff(want, got.(*Serve)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

// Each problem names the origin of the value.
func TestParse_Origins(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		files     map[string]string
		args, env []string
		want      []string // the lines of the error
	}{
		"flag, environment and file": {
			files: map[string]string{"c": "# c\nmax-aliases: 0\ncache-bytes: -1\nrequest-timeout: soon\ndemo: maybe"},
			args:  []string{"--config=$c", "--max-upstream=0"},
			env:   []string{"OPERATION_BUDGET=x", "LOG_FORMAT=xml", "FRESH_FOR=list=-1s"},
			want: []string{
				`--demo must be true or false, not "maybe" (set in $c, line 5)`,
				`--request-timeout must be a duration such as 30s or 1m30s, not "soon" (set in $c, line 4)`,
				`--operation-budget must be a whole number, not "x" (set by MIXCLOUD_GRAPHQL_OPERATION_BUDGET)`,
				`--max-upstream must be between 1 and 1024, not 0`,
				`--cache-bytes must not be negative (set in $c, line 3)`,
				`--max-aliases must be between 1 and 100000, not 0 (set in $c, line 2)`,
				`--fresh-for list must be between 0s and 720h, not -1s (set by MIXCLOUD_GRAPHQL_FRESH_FOR)`,
				`--log-format must be text or json, not "xml" (set by MIXCLOUD_GRAPHQL_LOG_FORMAT)`,
			},
		},
		"keys of a file": {
			files: map[string]string{"c": `
max-upstrem: 3
frobnicate: {a: [1]}
secret-key: s3cret
oauth-client-secret: s3cret
token: s3cret
seed: 7
config: other.yaml
redis-url: redis://me:s3cret@host
max-aliases: [1, 2]
max-directives: {a: 1}
log-level: &a debug
allow-origin: [[x]]
fresh-for: {list: [s3cret]}
`},
			args: []string{"--config=$c"},
			want: []string{
				"$c, line 2: max-upstrem is not a setting of the command serve: did you mean max-upstream?",
				"$c, line 3: frobnicate is not a setting of the command serve",
				"$c, line 4: secret-key is a secret and must not be in the file: set MIXCLOUD_GRAPHQL_SECRET_KEY, or MIXCLOUD_GRAPHQL_SECRET_KEY_FILE to the path of a file",
				"$c, line 5: oauth-client-secret is a secret and must not be in the file: set MIXCLOUD_GRAPHQL_OAUTH_CLIENT_SECRET, or MIXCLOUD_GRAPHQL_OAUTH_CLIENT_SECRET_FILE to the path of a file",
				"$c, line 6: token is a secret and must not be in the file: set MIXCLOUD_GRAPHQL_TOKEN, or MIXCLOUD_GRAPHQL_TOKEN_FILE to the path of a file",
				"$c, line 7: seed is not a setting of the command serve",
				"$c, line 8: config is not a setting of the command serve",
				"$c, line 9: redis-url must not contain a password in this file: set MIXCLOUD_GRAPHQL_REDIS_URL, or MIXCLOUD_GRAPHQL_REDIS_URL_FILE to the path of a file",
				"$c, line 10: max-aliases must be a single value, not a list",
				"$c, line 11: max-directives must be a single value, not a mapping",
				"$c, line 12: log-level must be a scalar value",
				"$c, line 13: allow-origin must be a list of scalar values",
				"$c, line 14: fresh-for must map names to scalar values",
			},
		},
		"invalid YAML": {
			files: map[string]string{"c": "max-upstream: 3\nsecret: [s3cret\n"},
			args:  []string{"--config=$c"},
			want:  []string{"$c, line 2: is not YAML: sequence end token ']' not found"},
		},
		"a duplicate key": {
			files: map[string]string{"c": "max-upstream: 3\nmax-upstream: 4\n"},
			args:  []string{"--config=$c"},
			want:  []string{`$c, line 2: is not YAML: mapping key "max-upstream" already defined at [1:1]`},
		},
		"not a mapping":    {files: map[string]string{"c": "- a"}, args: []string{"--config=$c"}, want: []string{"$c, line 1: must be a mapping of flags to values, such as max-upstream: 16"}},
		"two documents":    {files: map[string]string{"c": "demo: true\n---\ndemo: false"}, args: []string{"--config=$c"}, want: []string{"$c, line 3: a second YAML document begins here: the file must contain one"}},
		"a missing file":   {env: []string{"CONFIG=$c"}, want: []string{"--config cannot be read: open $c: no such file or directory (set by MIXCLOUD_GRAPHQL_CONFIG)"}},
		"a directory":      {args: []string{"--config=/"}, want: []string{"--config cannot be read: read /: is a directory"}},
		"an infinite file": {args: []string{"--config=/dev/zero"}, want: []string{"--config cannot be read: /dev/zero is larger than 1MiB"}},
		"unknown variables": {env: []string{"MAX_UPSTREM=3", "FROBNICATE=1", "PORTS=1", "SERVICE=1", "MAX_UPSTREAM_FILE=x"}, want: []string{
			"MIXCLOUD_GRAPHQL_FROBNICATE is not a variable of this program",
			"MIXCLOUD_GRAPHQL_MAX_UPSTREAM_FILE is not a variable of this program: did you mean MIXCLOUD_GRAPHQL_MAX_UPSTREAM?",
			"MIXCLOUD_GRAPHQL_MAX_UPSTREM is not a variable of this program: did you mean MIXCLOUD_GRAPHQL_MAX_UPSTREAM?",
			"MIXCLOUD_GRAPHQL_PORTS is not a variable of this program",
			"MIXCLOUD_GRAPHQL_SERVICE is not a variable of this program",
		}},
		"variables of another command": {args: []string{"emulator"}, env: []string{"SEEED=1", "MAX_UPSTREAM=x", "SECRET_KEY=short"}, want: []string{
			"MIXCLOUD_GRAPHQL_SEEED is not a variable of this program: did you mean MIXCLOUD_GRAPHQL_SEED?",
		}},
		"secrets": {
			files: map[string]string{"short": "short", "empty": "\n"},
			args:  []string{"--oauth-client-id=app"},
			env:   []string{"SECRET_KEY_FILE=$short", "OAUTH_CLIENT_SECRET_FILE=$empty"},
			want: []string{
				"MIXCLOUD_GRAPHQL_OAUTH_CLIENT_SECRET_FILE must be the path of a file that contains the value: $empty is empty",
				"MIXCLOUD_GRAPHQL_SECRET_KEY must have at least 32 bytes, such as the output of openssl rand -base64 32 (read from $short, set by MIXCLOUD_GRAPHQL_SECRET_KEY_FILE)",
				"--oauth-client-id requires the client secret in MIXCLOUD_GRAPHQL_OAUTH_CLIENT_SECRET",
			},
		},
		"a secret set in two ways": {
			files: map[string]string{"key": goodKey},
			env:   []string{"SECRET_KEY_FILE=$key", "SECRET_KEY=" + goodKey},
			want:  []string{"MIXCLOUD_GRAPHQL_SECRET_KEY and MIXCLOUD_GRAPHQL_SECRET_KEY_FILE are both set: remove one of them"},
		},
		"a missing secret file": {
			env:  []string{"SECRET_KEY_FILE=$key"},
			want: []string{"MIXCLOUD_GRAPHQL_SECRET_KEY_FILE must be the path of a file that contains the value: open $key: no such file or directory"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			texts := inFiles(t, tt.files, tt.args, tt.env, tt.want)
			_, err := Parse(texts[0], env(texts[1]...), io.Discard)
			if err == nil {
				t.Fatal("Parse returned no error")
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error contains a secret: %v", err)
			}
			got := strings.Split(err.Error(), "\n")
			if diff := cmp.Diff(texts[2], got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// Settings do not matter for the version command.
func TestParse_VersionIgnoresTheEnvironment(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"version"}, {"--version"}, {"serve", "--version"}, {"--version", "--max-upstream=0"}} {
		cmd, err := Parse(args, env("FROBNICATE=1", "HELP=1", "VERSION=1"), io.Discard)
		if _, ok := cmd.(*Version); !ok || err != nil {
			t.Errorf("Parse(%q) = %#v, %v, want a *Version", args, cmd, err)
		}
	}
}

// Kubernetes cannot set a setting of this program by accident.
func TestVariables_AreNotThoseOfKubernetes(t *testing.T) {
	t.Parallel()
	app, err := model(new(CLI))
	if err != nil {
		t.Fatal(err)
	}
	known := variables(app)
	for name := range known {
		if kubernetes.MatchString(name) {
			t.Errorf("the variable %s has a name that Kubernetes sets itself for a service", name)
		}
	}
	if !known["MAX_UPSTREAM"] || !known["SEED"] || !known["TOKEN_FILE"] || !known["REDIS_URL_FILE"] || known["HELP"] {
		t.Errorf("known variables are %v, want MAX_UPSTREAM, SEED, TOKEN_FILE and REDIS_URL_FILE among them, but not HELP", known)
	}
}

func TestDurationText(t *testing.T) {
	t.Parallel()
	for _, want := range []string{"0s", "1ms", "30s", "1m", "1m30s", "1h", "24h", "1h1m", "1h0m1s", "10m", "100h", "1h30m"} {
		d, err := time.ParseDuration(want)
		if err != nil {
			t.Fatal(err)
		}
		if got := durationText(d); got != want {
			t.Errorf("durationText(%v) = %q, want %q", d, got, want)
		}
	}
}
