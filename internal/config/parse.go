package config

import (
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

const (
	program   = "mixcloud-graphql"
	envPrefix = "MIXCLOUD_GRAPHQL_"

	liveAPI    = "https://api.mixcloud.com"
	liveSite   = "https://www.mixcloud.com"
	liveOEmbed = "https://app.mixcloud.com/oembed/"
)

// ErrHelp is returned by [Parse] after it has printed the requested help.
var ErrHelp = errors.New("help was printed")

// A Command is one of the structs of [CLI].
type Command interface {
	// Validate returns all problems of the settings as one error, or nil. The text is for
	// the operator.
	Validate() error
}

// Parse reads the command line, the environment (NAME=VALUE lines, as os.Environ returns
// them) and the file of --config, in this order of precedence. It returns the validated
// command to run: a *Serve, *Emulator, *Conformance, *Healthcheck, *Schema or *Version. Help is printed
// to stdout.
func Parse(args, environ []string, stdout io.Writer) (_ Command, err error) {
	var cli CLI
	defer func() {
		if p := recover(); p == errExit { // kong's exit function, after it has printed help
			err = ErrHelp
		} else if p != nil {
			panic(p)
		}
	}()
	var invalid invalidValues
	from := &sources{env: environment(environ), origins: map[string]string{}}
	parser, err := newParser(&cli, stdout, append(invalid.options(), kong.Resolvers(from))...)
	if err != nil {
		return nil, err
	}
	from.known = variables(parser.Model)
	ctx, err := parser.Parse(args)
	if errors.Is(err, errVersion) {
		return &Version{}, nil
	}
	all := slices.Concat(from.problems, invalid.problems)
	if more, ok := errors.AsType[problems](err); ok { // without the text that kong adds
		all = append(all, more...)
	} else if err != nil {
		all = append(all, err)
	}
	if len(all) > 0 {
		all.locate(from.origins)
		return nil, all
	}
	return ctx.Selected().Target.Addr().Interface().(Command), nil
}

var (
	errExit    = errors.New("exit")
	errVersion = errors.New("--version")
)

func newParser(cli *CLI, stdout io.Writer, more ...kong.Option) (*kong.Kong, error) {
	return kong.New(cli, append(more,
		kong.Name(program),
		kong.Description("A GraphQL server over the Mixcloud REST API."),
		kong.Vars{"apiURL": liveAPI, "siteURL": liveSite, "oembedURL": liveOEmbed},
		kong.Writers(stdout, stdout),
		kong.Exit(func(int) { panic(errExit) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.ValueFormatter(func(v *kong.Value) string {
			if v.Flag == nil || slices.Contains(withoutVariable, v.Name) {
				return v.Help
			}
			if v.Default != "" {
				return v.Help + " (default " + v.Default + ", $" + envName(v.Name) + ")"
			}
			return v.Help + " ($" + envName(v.Name) + ")"
		}))...)
}

// withoutVariable are the flags that have no environment variable, because they print
// something instead of running a command.
var withoutVariable = []string{"help", "version"}

// envName returns the environment variable of a flag.
func envName(flag string) string { return envPrefix + envSuffix(flag) }

// envSuffix returns the environment variable of a flag, without the common prefix.
func envSuffix(flag string) string {
	return strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// A secret is a setting without a flag. Its name is that of its environment variable,
// without the prefix.
type secret struct {
	name, help string
	value      reflect.Value
}

func secrets(command reflect.Value) (found []secret) {
	for f, value := range command.Fields() {
		if name := f.Tag.Get("env"); name != "" {
			found = append(found, secret{name, f.Tag.Get("help"), value})
		}
	}
	return found
}
