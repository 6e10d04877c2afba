// Package config is everything that can be set from outside: one struct for
// each command, filled by [Parse].
//
// Every flag --some-name is also the variable MIXCLOUD_GRAPHQL_SOME_NAME and, for
// the server, the key some-name of the YAML file that --config names. The command
// line wins over the environment, the environment over the file, the file over the
// default. Empty values count as unset. Names that are not known are refused, and
// each problem names the origin of the value.
//
// Secrets come from the environment alone, or from a file that the variable
// MIXCLOUD_GRAPHQL_NAME_FILE names: a command line can be read by every user of a
// machine, and the file of --config is likely to be kept in version control.
package config

import (
	"log/slog"
	"time"

	"mixcloud-graphql/internal/redisurl"
	"mixcloud-graphql/internal/telemetry"
)

// CLI is the command line. After [Parse], the member of the command that was
// chosen holds its settings.
type CLI struct {
	Serve       Serve       `cmd:"" default:"withargs" help:"Serve the graph (what happens without a command)."`
	Emulator    Emulator    `cmd:"" help:"Serve a small Mixcloud in memory, to develop and test against."`
	Conformance Conformance `cmd:"" help:"Compare a Mixcloud with what this project believes of it."`
	Schema      Schema      `cmd:"" help:"Print the schema in the schema definition language."`
	Version     Version     `cmd:"" help:"Print the version."`

	VersionFlag versionFlag `name:"version" help:"Print the version and exit."`
}

