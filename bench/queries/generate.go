package queries

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// MaxCalls is an upper bound of the calls of a generated query.
const MaxCalls = 150

// maxDepth is the maximum nesting depth of a generated query.
const maxDepth = 7

// A Generator generates queries for a schema and for the emulator's data. It is not safe for
// concurrent use.
type Generator struct {
	schema *ast.Schema
	world  *world.World
	random *rand.Rand

	callsLeft int // calls that the current query may still cost
	aliases   int
}

// NewGenerator returns a generator. It generates the same queries for the same seed.
func NewGenerator(schema *ast.Schema, w *world.World, seed uint64) *Generator {
	return &Generator{schema: schema, world: w, random: rand.New(rand.NewPCG(seed, 0))}
}

// Query returns the next query. It is valid, anonymous, and causes no errors.
func (g *Generator) Query() string {
	g.callsLeft, g.aliases = MaxCalls, 0
	var b strings.Builder
	b.WriteString("{")
	for range 1 + g.random.IntN(4) {
		b.WriteByte(' ')
		b.WriteString(g.rootField())
	}
	b.WriteString(" }")
	return b.String()
}

// rootField returns a root field, mostly of a resource that exists.
func (g *Generator) rootField() string {
	g.callsLeft -= 2 // its own call, and the XML of oEmbed
	w := g.world
	user := pick(g, w.Users)
	for len(user.Cloudcasts) == 0 {
		user = pick(g, w.Users)
	}
	cloudcast := pick(g, user.Cloudcasts)
	track := pick(g, pick(g, w.Artists).Tracks)
	playlists := pick(g, w.Users).Playlists
	for len(playlists) == 0 {
		playlists = pick(g, w.Users).Playlists
	}
	address := "https://www.mixcloud.com" + cloudcast.Key()
	name, args := "", ""
	switch g.random.IntN(18) {
	case 0, 1, 2:
		name, args = "user", argument("username", g.randomCase(user.Username))
		if g.chance(4) {
			args = argument("username", "no-such-user")
		}
	case 3, 4:
		name, args = "cloudcast", argument("key", cloudcast.Key())
	case 5:
		name, args = "tag", argument("name", pick(g, w.Tags).Name)
	case 6:
		name, args = "city", argument("name", pick(g, w.Cities).Slug)
	case 7:
		name, args = "category", argument("slug", pick(g, w.Categories).Slug)
	case 8:
		name = "categories"
	case 9:
		name = "discover"
		if tag := pick(g, w.Tags).Slug; g.chance(70) {
			args = fmt.Sprintf("tags: [%q]", tag)
		}
	case 10:
		name, args = "search", argument("query", pick(g, strings.Fields(cloudcast.Name)))
	case 11:
		name, args = "playlist", argument("key", pick(g, playlists).Key())
	case 12:
		name, args = "artist", argument("key", track.Artist.Key())
	case 13:
		name, args = "track", argument("key", track.Key())
	case 14:
		name, args = "resource", argument("key", pick(g, []string{address, user.Key(), track.Key(), "/tag/" + world.Escape(pick(g, w.Tags).Slug) + "/"}))
		if g.chance(50) {
			name, args = "resources", fmt.Sprintf("keys: [%q, %q, %q, %q]", user.Key(), address, track.Key(), "https://www.mixcloud.com"+user.Key())
		}
	case 15:
		name, args = "oembed", argument("url", address)
	default:
		name = pick(g, []string{"popular", "hot", "new"})
	}
	return g.field(g.schema.Query.Fields.ForName(name), args, "Query", 1, 0)
}

// randomCase returns a user's name in its own case or in upper case.
func (g *Generator) randomCase(username string) string {
	if g.chance(30) {
		return strings.Map(func(r rune) rune {
			if 'a' <= r && r <= 'z' {
				return r - 'a' + 'A'
			}
			return r
		}, username)
	}
	return username
}

func argument(name, value string) string { return name + ": " + strconv.Quote(value) }

// field returns a field whose object occurs at most a number of times in the response.
func (g *Generator) field(f *ast.FieldDefinition, args, owner string, times, depth int) string {
	typ := g.schema.Types[f.Type.Name()]
	size := 1
	if strings.HasSuffix(typ.Name, "Connection") {
		page, n := g.page(f, owner)
		args, size = strings.TrimPrefix(args+", "+page, ", "), n
	} else if args == "" {
		args = g.options(f)
	}
	switch f.Name { // lists that the owner contains
	case "tags":
		size = max(size, 5)
	case "resources":
		size = max(size, 4)
	case "hosts":
		size = max(size, 2)
	case "sections", "categories":
		size = max(size, 40)
	}
	text := f.Name
	if args != "" {
		g.aliases++
		text = fmt.Sprintf("f%d: %s(%s)", g.aliases, f.Name, args)
	}
	if g.chance(6) {
		text += pick(g, []string{" @include(if: true)", " @include(if: false)", " @skip(if: false)", " @skip(if: true)"})
	}
	if typ.IsLeafType() {
		return text
	}
	return text + " " + g.selection(typ, times*size, depth+1)
}

