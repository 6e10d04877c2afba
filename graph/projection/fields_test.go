package projection

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/graph/lists"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/mixcloud"
)

// executed are the fields of the types in objects that are left to the executor.
var executed = []string{"Cloudcast.sections", "Cloudcast.embedHtml", "Cloudcast.embedJson", "Category.format"}

// TestObjects checks that each type and field of the table exists in the schema, and that the table has each field of its
// types that is not a connection.
func TestObjects(t *testing.T) {
	t.Parallel()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	for typ, fields := range objects {
		def := schema.Types[typ]
		if def == nil {
			t.Errorf("the schema has no type %s", typ)
			continue
		}
		for name := range fields {
			if def.Fields.ForName(name) == nil {
				t.Errorf("the schema has no field %s.%s", typ, name)
			}
		}
		for _, f := range def.Fields {
			name := typ + "." + f.Name
			_, written := fields[f.Name]
			if _, isList := lists.ByField(name); !written && !isList && !slices.Contains(executed, name) {
				t.Errorf("the table has no field %s", name)
			}
		}
	}
}

// TestPictureSizes compares the table of sizes with the pictures of package model.
func TestPictureSizes(t *testing.T) {
	t.Parallel()
	all := make(mixcloud.Pictures, len(pictureSizes))
	for i, s := range pictureSizes {
		all[i] = mixcloud.Picture{Name: s.member, Width: s.width, Height: s.width, URL: s.member}
	}
	for i, p := range model.NewPictures(all) {
		if s := pictureSizes[i]; p.Size == nil || *p.Size != s.size || *p.Width != s.width || pictureIndex(s.member) != i {
			t.Errorf("size %d is %+v, want %s with width %d", i, p, s.size, s.width)
		}
	}
	for limit, s := range pictureSizes {
		order := preference(s.size)
		for present := range 1 << len(pictureSizes) {
			var some mixcloud.Pictures
			for i := range pictureSizes {
				if present&(1<<i) != 0 {
					some = append(some, all[i])
				}
			}
			want := (&model.User{User: &mixcloud.User{Pictures: some}}).Picture(&s.size)
			got := slices.IndexFunc(order, func(i int8) bool { return present&(1<<i) != 0 })
			if (want == nil) != (got < 0) || want != nil && want.URL != pictureSizes[order[got]].member {
				t.Fatalf("limit %d, present %b: preference %v selects index %d, want %+v", limit, present, order, got, want)
			}
		}
	}
}

func TestUsesVariables(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]bool{
		`query ($n: Int) { user { cloudcasts(first: $n) { nodes { key } } } }`:                             false,
		`query ($b: Boolean!) { user { key @include(if: $b) } }`:                                           true,
		`query ($b: Boolean!) { user { ... @skip(if: $b) { key } } }`:                                      true,
		`query ($b: Boolean!) { user { ...F @skip(if: $b) } } fragment F on User { key }`:                  true,
		`query ($b: Boolean!) { user { ...F } } fragment F on User { key @skip(if: $b) }`:                  true,
		`query ($s: PictureSize) { user { picture(size: $s) { url } } }`:                                   true,
		`{ user { key @include(if: true) picture(size: SMALL) { url } ...F } } fragment F on User { key }`: false,
	} {
		doc, err := parser.ParseQuery(&ast.Source{Input: query})
		if err != nil {
			t.Fatal(err)
		}
		setDefinitions(doc.Operations[0].SelectionSet)
		user := doc.Operations[0].SelectionSet[0].(*ast.Field)
		if got := usesVariables(doc, user.SelectionSet, map[string]bool{}); got != want {
			t.Errorf("usesVariables(%s) = %v, want %v", query, got, want)
		}
	}
}

// setDefinitions sets the definitions of fields, as validation does. Only those called cloudcasts have the argument first.
func setDefinitions(set ast.SelectionSet) {
	for _, s := range set {
		if f, ok := s.(*ast.Field); ok {
			f.Definition = &ast.FieldDefinition{Name: f.Name}
			if f.Name == "cloudcasts" {
				f.Definition.Arguments = ast.ArgumentDefinitionList{{Name: "first"}}
			}
			setDefinitions(f.SelectionSet)
		}
	}
}

func TestWaitLimit(t *testing.T) {
	t.Parallel()
	if got := waitLimit(t.Context()); got != maxWait {
		t.Errorf("waitLimit without a deadline = %v, want %v", got, maxWait)
	}
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if got := waitLimit(short); got > time.Second/2 {
		t.Errorf("waitLimit with a deadline in 1 s = %v, want at most half of it", got)
	}
}

// TestPlan_NewBuffer checks that a large result does not make the buffers of later results large.
func TestPlan_NewBuffer(t *testing.T) {
	t.Parallel()
	for last, want := range map[int64]int{0: 512, 8000: 9512, 16 << 20: maxHint} {
		p := new(plan)
		p.lastSize.Store(last)
		if b := p.newBuffer(); len(b) != 0 || cap(b) != want {
			t.Errorf("after a result of %d bytes: buffer with %d bytes and capacity %d, want 0 and %d", last, len(b), cap(b), want)
		}
	}
}

func TestResolver_Panic(t *testing.T) {
	t.Parallel()
	r := new(resolver)
	r.run(func() { panic("a resolver") })
	r.group.Wait()
	if !r.failed.Load() {
		t.Error("a panic of a resolver did not fail the projection")
	}
}

func TestAppendQuoted(t *testing.T) {
	t.Parallel()
	text := "a\"b\\c\n\t\r\x00\x1f\x7f<&> é😀\u2028"
	want := `"a\"b\\c\n\t\r\u0000\u001F` + "\x7f<&> é😀\u2028" + `"`
	if got := string(appendQuoted(nil, text)); got != want {
		t.Errorf("appendQuoted(%q) = %s, want %s", text, got, want)
	}
}
