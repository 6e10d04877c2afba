package layering

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A logEvent is a log line: all calls with one message.
type logEvent struct {
	levels     []string // in lower case, sorted by severity
	attributes []string // names, in the order of the code
}

// A logFunc describes a function that writes a log line: a method of slog.Logger, or a
// function of this module that passes its message on to one.
type logFunc struct {
	message int      // index of the message among the parameters
	level   int      // index of the level; -1 if it is fixed
	levels  []string // the fixed level
	args    int      // index of the first attribute
	added   []string // attributes that the function adds
}

// A logCollector finds the log lines of the server's packages.
type logCollector struct {
	fset      *token.FileSet
	importer  types.Importer
	info      *types.Info
	functions map[string]*ast.FuncDecl // by their full names
	logFuncs  map[string]logFunc
	events    map[string]*logEvent
	problems  []error
}

// newLogCollector returns a collector that can type-check all packages of the server, and
// these packages in the order of their imports. Bench and examples are not part of the
// server.
func newLogCollector(t *testing.T) (*logCollector, []goPackage) {
	t.Helper()
	command := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Module", ".")
	command.Dir = "../.."
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	var own []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if p.Module != nil && p.Module.Main {
			own = append(own, p)
		}
	}
	fset := token.NewFileSet()
	return &logCollector{
		fset: fset, functions: map[string]*ast.FuncDecl{}, logFuncs: slogFuncs(), events: map[string]*logEvent{},
		importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }),
		info: &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
			Selections: map[*ast.SelectorExpr]*types.Selection{},
		},
	}, own
}

// A goPackage is a package as "go list" prints it.
type goPackage struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	Module                  *struct{ Main bool }
}

// addPackage adds the log lines of a package.
func (c *logCollector) addPackage(t *testing.T, path string, files []*ast.File) {
	t.Helper()
	if _, err := (&types.Config{Importer: c.importer}).Check(path, c.fset, files, c.info); err != nil {
		t.Fatal(err)
	}
	c.collect(files)
}

// collectLogEvents returns the log lines of the server by message.
func collectLogEvents(t *testing.T) map[string]*logEvent {
	t.Helper()
	c, own := newLogCollector(t)
	for _, p := range own {
		var files []*ast.File
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(c.fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		c.addPackage(t, p.ImportPath, files)
	}
	for _, err := range c.problems {
		t.Error(err)
	}
	return c.events
}

// slogFuncs returns the functions and methods of slog that write a line.
func slogFuncs() map[string]logFunc {
	all := map[string]logFunc{}
	for _, prefix := range []string{"log/slog.", "(*log/slog.Logger)."} {
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			word := level.String()
			name := prefix + word[:1] + strings.ToLower(word[1:])
			all[name] = logFunc{message: 0, level: -1, levels: []string{strings.ToLower(word)}, args: 1}
			all[name+"Context"] = logFunc{message: 1, level: -1, levels: []string{strings.ToLower(word)}, args: 2}
		}
		all[prefix+"Log"] = logFunc{message: 2, level: 1, args: 3}
		all[prefix+"LogAttrs"] = logFunc{message: 2, level: 1, args: 3}
	}
	return all
}

// collect finds the log lines of a package. It repeats while it finds more functions that
// pass their message on.
func (c *logCollector) collect(files []*ast.File) {
	var bodies []*ast.FuncDecl
	for _, file := range files {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				bodies = append(bodies, f)
				c.functions[c.info.Defs[f.Name].(*types.Func).FullName()] = f
			}
		}
	}
	done := map[*ast.CallExpr]bool{}
	for more := true; more; {
		more = false
		for _, f := range bodies {
			ast.Inspect(f.Body, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || done[call] {
					return true
				}
				if called, known := c.logFuncs[c.calledName(call)]; known {
					done[call], more = true, true
					c.logCall(f, call, called)
				}
				return true
			})
		}
	}
}

// calledName returns the full name of the function that a call calls, or "".
func (c *logCollector) calledName(call *ast.CallExpr) string {
	var id *ast.Ident
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		id = fun
	case *ast.SelectorExpr:
		id = fun.Sel
	default:
		return ""
	}
	if f, ok := c.info.Uses[id].(*types.Func); ok {
		return f.FullName()
	}
	return ""
}

// logCall adds a call in function f to the events, or registers f as a log function if it
// passes its own message on.
func (c *logCollector) logCall(f *ast.FuncDecl, call *ast.CallExpr, called logFunc) {
	var attributes []string
	rest := c.attributes(f, call, call.Args[called.args:], &attributes)
	attributes = union(attributes, called.added)
	levels := called.levels
	levelParameter := -1
	if called.level >= 0 {
		if levelParameter = c.parameter(f, call.Args[called.level]); levelParameter < 0 {
			levels = c.levels(f, call.Args[called.level])
		}
	}
	if i := c.parameter(f, call.Args[called.message]); i >= 0 {
		if rest < 0 {
			rest = numParameters(f)
		}
		name := c.info.Defs[f.Name].(*types.Func).FullName()
		c.logFuncs[name] = logFunc{message: i, level: levelParameter, levels: levels, args: rest, added: attributes}
		return
	}
	message := c.constant(call.Args[called.message])
	if message == "" {
		c.problem(call, "the message of a log line must be a constant")
		return
	}
	e := c.events[message]
	if e == nil {
		e = new(logEvent)
		c.events[message] = e
	}
	e.levels = union(e.levels, levels)
	slices.SortFunc(e.levels, func(a, b string) int { return severity(a) - severity(b) })
	e.attributes = union(e.attributes, attributes)
}

