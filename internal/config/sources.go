package config

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/alecthomas/kong"
)

// sources looks up values that are not on the command line, in the environment and in the
// file of --config. It records the origin of each value, for error messages.
type sources struct {
	env     map[string]string // this program's variables by name, without the prefix and without empty ones
	known   map[string]bool   // names of the variables of all commands, without the prefix
	origins map[string]string // origins of the values that were found, by flag or variable

	loaded bool // load has run
	file   map[string]fileValue
	problems
}

// environment returns the variables with this program's prefix from NAME=VALUE lines.
func environment(environ []string) map[string]string {
	env := map[string]string{}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if name, ok := strings.CutPrefix(name, envPrefix); ok && value != "" {
			if _, duplicate := env[name]; !duplicate { // the first counts, as for os.Getenv
				env[name] = value
			}
		}
	}
	return env
}

// fileSuffix is the suffix of a variable that names a file with the value, instead of
// containing it.
const fileSuffix = "_FILE"

// confidential are the flags whose value can contain a password. Like a secret, the value
// can be in a file of its own. The file of --config must not contain the password.
var confidential = []string{"redis-url"}

// Validate implements [kong.Resolver].
func (*sources) Validate(*kong.Application) error { return nil }

// Resolve returns the value of a flag that is not on the command line, or nil if no source
// has one.
func (s *sources) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if slices.Contains(withoutVariable, flag.Name) || ctx.Selected() == nil {
		return nil, nil //nolint:nilnil // kong expects nil if there is no value
	}
	s.load(ctx)
	if value, ok := s.lookup(flag.Name, envSuffix(flag.Name), slices.Contains(confidential, flag.Name)); ok {
		return value, nil
	}
	if value, ok := s.file[flag.Name]; ok {
		s.origins[flag.Name] = value.origin
		return value.text, nil
	}
	return nil, nil //nolint:nilnil // as above
}

// load reads the secrets of the selected command and the file of --config, and reports
// unknown variables. It runs once.
func (s *sources) load(ctx *kong.Context) {
	command := ctx.Selected()
	if s.loaded || len(command.Flags) == 0 {
		return
	}
	s.loaded = true
	s.reportUnknown()
	for _, secret := range secrets(command.Target) {
		if value, ok := s.lookup(secret.name, secret.name, true); ok {
			secret.value.SetString(value)
		}
	}
	for _, flag := range command.Flags {
		if flag.Name != "config" {
			continue
		}
		path, _ := ctx.FlagValue(flag).(string)
		if path == "" {
			path = s.env[envSuffix(flag.Name)]
		}
		if path != "" {
			s.file = readFile(path, command, &s.problems)
		}
	}
}

// lookup returns a value from the environment or, if fromFile is set, from the file that a
// variable with fileSuffix names.
func (s *sources) lookup(name, variable string, fromFile bool) (string, bool) {
	value, ok := s.env[variable]
	path, inFile := s.env[variable+fileSuffix]
	switch {
	case ok && inFile && fromFile:
		s.addEnv(variable, "and %s are both set: remove one of them", envPrefix+variable+fileSuffix)
	case ok:
		s.origins[name] = "set by " + envPrefix + variable
	case inFile && fromFile:
		text, err := readSmall(path)
		if err == nil && strings.TrimSpace(text) == "" {
			err = fmt.Errorf("%s is empty", path)
		}
		if err != nil {
			s.addEnv(variable+fileSuffix, "must be the path of a file that contains the value: %v", err)
			return "", false
		}
		s.origins[name] = "read from " + path + ", set by " + envPrefix + variable + fileSuffix
		return strings.TrimSpace(text), true
	}
	return value, ok
}

// kubernetes matches the variables that Kubernetes sets for a service named
// mixcloud-graphql, or mixcloud-graphql-something, in each container.
var kubernetes = regexp.MustCompile(`^(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT|PORT_[0-9]+_.*)$`)

// reportUnknown reports variables with this program's prefix that no command has.
func (s *sources) reportUnknown() {
	for name := range s.env {
		if s.known[name] || kubernetes.MatchString(name) {
			continue
		}
		hint := ""
		if match := similar(name, s.known); match != "" {
			hint = ": did you mean " + envPrefix + match + "?"
		}
		s.addEnv(name, "is not a variable of this program%s", hint)
	}
	slices.SortFunc(s.problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
}

// variables returns the names of the environment variables of all commands, without the
// prefix.
func variables(app *kong.Application) map[string]bool {
	known := map[string]bool{}
	for _, command := range app.Children {
		for _, flag := range command.Flags {
			known[envSuffix(flag.Name)] = true
		}
		for _, secret := range secrets(command.Target) {
			known[secret.name] = true
			known[secret.name+fileSuffix] = true
		}
	}
	for _, flag := range confidential {
		known[envSuffix(flag)+fileSuffix] = true
	}
	return known
}

// similar returns the known name that is most similar to name, or "" if there is no good
// suggestion.
func similar(name string, known map[string]bool) (best string) {
	least := len(name)/3 + 1
	for k := range known {
		if d := levenshtein.ComputeDistance(name, k); d < least || d == least && k < best {
			best, least = k, d
		}
	}
	return best
}

// maxFileSize is the maximum size of a configuration file or of a file with a secret.
const maxFileSize = 1 << 20

// readSmall reads a file of at most maxFileSize bytes.
func readSmall(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // the file was only read
	text, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err == nil && len(text) > maxFileSize {
		err = fmt.Errorf("%s is larger than %v", path, Bytes(maxFileSize))
	}
	return string(text), err
}
