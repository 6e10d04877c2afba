package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"mixcloud-graphql/internal/redisurl"
)

// A fileValue is a value from the file of --config, in the format of environment variables.
type fileValue struct{ text, origin string }

// readFile reads a YAML file whose keys are the names of a command's flags. A value is a
// scalar; repeatable flags also take a list, and flags of type [Lifetimes] also take a
// mapping. Problems name the file and the line.
func readFile(path string, command *kong.Node, p *problems) map[string]fileValue {
	text, err := readSmall(path)
	if err != nil {
		p.add("config", "cannot be read: %v", err)
		return nil
	}
	parsed, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		line := 1
		if syntax, ok := errors.AsType[yaml.Error](err); ok { // its Error method would quote the file, with its secrets
			if at := syntax.GetToken(); at != nil && at.Position != nil {
				line = at.Position.Line
			}
			err = errors.New(syntax.GetMessage())
		}
		p.in(path, line, "is not YAML: %v", err)
		return nil
	}
	f := file{path: path, command: command, problems: p, values: map[string]fileValue{}}
	for i, doc := range parsed.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.CommentGroupNode:
		case *ast.MappingNode:
			if i > 0 {
				p.in(path, lineOf(body), "a second YAML document begins here: the file must contain one")
				return nil
			}
			for _, member := range body.Values {
				f.read(member)
			}
		default:
			p.in(path, lineOf(body), "must be a mapping of flags to values, such as max-upstream: 16")
		}
	}
	return f.values
}

type file struct {
	path    string
	command *kong.Node
	*problems
	values map[string]fileValue
}

func (f *file) read(member *ast.MappingValueNode) {
	name, line := strings.TrimSpace(member.Key.GetToken().Value), lineOf(member.Key)
	flag := f.flag(name, line)
	if flag == nil {
		return
	}
	text, problem := f.value(flag, member.Value)
	if name == "redis-url" && redisurl.URL(text).HasPassword() {
		problem = fmt.Sprintf("must not contain a password in this file: set %s, or %s to the path of a file", envName(name), envName(name)+fileSuffix)
	}
	switch {
	case problem != "":
		f.in(f.path, line, "%s %s", name, problem)
	case text != "": // empty counts as unset, as in the environment
		f.values[name] = fileValue{text, fmt.Sprintf("set in %s, line %d", f.path, line)}
	}
}

// notSettings are the flags that a configuration file and the output of [Print] do not
// contain.
var notSettings = append([]string{"config", "print-config"}, withoutVariable...)

// flag returns the flag that a key of the file names. For an unknown key it reports a
// problem and returns nil.
func (f *file) flag(name string, line int) *kong.Flag {
	known := map[string]bool{}
	for _, flag := range f.command.Flags {
		if slices.Contains(notSettings, flag.Name) {
			continue
		}
		if flag.Name == name {
			return flag
		}
		known[flag.Name] = true
	}
	for _, command := range f.command.Parent.Children {
		for _, secret := range secrets(command.Target) {
			if name == strings.ToLower(strings.ReplaceAll(secret.name, "_", "-")) {
				f.in(f.path, line, "%s is a secret and must not be in the file: set %s, or %s to the path of a file",
					name, envPrefix+secret.name, envPrefix+secret.name+fileSuffix)
				return nil
			}
		}
	}
	hint := ""
	if match := similar(name, known); match != "" {
		hint = fmt.Sprintf(": did you mean %s?", match)
	}
	f.in(f.path, line, "%s is not a setting of the command %s%s", name, f.command.Name, hint)
	return nil
}

// value converts a YAML value to the format of environment variables. If that is not possible, it
// returns a description of the problem.
func (f *file) value(flag *kong.Flag, node ast.Node) (text, problem string) {
	if text, ok := scalar(node); ok {
		return text, ""
	}
	pairs := flag.Target.Type() == reflect.TypeFor[Lifetimes]()
	var parts []string
	switch node := node.(type) {
	case *ast.SequenceNode:
		if !pairs && flag.Target.Kind() != reflect.Slice {
			return "", "must be a single value, not a list"
		}
		for _, item := range node.Values {
			text, ok := scalar(item)
			if !ok {
				return "", "must be a list of scalar values"
			}
			parts = append(parts, text)
		}
	case *ast.MappingNode:
		if !pairs {
			return "", "must be a single value, not a mapping"
		}
		for _, member := range node.Values {
			text, ok := scalar(member.Value)
			if !ok {
				return "", "must map names to scalar values"
			}
			parts = append(parts, member.Key.GetToken().Value+"="+text)
		}
	default:
		return "", "must be a scalar value"
	}
	return strings.Join(parts, " "), ""
}

// scalar returns the text of a scalar value, as written in the file.
func scalar(node ast.Node) (string, bool) {
	switch node := node.(type) {
	case *ast.StringNode:
		return node.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return node.GetToken().Value, true
	case *ast.NullNode:
		return "", true
	}
	return "", false
}

func lineOf(node ast.Node) int {
	if at := node.GetToken(); at != nil && at.Position != nil {
		return at.Position.Line
	}
	return 1
}
