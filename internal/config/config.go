// Package config defines the settings of each command as a struct. [Parse] fills it
// from the command line, the environment and a configuration file.
//
// Every flag --some-name is also the environment variable MIXCLOUD_GRAPHQL_SOME_NAME
// and, for the server, the key some-name of the YAML file that --config names. The
// command line takes precedence over the environment, the environment over the file, and
// the file over the default. Empty values count as unset. Unknown names are errors, and
// each error names the origin of the value.
//
// Secrets are read only from the environment, or from a file that the variable
// MIXCLOUD_GRAPHQL_NAME_FILE names: every user of a machine can read a command line, and
// the configuration file is probably under version control.
package config

import (
	"log/slog"
	"time"

	"mixcloud-graphql/internal/redisurl"
	"mixcloud-graphql/internal/telemetry"
)

// CLI is the command line. After [Parse], the field of the selected command holds its
// settings.
type CLI struct {
	Serve       Serve       `cmd:"" default:"withargs" help:"Run the GraphQL server (the default command)."`
	Emulator    Emulator    `cmd:"" help:"Run the Mixcloud emulator: a small in-memory Mixcloud for development and tests."`
	Conformance Conformance `cmd:"" help:"Check that Mixcloud's API behaves as this project expects."`
	Healthcheck Healthcheck `cmd:"" help:"Check that a server responds: exit with status 0 if /livez returns 200, otherwise with 1. For containers without curl."`
	Schema      Schema      `cmd:"" help:"Print the GraphQL schema (SDL)."`
	Version     Version     `cmd:"" help:"Print the version."`

	VersionFlag versionFlag `name:"version" help:"Print the version and exit."`
}