// page returns the arguments of a connection, and the maximum number of its items.
func (g *Generator) page(f *ast.FieldDefinition, owner string) (args string, size int) {
	size = pick(g, []int{0, 1, 2, 2, 3, 3, 4, 5, 5, 7, 10, 20})
	if owner == "Query" || g.chance(10) {
		size = pick(g, []int{2, 5, 10, 20, 20, 33, 50, 100})
	}
	switch {
	case owner == "Category" && g.chance(20):
		return fmt.Sprintf("last: %d", size), size
	case g.chance(8):
		return "", 20
	case g.chance(15):
		return fmt.Sprintf("first: %d, offset: %d", size, g.random.IntN(30)), size
	}
	args = fmt.Sprintf("first: %d", size)
	day := func(year int) string {
		fraction := pick(g, []time.Duration{0, 0, time.Second / 2})
		return time.Date(year, time.Month(1+g.random.IntN(12)), 1+g.random.IntN(28), 12, 0, 0, int(fraction), time.UTC).Format(time.RFC3339Nano)
	}
	if f.Arguments.ForName("until") != nil && g.chance(15) {
		args += fmt.Sprintf(", until: %q", day(2024+g.random.IntN(3)))
	}
	dated := f.Name == "comments" || f.Name == "listens" || f.Name == "feed" || owner == "User" && f.Name == "cloudcasts"
	if dated && g.chance(20) {
		args += fmt.Sprintf(", since: %q", day(2018+g.random.IntN(6)))
	}
	return args, size
}

// options returns some of the arguments of a field that is not a connection.
func (g *Generator) options(f *ast.FieldDefinition) string {
	var args []string
	for _, a := range f.Arguments {
		if g.chance(50) {
			continue
		}
		switch a.Name {
		case "size":
			args = append(args, "size: "+pick(g, g.schema.Types["PictureSize"].EnumValues).Name)
		case "full":
			args = append(args, "full: "+pick(g, []string{"true", "false"}))
		case "width":
			args = append(args, `width: "100%"`)
		case "height":
			args = append(args, "height: "+pick(g, []string{"60", "120"}))
		case "color":
			args = append(args, `color: "ff8800"`)
		}
	}
	return strings.Join(args, ", ")
}

// selection returns the selection of an object that occurs at most a number of times in the
// response. If its cost would exceed MaxCalls, the selection costs nothing.
func (g *Generator) selection(typ *ast.Definition, times, depth int) string {
	load := 0
	if slices.Contains(typ.Interfaces, "Resource") || typ.Name == "Resource" || typ.Name == "OEmbed" {
		load = times // for all members of the full form
	}
	if depth >= maxDepth || load > g.callsLeft {
		return freeSelection(typ)
	}
	g.callsLeft -= load
	var fields []string
	for _, f := range g.chooseFields(typ) {
		if g.reserve(f, typ.Name, times) {
			fields = append(fields, g.field(f, "", typ.Name, times, depth))
		}
	}
	if typ.IsAbstractType() {
		for _, possible := range g.schema.GetPossibleTypes(typ) {
			if g.chance(40) {
				fields = append(fields, "... on "+possible.Name+" "+g.fragment(possible, times, depth))
			}
		}
	} else if g.chance(12) {
		fields = append(fields, "... on "+typ.Name+" "+g.fragment(typ, times, depth))
	}
	if len(fields) == 0 {
		return freeSelection(typ)
	}
	return "{ " + strings.Join(fields, " ") + " }"
}

// fragment returns the selection of a fragment. The cost of the object was counted before.
func (g *Generator) fragment(typ *ast.Definition, times, depth int) string {
	var fields []string
	for _, f := range g.chooseFields(typ) {
		if g.reserve(f, typ.Name, times) {
			fields = append(fields, g.field(f, "", typ.Name, times, depth))
		}
	}
	if len(fields) == 0 {
		return freeSelection(typ)
	}
	return "{ " + strings.Join(fields, " ") + " }"
}

// chooseFields returns some fields of a type, of a connection mostly its items.
func (g *Generator) chooseFields(typ *ast.Definition) []*ast.FieldDefinition {
	var fields []*ast.FieldDefinition
	for _, f := range typ.Fields {
		chance := 22
		switch {
		case strings.HasPrefix(f.Name, "__"):
			continue
		case f.Name == "nodes", f.Name == "node":
			chance = 85
		case f.Name == "edges":
			chance = 25
		case strings.HasSuffix(f.Type.Name(), "Connection"):
			chance = 25
		}
		if g.chance(chance) {
			fields = append(fields, f)
		}
	}
	return fields
}

// reserve counts a field's own calls, apart from those of its owner. It returns false if they would
// exceed MaxCalls.
func (g *Generator) reserve(f *ast.FieldDefinition, owner string, times int) bool {
	price := 0
	if strings.HasSuffix(f.Type.Name(), "Connection") || strings.HasPrefix(f.Name, "embed") && owner == "Cloudcast" {
		price = times
	}
	if price > g.callsLeft {
		return false
	}
	g.callsLeft -= price
	return true
}

// freeSelection returns a selection that costs nothing.
func freeSelection(typ *ast.Definition) string {
	if typ.Fields.ForName("key") != nil {
		return "{ key }"
	}
	return "{ __typename }"
}

func (g *Generator) chance(percent int) bool { return g.random.IntN(100) < percent }

func pick[T any](g *Generator, from []T) T { return from[g.random.IntN(len(from))] }