// Serve configures the server itself.
type Serve struct {
	Addr            string        `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on. Port 0 takes any free one."`
	Demo            bool          `help:"Serve a small Mixcloud in memory instead of the real one: no network, no rate limit, tokens such as demo-token."`
	PublicURL       string        `name:"public-url" placeholder:"URL" help:"Address under which browsers reach this server, if not the one it listens on."`
	APIURL          string        `name:"api-url" default:"${apiURL}" placeholder:"URL" help:"Root of Mixcloud's REST API."`
	SiteURL         string        `name:"site-url" default:"${siteURL}" placeholder:"URL" help:"Root of Mixcloud's site."`
	OEmbedURL       string        `name:"oembed-url" default:"${oembedURL}" placeholder:"URL" help:"Mixcloud's oEmbed endpoint."`
	OAuthClientID   string        `name:"oauth-client-id" placeholder:"ID" help:"Application that this server is registered as at Mixcloud, so that people can sign in. With --demo there is one already."`
	OAuthRedirects  []string      `name:"oauth-redirect-uri" sep:" " placeholder:"URI" help:"Address that apps may have people sent back to, to exchange the code themselves; may be given several times, and in the environment separated by blanks."`
	RequestTimeout  time.Duration `default:"30s" placeholder:"DURATION" help:"How long an operation may take."`
	MaxWait         time.Duration `default:"1s" placeholder:"DURATION" help:"How long a new operation may wait for a free processor. After that it is refused with status 503 and Retry-After."`
	DrainTimeout    time.Duration `default:"30s" placeholder:"DURATION" help:"How long requests in flight may go on after SIGTERM or SIGINT. A second signal ends at once."`
	MaxUpstream     int           `default:"32" placeholder:"N" help:"Most calls to Mixcloud at the same time, all operations together."`
	OperationBudget int           `default:"200" placeholder:"N" help:"Most calls to Mixcloud for one operation."`
	CacheBytes      Bytes         `default:"256MiB" placeholder:"SIZE" help:"Most bytes that answers of Mixcloud are kept in. 0 keeps nothing, so that nothing is answered while Mixcloud is down."`
	FreshFor        Lifetimes     `placeholder:"KIND=DURATION" help:"How long answers of a kind are as good as new, such as list=30s; may be given several times, and in the environment separated by blanks. Kinds: user, cloudcast, tag, category, playlist, artist, track, list, chart, search, categories, player and viewer."`
	StaleFor        time.Duration `default:"24h" placeholder:"DURATION" help:"How long an answer is kept to stand in for Mixcloud while it is down or refuses for its rate limit. 0 gives fresh answers only."`
	UpstreamRate    float64       `default:"50" placeholder:"N" help:"Maximum calls to Mixcloud per second of one kind (read, action, edit or upload): one limit shared by anonymous requests, one for each token. Tokens that Mixcloud has not accepted yet share one of 5. 0 means no limit. Refusals lower the rate in any case. With --demo there is no limit."`
	UpstreamBurst   int           `default:"500" placeholder:"N" help:"Calls to Mixcloud that may be made at once after a quiet time."`
	TotalRate       float64       `name:"upstream-total-rate" default:"0" placeholder:"N" help:"Maximum calls to Mixcloud per second of the whole process. 0 means no limit."`
	UpstreamRetries int           `default:"2" placeholder:"N" help:"How often a read of Mixcloud is tried again that broke by chance."`
	RedisURL        redisurl.URL  `name:"redis-url" placeholder:"URL" help:"Redis or Valkey that replicas share: redis://, rediss://, redis-sentinel://, rediss-sentinel:// or unix://; several hosts of a cluster are separated by commas. Without it, and whenever it is away, the server works by itself. Needs the secret key."`
	MaxDepth        int           `default:"25" placeholder:"N" help:"Maximum number of levels of fields that an operation may nest. Introspection does not count."`
	MaxRootFields   int           `default:"100" placeholder:"N" help:"Maximum number of root fields in an operation, with those of its fragments."`
	MaxAliases      int           `default:"1000" placeholder:"N" help:"Maximum number of response keys in one selection set, with those of its fragments."`
	MaxDirectives   int           `default:"50" placeholder:"N" help:"Maximum number of directives in a document."`
	MaxTokens       int           `default:"15000" placeholder:"N" help:"Maximum number of lexical tokens in a document."`
	MaxBody         Bytes         `default:"1MiB" placeholder:"SIZE" help:"Maximum size of a JSON request body; of a form, that of its operations."`
	ClientInflight  int           `default:"0" placeholder:"N" help:"Maximum number of requests that one client may have in flight. A client is the person of a token that Mixcloud has accepted, otherwise an address (of IPv6 a /64). Each replica counts by itself. 0 means no limit."`
	ClientRequests  int           `default:"0" placeholder:"N" help:"Maximum number of requests of one client per minute, and at once after a quiet minute. 0 means no limit."`
	ClientCalls     int           `default:"0" placeholder:"N" help:"Maximum number of calls to Mixcloud per minute that the operations of one client cause. An operation is not interrupted; what it makes beyond the limit delays the next. 0 means no limit."`
	MaxFields       int           `name:"max-response-fields" default:"200000" placeholder:"N" help:"Maximum number of fields in a response: each response key of each object, __typename and introspection included."`
	MaxBytes        Bytes         `name:"max-response-bytes" default:"16MiB" placeholder:"SIZE" help:"Maximum size of the data of a response."`
	MemoryLimit     Bytes         `default:"0" placeholder:"SIZE" help:"Memory that the process should stay within. 0 takes GOMEMLIMIT, or else the limit of the container. Responses that wait to be sent take 256 MiB, or half of the limit if that is less; above it new operations are refused."`
	Introspection   *bool         `default:"true" help:"Whether clients may read the schema. With false introspection is refused, errors suggest no names of the schema, and /schema.graphql is not there."`
	Manifest        string        `placeholder:"FILE" help:"Manifest of operations (Relay's or Apollo's format) that clients may name by their ids. It is read at start and on SIGHUP."`
	OnlyPersisted   bool          `help:"Execute only the operations of the manifest: other ids and all documents are refused before they are parsed."`
	AllowOrigin     []string      `name:"allow-origin" sep:" " placeholder:"ORIGIN" help:"Origin whose pages may use the graph, such as https://app.example.com; may be given several times, and in the environment separated by blanks. These pages may use the session cookie, which browsers send from the same site only (SameSite=Lax). Without it pages of every origin may use the graph, without the cookie."`
	TLSCert         string        `name:"tls-cert" placeholder:"FILE" help:"Certificate chain of the server in PEM, for HTTPS. Needs --tls-key."`
	TLSKey          string        `name:"tls-key" placeholder:"FILE" help:"Private key of the certificate, in PEM."`
	TrustedProxy    []string      `name:"trusted-proxy" sep:" " placeholder:"CIDR" help:"Addresses of proxies in front of the server, such as 10.0.0.0/8 or 192.0.2.7; may be given several times, and in the environment separated by blanks. Only from these the headers X-Forwarded-For and Forwarded name the client."`
	Config          string        `placeholder:"FILE" help:"YAML file with settings: its keys are the names of these flags. A flag or a variable wins over it. Secrets must not be in it."`
	PrintConfig     bool          `help:"Print the settings in force, without secrets, and exit."`
	Log             Log           `embed:"" prefix:"log-"`

	OAuthClientSecret Secret `kong:"-" env:"OAUTH_CLIENT_SECRET" help:"Secret of the application."`
	SecretKey         Secret `kong:"-" env:"SECRET_KEY" help:"What cookies are sealed with and audiences are named by: at least 32 bytes of any text that nobody can guess, such as openssl rand -base64 32 prints. The same for every replica. Without it each process makes up its own, and sign-ins end with it."`
}