// Serve configures the server itself.
type Serve struct {
	Addr            string        `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on. Port 0 selects a free port."`
	Demo            bool          `help:"Use the built-in Mixcloud emulator instead of the real Mixcloud: no network and no rate limit. Sign in with tokens such as demo-token."`
	PublicURL       string        `name:"public-url" placeholder:"URL" help:"Public URL of this server, as browsers see it. The default is the address that it listens on."`
	APIURL          string        `name:"api-url" default:"${apiURL}" placeholder:"URL" help:"Base URL of Mixcloud's REST API."`
	SiteURL         string        `name:"site-url" default:"${siteURL}" placeholder:"URL" help:"Base URL of Mixcloud's website."`
	OEmbedURL       string        `name:"oembed-url" default:"${oembedURL}" placeholder:"URL" help:"URL of Mixcloud's oEmbed endpoint."`
	OAuthClientID   string        `name:"oauth-client-id" placeholder:"ID" help:"OAuth client ID of this server at Mixcloud. It enables sign-in. --demo has a client of its own."`
	OAuthRedirects  []string      `name:"oauth-redirect-uri" sep:" " placeholder:"URI" help:"Redirect URI of an app that signs its users in and exchanges the code itself. Repeatable; in the environment, separate several values by spaces."`
	RequestTimeout  time.Duration `default:"30s" placeholder:"DURATION" help:"Time limit for an operation."`
	MaxWait         time.Duration `default:"1s" placeholder:"DURATION" help:"Maximum time that a new operation waits for a free processor. Then it is refused with status 503 and Retry-After."`
	DrainTimeout    time.Duration `default:"30s" placeholder:"DURATION" help:"Time that requests in flight have to finish after SIGTERM or SIGINT. A second signal stops the server immediately."`
	MaxUpstream     int           `default:"32" placeholder:"N" help:"Maximum number of concurrent calls to Mixcloud, over all operations."`
	OperationBudget int           `default:"200" placeholder:"N" help:"Maximum number of calls to Mixcloud per operation."`
	CacheBytes      Bytes         `default:"256MiB" placeholder:"SIZE" help:"Maximum size of the response cache. 0 disables the cache; then the server cannot serve stale data while Mixcloud is down."`
	FreshFor        Lifetimes     `placeholder:"KIND=DURATION" help:"Freshness lifetime (TTL) of a kind of cache entry, such as list=30s. Repeatable; in the environment, separate several values by spaces. Kinds: user, cloudcast, tag, category, playlist, artist, track, list, chart, search, categories, player and viewer."`
	StaleFor        time.Duration `default:"24h" placeholder:"DURATION" help:"How long a stale cache entry may be served while Mixcloud is down or limits the rate. 0 disables stale responses."`
	UpstreamRate    float64       `default:"50" placeholder:"N" help:"Maximum calls to Mixcloud per second of one kind (read, action, edit or upload). Each token has a limit of its own, and anonymous requests share one. Tokens that Mixcloud has not accepted yet share a limit of 5. 0 means no limit. Rate-limit responses from Mixcloud lower the rate, even without a limit. --demo has no limit."`
	UpstreamBurst   int           `default:"500" placeholder:"N" help:"Burst of --upstream-rate: calls to Mixcloud that may start at once after a quiet period."`
	TotalRate       float64       `name:"upstream-total-rate" default:"0" placeholder:"N" help:"Maximum calls to Mixcloud per second, for the whole process. 0 means no limit."`
	UpstreamRetries int           `default:"2" placeholder:"N" help:"Maximum number of retries of a read that failed with a transient error, 0 to 2."`
	RedisURL        redisurl.URL  `name:"redis-url" placeholder:"URL" help:"URL of the Redis or Valkey server that replicas share: redis://, rediss://, redis-sentinel://, rediss-sentinel:// or unix://. Separate the hosts of a cluster by commas. If Redis is not set or not reachable, each replica uses its own memory. Requires the secret key."`
	MaxDepth        int           `default:"25" placeholder:"N" help:"Maximum nesting depth of the fields of an operation. Introspection does not count."`
	MaxRootFields   int           `default:"100" placeholder:"N" help:"Maximum number of root fields in an operation, including those of its fragments."`
	MaxAliases      int           `default:"1000" placeholder:"N" help:"Maximum number of response keys in one selection set, including those of its fragments."`
	MaxDirectives   int           `default:"50" placeholder:"N" help:"Maximum number of directives in a document."`
	MaxTokens       int           `default:"15000" placeholder:"N" help:"Maximum number of lexical tokens in a document."`
	MaxBody         Bytes         `default:"1MiB" placeholder:"SIZE" help:"Maximum size of a JSON request body. For a multipart form: maximum size of its operations part."`
	ClientInflight  int           `default:"0" placeholder:"N" help:"Maximum number of concurrent requests per client. A client is identified by a token that Mixcloud has accepted, otherwise by its IP address (IPv6: its /64 network). Each replica counts separately. 0 means no limit."`
	ClientRequests  int           `default:"0" placeholder:"N" help:"Maximum number of requests per minute and client, which is also the burst after a quiet minute. 0 means no limit."`
	ClientCalls     int           `default:"0" placeholder:"N" help:"Maximum number of calls to Mixcloud per minute for the operations of one client. A running operation is not interrupted; its calls above the limit delay the next operation. 0 means no limit."`
	MaxFields       int           `name:"max-response-fields" default:"200000" placeholder:"N" help:"Maximum number of fields in a response. Every response key of every object counts, including __typename and introspection."`
	MaxBytes        Bytes         `name:"max-response-bytes" default:"16MiB" placeholder:"SIZE" help:"Maximum size of the data of a response."`
	MemoryLimit     Bytes         `default:"0" placeholder:"SIZE" help:"Soft memory limit of the process. 0 means GOMEMLIMIT or, without it, twice the cache and 64 MiB, but at most 90 % of the limit of the container. A limit below twice the cache and 64 MiB reduces the cache. Request bodies and responses that wait to be sent use a part of what the cache leaves; above that, new operations are refused."`
	Introspection   *bool         `default:"true" help:"Allow clients to read the schema. If false, introspection is refused, /schema.graphql returns 404, and errors suggest no names of the schema."`
	Trace           string        `enum:"demo,always,never" default:"demo" placeholder:"WHEN" help:"When clients may request a trace of an operation (resolvers and calls with their times) with the header X-GraphQL-Trace: demo (only with --demo), always or never."`
	Disable         Mechanisms    `placeholder:"NAME" help:"For finding faults: mechanism to switch off, look-ahead (calls for lists before their parent has arrived) or projection (lists written from Mixcloud's JSON). Without it the server is slower and its responses are the same. Separate several names by commas."`
	Manifest        string        `placeholder:"FILE" help:"Manifest of persisted operations, in Relay's or Apollo's format. It is read at startup and on SIGHUP."`
	OnlyPersisted   bool          `help:"Execute only the operations of the manifest. Other ids and all documents are refused, without being parsed."`
	AllowOrigin     []string      `name:"allow-origin" sep:" " placeholder:"ORIGIN" help:"CORS: origin whose pages may send requests, with the session cookie, such as https://app.example.com. Repeatable; in the environment, separate several values by spaces. Browsers send the cookie only from the same site (SameSite=Lax). Without this flag, pages of every origin may send requests, without the cookie."`
	TLSCert         string        `name:"tls-cert" placeholder:"FILE" help:"TLS certificate chain, in PEM. Enables HTTPS. Requires --tls-key."`
	TLSKey          string        `name:"tls-key" placeholder:"FILE" help:"TLS private key, in PEM. Requires --tls-cert."`
	TrustedProxy    []string      `name:"trusted-proxy" sep:" " placeholder:"CIDR" help:"IP address or network of a reverse proxy, such as 192.0.2.7 or 10.0.0.0/8. Repeatable; in the environment, separate several values by spaces. The client's address is read from the headers Forwarded and X-Forwarded-For of these proxies only."`
	Config          string        `placeholder:"FILE" help:"YAML configuration file. Its keys are the names of these flags. Flags and environment variables take precedence. It must not contain secrets."`
	PrintConfig     bool          `help:"Print the effective settings, with secrets redacted, and exit."`
	Log             Log           `embed:"" prefix:"log-"`
	LogSample       int           `default:"1" placeholder:"N" help:"Log one of N successful requests in the access log. Requests that fail or are refused are always logged."`

	OAuthClientSecret Secret `kong:"-" env:"OAUTH_CLIENT_SECRET" help:"OAuth client secret of this server at Mixcloud."`
	SecretKey         Secret `kong:"-" env:"SECRET_KEY" help:"Secret key that encrypts cookies and derives principal ids. At least 32 random bytes, such as the output of openssl rand -base64 32; the same for every replica. Without it, each process generates its own, and sessions are lost on restart."`
}

