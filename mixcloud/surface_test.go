package mixcloud

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExportedNames checks that the documentation of a public package does not
// mention an unexported type: in the type of an exported function, method, field,
// variable or constraint, or as an embedded field that promotes methods or fields.
func TestExportedNames(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{".", "emulator", "emulator/world"} {
		sources, err := fs.Glob(os.DirFS(dir), "*.go")
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]string{}
		for _, name := range sources {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(path.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			texts[name] = string(text)
		}
		for _, fault := range unexported(t, texts) {
			t.Errorf("package %s: %s: export the type, or do not use it here", dir, fault)
		}
	}
}

// TestUnexported checks that unexported finds a name at each possible place.
func TestUnexported(t *testing.T) {
	t.Parallel()
	got := unexported(t, map[string]string{"x.go": `package x

import "io"

type hidden struct{ Name string }
func (hidden) Raw() string { return "" }
type empty struct{ name string }
type secret interface{ *int }
type Fine struct { hidden *hidden; *empty; io.Reader; fields map[string]hidden; Key int }
func (f *Fine) own(hidden) {}
type FineInterface interface { Raw() string; own(hidden) }
func FineFunc[T any](f Fine, all ...T) (FineInterface, error) { return nil, nil }

func Param(h *hidden) {}
func Result() []hidden { return nil }
func Constraint[T secret]() {}
func (f *Fine) Method(func(hidden)) {}
type Func func(chan hidden)
type Generic[T secret] struct{}
type Argument struct { G map[string]List[hidden] }
type List[T any] []T
type Embedded struct { hidden }
type Field struct { Fine; H [2]hidden }
type Interface interface { Do(hidden) }
type Embedding interface { secret }
type Renamed hidden
type Alias = hidden
var Var = Result()
const Const kind = 1
type kind int
`})
	want := []string{
		"Alias mentions hidden", "Argument.G mentions hidden", "Const mentions kind", "Constraint mentions secret", "Embedded embeds hidden",
		"Embedding mentions secret", "Field.H mentions hidden", "Fine.Method mentions hidden", "Func mentions hidden", "Generic mentions secret",
		"Interface.Do mentions hidden", "Param mentions hidden", "Renamed mentions hidden", "Result mentions hidden", "Var mentions hidden",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

// A surface collects the unexported names in the exported part of a package.
type surface struct {
	pkg    *types.Package
	faults []string
}

// unexported returns the sorted errors of the package with the given sources.
// Imported packages are not loaded, because their unexported names cannot be
// mentioned.
func unexported(t *testing.T, texts map[string]string) []string {
	t.Helper()
	set := token.NewFileSet()
	var files []*ast.File
	for name, text := range texts {
		file, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	info := types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{IgnoreFuncBodies: true, Importer: noImports{}, Error: func(error) {}}
	pkg, _ := config.Check("x", set, files, &info) // errors about imports are expected
	s := surface{pkg: pkg}
	for _, name := range pkg.Scope().Names() {
		if ast.IsExported(name) {
			s.object(pkg.Scope().Lookup(name))
		}
	}
	for _, file := range files {
		s.renamed(file, info)
	}
	slices.Sort(s.faults)
	return slices.Compact(s.faults)
}

// noImports returns an empty package for every import.
type noImports struct{}

// Import implements [types.Importer].
func (noImports) Import(name string) (*types.Package, error) {
	pkg := types.NewPackage(name, path.Base(name))
	pkg.MarkComplete()
	return pkg, nil
}

// object examines an exported object of the package.
func (s *surface) object(o types.Object) {
	named, ok := o.Type().(*types.Named)
	if _, declared := o.(*types.TypeName); !ok || !declared {
		s.mentions(o.Name(), o.Type())
		return
	}
	s.parameters(o.Name(), named.TypeParams())
	for m := range named.Methods() {
		if m.Exported() {
			s.mentions(o.Name()+"."+m.Name(), m.Type())
		}
	}
	s.members(o.Name(), named.Underlying())
}

// members examines the type that a type declaration names.
func (s *surface) members(name string, t types.Type) {
	switch t := t.(type) {
	case *types.Struct:
		for f := range t.Fields() {
			switch {
			case f.Exported():
				s.mentions(name+"."+f.Name(), f.Type())
			case f.Embedded() && promotes(f.Type()):
				s.faults = append(s.faults, name+" embeds "+f.Name())
			}
		}
	case *types.Interface:
		for m := range t.ExplicitMethods() {
			if m.Exported() {
				s.mentions(name+"."+m.Name(), m.Type())
			}
		}
		for e := range t.EmbeddedTypes() {
			s.mentions(name, e)
		}
	default:
		s.mentions(name, t)
	}
}

// promotes reports whether an embedded type adds exported methods or fields.
func promotes(t types.Type) bool {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	for m := range types.NewMethodSet(types.NewPointer(t)).Methods() {
		if m.Obj().Exported() {
			return true
		}
	}
	if fields, ok := t.Underlying().(*types.Struct); ok {
		for f := range fields.Fields() {
			if f.Exported() {
				return true
			}
		}
	}
	return false
}

// mentions adds the unexported types of the package that t consists of.
func (s *surface) mentions(name string, t types.Type) {
	switch t := t.(type) {
	case *types.Named:
		s.named(name, t.Obj(), t.TypeArgs())
	case *types.Alias:
		s.named(name, t.Obj(), t.TypeArgs())
		if t.Obj().Name() == name {
			s.mentions(name, t.Rhs())
		}
	case *types.Signature:
		s.parameters(name, t.TypeParams())
		s.mentions(name, t.Params())
		s.mentions(name, t.Results())
	case *types.Tuple:
		for v := range t.Variables() {
			s.mentions(name, v.Type())
		}
	case *types.Struct, *types.Interface:
		s.members(name, t)
	case *types.Union:
		for term := range t.Terms() {
			s.mentions(name, term.Type())
		}
	case *types.Map:
		s.mentions(name, t.Key())
		s.mentions(name, t.Elem())
	case interface{ Elem() types.Type }: // a pointer, slice, array or channel
		s.mentions(name, t.Elem())
	}
}

func (s *surface) named(name string, o *types.TypeName, arguments *types.TypeList) {
	if o.Pkg() == s.pkg && !o.Exported() {
		s.faults = append(s.faults, name+" mentions "+o.Name())
	}
	for t := range arguments.Types() {
		s.mentions(name, t)
	}
}

func (s *surface) parameters(name string, list *types.TypeParamList) {
	for p := range list.TypeParams() {
		s.mentions(name, p.Constraint())
	}
}

// renamed adds exported types that are declared as another type, as in type
// Renamed hidden. go/types does not record this.
func (s *surface) renamed(file *ast.File, info types.Info) {
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || !spec.Name.IsExported() {
			return true
		}
		if other, ok := spec.Type.(*ast.Ident); ok {
			if o := info.Uses[other]; o != nil && o.Pkg() == s.pkg && !o.Exported() {
				s.faults = append(s.faults, spec.Name.Name+" mentions "+other.Name)
			}
		}
		return true
	})
}
