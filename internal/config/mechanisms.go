package config

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// The mechanisms that --disable can switch off. Without one of them the server is slower
// and its responses are the same.
const (
	LookAhead  = "look-ahead" // see graph/lookahead
	Projection = "projection" // lists are written from Mixcloud's JSON
)

var mechanisms = []string{LookAhead, Projection}

// Mechanisms are names of mechanisms.
type Mechanisms []string

// String returns the names in the format of environment variables, such as "look-ahead,projection".
func (m Mechanisms) String() string { return strings.Join(m, ",") }

// Decode implements [kong.MapperValue]. It adds the names of one occurrence of the flag. A
// list in a file is separated by spaces.
func (m *Mechanisms) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto(ctx.Value.Tag.PlaceHolder, &text); err != nil {
		return err
	}
	all := slices.Clone(*m)
	for _, name := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	*m = all
	return nil
}

// validate adds the problems of a flag's names to p.
func (m Mechanisms) validate(flag string, p *problems) {
	for _, name := range m {
		if !slices.Contains(mechanisms, name) {
			p.add(flag, "does not know the mechanism %q: use %s", name, strings.Join(mechanisms, " or "))
		}
	}
}

// Disabled reports whether --disable names a mechanism.
func (c *Serve) Disabled(mechanism string) bool { return slices.Contains(c.Disable, mechanism) }
