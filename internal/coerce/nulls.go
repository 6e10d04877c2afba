package coerce

import "github.com/vektah/gqlparser/v2/ast"

// nulls reports variables that are null where their place wants a value. The
// specification lets a nullable variable stand for a non-null place that has a
// default (or if the variable has one), and has the executor refuse it when it
// is null. A selection that @skip or @include leaves out is not executed, so it
// is not judged.
func (c *Coercer) nulls(op *ast.OperationDefinition, values map[string]any, faults *faults) {
	w := nullWalk{values: values, null: map[string]bool{}, spread: map[string]bool{}, faults: faults, schema: c.schema}
	for _, def := range op.VariableDefinitions {
		if value, given := values[def.Variable]; given && value == nil {
			w.null[def.Variable] = true
		}
	}
	if len(w.null) == 0 {
		return
	}
	w.directives(op.Directives)
	w.selection(op.SelectionSet)
}

type nullWalk struct {
	schema *ast.Schema
	values map[string]any
	null   map[string]bool // names of those
	spread map[string]bool // fragments that were visited
	faults *faults
}

func (w *nullWalk) selection(set ast.SelectionSet) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if !w.included(sel.Directives) {
				continue
			}
			if sel.Definition != nil {
				w.arguments(sel.Definition.Arguments, sel.Arguments)
			}
			w.selection(sel.SelectionSet)
		case *ast.InlineFragment:
			if w.included(sel.Directives) {
				w.selection(sel.SelectionSet)
			}
		case *ast.FragmentSpread:
			if w.included(sel.Directives) && sel.Definition != nil && !w.spread[sel.Name] {
				w.spread[sel.Name] = true
				w.selection(sel.Definition.SelectionSet)
			}
		}
	}
}

// included judges the directives of a selection, and reports whether they leave
// it in.
func (w *nullWalk) included(list ast.DirectiveList) bool {
	w.directives(list)
	for _, d := range list {
		arg := d.Arguments.ForName("if")
		if d.Name != "skip" && d.Name != "include" || arg == nil || arg.Value == nil {
			continue
		}
		value, err := arg.Value.Value(w.values)
		if on, isBool := value.(bool); err == nil && isBool && on == (d.Name == "skip") {
			return false
		}
	}
	return true
}

func (w *nullWalk) directives(list ast.DirectiveList) {
	for _, d := range list {
		if d.Definition != nil {
			w.arguments(d.Definition.Arguments, d.Arguments)
		}
	}
}

func (w *nullWalk) arguments(defs ast.ArgumentDefinitionList, args ast.ArgumentList) {
	for _, arg := range args {
		if def := defs.ForName(arg.Name); def != nil {
			w.value(def.Type, arg.Value)
		}
	}
}

func (w *nullWalk) value(t *ast.Type, v *ast.Value) {
	if v == nil {
		return
	}
	switch v.Kind {
	case ast.Variable:
		if w.null[v.Raw] && t.NonNull {
			w.faults.add(place{name: v.Raw, variable: true, position: v.Position}, t, "null", "")
			delete(w.null, v.Raw) // once is enough
		}
	case ast.ListValue:
		for _, item := range v.Children {
			if t.Elem != nil {
				w.value(t.Elem, item.Value)
			}
		}
	case ast.ObjectValue:
		for t.Elem != nil {
			t = t.Elem
		}
		def := w.schema.Types[t.NamedType]
		for _, child := range v.Children {
			if def == nil {
				return
			}
			if field := def.Fields.ForName(child.Name); field != nil {
				w.value(field.Type, child.Value)
			}
		}
	}
}