// Introspects reports whether clients may read the schema. The default is true.
func (c *Serve) Introspects() bool { return c.Introspection == nil || *c.Introspection }

// Traces reports whether clients may request traces.
func (c *Serve) Traces() bool { return c.Trace == "always" || c.Trace == "demo" && c.Demo }

// Schema has no settings.
type Schema struct{}

// Emulator configures the emulator as a server of its own.
type Emulator struct {
	Addr      string        `default:"127.0.0.1:8081" placeholder:"HOST:PORT" help:"Address to listen on. Port 0 selects a free port."`
	Seed      int64         `default:"1" placeholder:"N" help:"Seed of the generated data. The same seed generates the same data on every machine."`
	Latency   time.Duration `default:"0s" placeholder:"DURATION" help:"Delay of every API response."`
	PublicURL string        `name:"public-url" placeholder:"URL" help:"Public URL of the emulator, as browsers see it. The default is the address that it listens on."`
	Log       Log           `embed:"" prefix:"log-"`
}

// Conformance configures the check that Mixcloud's API behaves as this project expects.
type Conformance struct {
	APIURL    string  `name:"api-url" default:"${apiURL}" placeholder:"URL" help:"Base URL of the REST API to check."`
	SiteURL   string  `name:"site-url" default:"${siteURL}" placeholder:"URL" help:"Base URL of the website to check."`
	OEmbedURL string  `name:"oembed-url" placeholder:"URL" help:"URL of the oEmbed endpoint to check, such as https://app.mixcloud.com/oembed/. The default is oembed/ below --site-url."`
	Rate      float64 `default:"1" placeholder:"N" help:"Maximum number of requests per second."`
	Report    string  `placeholder:"FILE" help:"File for a report in JSON, in addition to the table on standard output."`
	Token     Secret  `kong:"-" env:"TOKEN" help:"Access token for the checks that need a signed-in user. Without it, they are left out."`
	Log       Log     `embed:"" prefix:"log-"`
}

// Healthcheck configures the check that a server responds. It uses the names of the server's
// settings, so that the server's environment is sufficient.
type Healthcheck struct {
	Addr    string        `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address of the server, as in its --addr. Without a host, or with 0.0.0.0, it is this machine."`
	TLSCert string        `name:"tls-cert" placeholder:"FILE" help:"If set, as in the server's --tls-cert, use HTTPS. The file is not read, and the certificate is not verified."`
	Timeout time.Duration `default:"5s" placeholder:"DURATION" help:"Time limit for the response."`
}

// Version has no settings.
type Version struct{}

// versionFlag is --version, which does the same as the command. With it, no other setting
// is read or validated.
type versionFlag bool

// BeforeReset implements a hook of kong, which runs after the command line is parsed.
func (versionFlag) BeforeReset() error { return errVersion }

// Log configures the log, which goes to standard error.
type Log struct {
	Level  slog.Level       `default:"info" placeholder:"LEVEL" help:"Minimum log level: debug, info, warn or error."`
	Format telemetry.Format `default:"text" placeholder:"FORMAT" help:"Log format: text or json."`
}
