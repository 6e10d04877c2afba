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

// Sources are where values come from besides the command line: the environment
// and the file of --config. They note the origin of each value, so that errors
// can name it.
type sources struct {
	env     map[string]string // the variables with our prefix, without it; empty ones count as unset
	known   map[string]bool   // the variables of all commands, without the prefix
	origins map[string]string // of the values that were not on the command line, by flag or variable

	begun bool
	file  map[string]fileValue
	problems
}

// environment picks our variables out of an environment of NAME=VALUE lines.
func environment(environ []string) map[string]string {
	env := map[string]string{}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if name, ours := strings.CutPrefix(name, envPrefix); ours && value != "" {
			if _, twice := env[name]; !twice { // the first counts, as for os.Getenv
				env[name] = value
			}
		}
	}
	return env
}

// fileSuffix makes the variable that names a file with the value of another.
const fileSuffix = "_FILE"

// confidential are flags whose value can hold a password: like secrets they can be
// read from a file of their own, and the password may not stand in that of --config.
var confidential = []string{"redis-url"}

// Validate implements [kong.Resolver].
func (*sources) Validate(*kong.Application) error { return nil }

// Resolve returns the value of a flag that is not on the command line, or nil.
func (s *sources) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if slices.Contains(withoutVariable, flag.Name) || ctx.Selected() == nil {
		return nil, nil //nolint:nilnil // kong's way to say that there is no value
	}
	s.begin(ctx)
	if value, ok := s.lookup(flag.Name, envSuffix(flag.Name), slices.Contains(confidential, flag.Name)); ok {
		return value, nil
	}
	if value, ok := s.file[flag.Name]; ok {
		s.origins[flag.Name] = value.origin
		return value.text, nil
	}
	return nil, nil //nolint:nilnil // as above
}

// begin reads what does not belong to a single flag of the command: its secrets, and
// the file of --config. It also refuses variables that no command has.
func (s *sources) begin(ctx *kong.Context) {
	command := ctx.Selected()
	if s.begun || len(command.Flags) == 0 {
		return
	}
	s.begun = true
	s.unknown()
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

// lookup returns a value from the environment. A value that may be in a file of its
// own is also read from there.
func (s *sources) lookup(name, variable string, fromFile bool) (string, bool) {
	value, ok := s.env[variable]
	path, inFile := s.env[variable+fileSuffix]
	switch {
	case ok && inFile && fromFile:
		s.addEnv(variable, "and %s are both set: leave out one of the two", envPrefix+variable+fileSuffix)
	case ok:
		s.origins[name] = "set by " + envPrefix + variable
	case inFile && fromFile:
		text, err := readSmall(path)
		if err == nil && strings.TrimSpace(text) == "" {
			err = fmt.Errorf("%s is empty", path)
		}
		if err != nil {
			s.addEnv(variable+fileSuffix, "must name a file with the value: %v", err)
			return "", false
		}
		s.origins[name] = "read from " + path + ", which " + envPrefix + variable + fileSuffix + " names"
		return strings.TrimSpace(text), true
	}
	return value, ok
}

// kubernetes matches the variables that Kubernetes sets for a service named
// mixcloud-graphql, or mixcloud-graphql-something, in each container.
var kubernetes = regexp.MustCompile(`^(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT|PORT_[0-9]+_.*)$`)

// unknown refuses variables with our prefix that no command has.
func (s *sources) unknown() {
	for name := range s.env {
		if s.known[name] || kubernetes.MatchString(name) {
			continue
		}
		advice := ""
		if like := similar(name, s.known); like != "" {
			advice = ": did you mean " + envPrefix + like + "?"
		}
		s.addEnv(name, "is not a variable of this program%s", advice)
	}
	slices.SortFunc(s.problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
}

// variables are the names of all variables of all commands, without the prefix.
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

// similar returns the name that was probably meant, or "".
func similar(name string, known map[string]bool) (best string) {
	least := len(name)/3 + 1
	for k := range known {
		if d := levenshtein.ComputeDistance(name, k); d < least || d == least && k < best {
			best, least = k, d
		}
	}
	return best
}

// largestFile is the largest configuration or secret that is read, in bytes.
const largestFile = 1 << 20

// readSmall reads a file that is no larger than a configuration can be.
func readSmall(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, largestFile+1))
	if err == nil && len(text) > largestFile {
		err = fmt.Errorf("%s has more than %v", path, Bytes(largestFile))
	}
	return string(text), err
}