// attributes adds the names of attributes to names. It returns the index of the parameter of f
// that contains further attributes, or -1.
func (c *logCollector) attributes(f *ast.FuncDecl, call *ast.CallExpr, args []ast.Expr, names *[]string) (rest int) {
	rest = -1
	for i := 0; i < len(args); i++ {
		arg := ast.Unparen(args[i])
		if call.Ellipsis.IsValid() && i == len(args)-1 {
			return c.spread(f, arg, names)
		}
		if inner, ok := arg.(*ast.CallExpr); ok && isAttr(c.info.TypeOf(arg)) {
			*names = union(*names, c.attrNames(inner))
			continue
		}
		name := c.constant(arg)
		if name == "" {
			c.problem(arg, "the name of an attribute must be a constant")
		}
		*names = union(*names, []string{name})
		i++ // its value
	}
	return rest
}

// spread adds the names in a list of attributes: a parameter, a variable, or the result of
// append.
func (c *logCollector) spread(f *ast.FuncDecl, list ast.Expr, names *[]string) (rest int) {
	switch list := ast.Unparen(list).(type) {
	case *ast.CallExpr:
		if fun, ok := list.Fun.(*ast.Ident); ok && fun.Name == "append" {
			rest = c.spread(f, list.Args[0], names)
			c.attributes(f, list, list.Args[1:], names)
			return rest
		}
		return -1 // such as make
	case *ast.CompositeLit:
		c.attributes(f, &ast.CallExpr{}, list.Elts, names)
		return -1
	case *ast.Ident:
		if i := c.parameter(f, list); i >= 0 {
			return i
		}
		for _, value := range c.assigned(f, list) {
			if call, ok := value.(*ast.CallExpr); ok && len(call.Args) > 0 && c.sameVariable(call.Args[0], list) {
				c.attributes(f, call, call.Args[1:], names) // x = append(x, …)
			} else {
				c.spread(f, value, names)
			}
		}
		return -1
	}
	c.problem(list, "cannot find the attributes")
	return -1
}

// attrNames returns the names in a call that returns an attribute: a function of slog, or
// one of this module that calls it.
func (c *logCollector) attrNames(call *ast.CallExpr) (names []string) {
	name := c.calledName(call)
	if strings.HasPrefix(name, "log/slog.") {
		key := c.constant(call.Args[0])
		if key == "" {
			c.problem(call, "the name of an attribute must be a constant")
		}
		return []string{key}
	}
	f := c.functions[name]
	if f == nil {
		c.problem(call, "cannot find the attribute")
		return nil
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if inner, ok := n.(*ast.CallExpr); ok && isAttr(c.info.TypeOf(inner)) {
			names = union(names, c.attrNames(inner))
		}
		return true
	})
	return names
}

// levels returns the levels that an expression can have: a constant, or a variable that is
// assigned constants.
func (c *logCollector) levels(f *ast.FuncDecl, level ast.Expr) (names []string) {
	values := []ast.Expr{level}
	if id, ok := level.(*ast.Ident); ok && c.info.Types[level].Value == nil {
		values = c.assigned(f, id)
	}
	for _, v := range values {
		n, ok := constant.Int64Val(constant.ToInt(valueOf(c.info.Types[v])))
		if !ok {
			c.problem(level, "the level of a log line must be a constant")
			return nil
		}
		names = union(names, []string{strings.ToLower(slog.Level(n).String())})
	}
	return names
}

// assigned returns the values that f assigns to a variable.
func (c *logCollector) assigned(f *ast.FuncDecl, id *ast.Ident) (values []ast.Expr) {
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok && len(a.Lhs) == len(a.Rhs) {
			for i, left := range a.Lhs {
				if c.sameVariable(left, id) {
					values = append(values, a.Rhs[i])
				}
			}
		}
		return true
	})
	return values
}

func (c *logCollector) sameVariable(a ast.Expr, b *ast.Ident) bool {
	id, ok := a.(*ast.Ident)
	return ok && c.info.ObjectOf(id) == c.info.ObjectOf(b)
}

// parameter returns the index of the parameter of f that an expression is, or -1.
func (c *logCollector) parameter(f *ast.FuncDecl, e ast.Expr) int {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return -1
	}
	i := 0
	for _, field := range f.Type.Params.List {
		for _, name := range field.Names {
			if c.info.Defs[name] == c.info.Uses[id] {
				return i
			}
			i++
		}
	}
	return -1
}

func numParameters(f *ast.FuncDecl) int { return f.Type.Params.NumFields() }

// constant returns the text of a constant expression, or "".
func (c *logCollector) constant(e ast.Expr) string {
	if v := c.info.Types[e].Value; v != nil && v.Kind() == constant.String {
		return constant.StringVal(v)
	}
	return ""
}

func valueOf(tv types.TypeAndValue) constant.Value {
	if tv.Value == nil {
		return constant.MakeUnknown()
	}
	return tv.Value
}

func (c *logCollector) problem(at ast.Node, text string) {
	c.problems = append(c.problems, fmt.Errorf("%v: %s", c.fset.Position(at.Pos()), text))
}

func isAttr(t types.Type) bool { return t != nil && t.String() == "log/slog.Attr" }

func severity(level string) int {
	return slices.Index([]string{"debug", "info", "warn", "error"}, level)
}

// union appends the elements of b that are not in a.
func union(a, b []string) []string {
	a = slices.Clip(a)
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}