// Introspects reports whether clients may read the schema: yes, unless it is set.
func (c *Serve) Introspects() bool { return c.Introspection == nil || *c.Introspection }

// Schema has nothing to configure.
type Schema struct{}

// Emulator configures the emulator served alone.
type Emulator struct {
	Addr      string        `default:"127.0.0.1:8081" placeholder:"HOST:PORT" help:"Address to listen on. Port 0 takes any free one."`
	Seed      int64         `default:"1" placeholder:"N" help:"Which world to make. The same seed makes the same world on every machine."`
	Latency   time.Duration `default:"0s" placeholder:"DURATION" help:"Delay of every answer of the API."`
	PublicURL string        `name:"public-url" placeholder:"URL" help:"Address under which browsers reach the emulator, if not the one it listens on."`
	Log       Log           `embed:"" prefix:"log-"`
}

// Conformance configures the comparison of a Mixcloud with this project's beliefs.
type Conformance struct {
	APIURL    string  `name:"api-url" default:"${apiURL}" placeholder:"URL" help:"Root of the REST API to ask."`
	SiteURL   string  `name:"site-url" default:"${siteURL}" placeholder:"URL" help:"Root of the site to ask."`
	OEmbedURL string  `name:"oembed-url" placeholder:"URL" help:"The oEmbed endpoint to ask, such as https://app.mixcloud.com/oembed/. By default the one below the site's root."`
	Rate      float64 `default:"1" placeholder:"N" help:"Most requests a second."`
	Report    string  `placeholder:"FILE" help:"Where to write a report as JSON, beside the table on standard output."`
	Token     Secret  `kong:"-" env:"TOKEN" help:"Access token, for what only a viewer can ask. Without it those questions are left out."`
	Log       Log     `embed:"" prefix:"log-"`
}

// Version has nothing to configure.
type Version struct{}

// versionFlag is --version, which does the same as the command. No other setting
// is read or judged then.
type versionFlag bool

// BeforeReset is called by kong once the command line has been parsed.
func (versionFlag) BeforeReset() error { return errVersion }

// Log configures the log, which goes to standard error.
type Log struct {
	Level  slog.Level       `default:"info" placeholder:"LEVEL" help:"Least level that is logged: debug, info, warn or error."`
	Format telemetry.Format `default:"text" placeholder:"FORMAT" help:"Form of a line of the log: text or json."`
}
