package config

import (
	"errors"
	"io"
	"reflect"
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

// ErrHelp is returned by [Parse] when help was asked for and has been printed.
var ErrHelp = errors.New("help was printed")

// A Command is one of the structs of [CLI].
type Command interface {
	// Validate returns everything that is wrong with the settings, joined, in
	// words for whoever made them; nil if nothing is.
	Validate() error
}

// Parse reads the command line and the environment and returns the command to
// run: a *Serve, *Emulator, *Conformance or *Version, validated. Help goes to
// stdout. Getenv is os.Getenv, or a stand-in for it.
func Parse(args []string, getenv func(string) string, stdout io.Writer) (_ Command, err error) {
	var cli CLI
	defer func() {
		if p := recover(); p == errExit { // what kong calls after printing help
			err = ErrHelp
		} else if p != nil {
			panic(p)
		}
	}()
	var bad malformed
	parser, err := newParser(&cli, getenv, stdout, bad.options()...)
	if err != nil {
		return nil, err
	}
	for _, command := range reflect.ValueOf(&cli).Elem().Fields() {
		setSecrets(command, getenv) // first: parsing validates
	}
	ctx, err := parser.Parse(args)
	if err := errors.Join(bad.join(), err); err != nil {
		return nil, err
	}
	return ctx.Selected().Target.Addr().Interface().(Command), nil
}

var errExit = errors.New("exit")

func newParser(cli *CLI, getenv func(string) string, stdout io.Writer, more ...kong.Option) (*kong.Kong, error) {
	return kong.New(cli, append(more,
		kong.Name(program),
		kong.Description("A GraphQL server over the Mixcloud REST API."),
		kong.Vars{"apiURL": liveAPI, "siteURL": liveSite, "oembedURL": liveOEmbed},
		kong.Writers(stdout, stdout),
		kong.Exit(func(int) { panic(errExit) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.ValueFormatter(func(v *kong.Value) string {
			if v.Flag == nil || v.Name == "help" {
				return v.Help
			}
			return v.Help + " ($" + envName(v.Name) + ")"
		}),
		kong.Resolvers(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
			if s := getenv(envName(flag.Name)); s != "" {
				return s, nil
			}
			return nil, nil
		})))...)
}

// envName is the variable of a flag.
func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// setSecrets reads the members that no flag sets.
func setSecrets(command reflect.Value, getenv func(string) string) {
	for _, s := range secrets(command) {
		s.value.SetString(getenv(s.env))
	}
}

type secret struct {
	env, help string
	value     reflect.Value
}

func secrets(v reflect.Value) (found []secret) {
	for f, value := range v.Fields() {
		if name := f.Tag.Get("env"); name != "" {
			found = append(found, secret{envPrefix + name, f.Tag.Get("help"), value})
		}
	}
	return found
}
