package coerce

import "github.com/vektah/gqlparser/v2/ast"

// checkNulls reports variables that are null where a value is required. The
// specification allows a nullable variable at a non-null location if the location
// or the variable has a default, and requires the executor to reject it if it is
// null. A selection that @skip or @include excludes is not executed, so it is not
// checked.
func (c *Coercer) checkNulls(op *ast.OperationDefinition, values map[string]any, errs *errorList) {
	w := nullWalk{values: values, nulls: map[string]bool{}, visited: map[string]bool{}, errs: errs, schema: c.schema}
	for _, def := range op.VariableDefinitions {
		if value, given := values[def.Variable]; given && value == nil {
			w.nulls[def.Variable] = true
		}
	}
	if len(w.nulls) == 0 {
		return
	}
	w.directives(op.Directives)
	w.selection(op.SelectionSet)
}

type nullWalk struct {
	schema  *ast.Schema
	values  map[string]any
	nulls   map[string]bool // names of variables that are null
	visited map[string]bool // fragments
	errs    *errorList
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
			if w.included(sel.Directives) && sel.Definition != nil && !w.visited[sel.Name] {
				w.visited[sel.Name] = true
				w.selection(sel.Definition.SelectionSet)
			}
		}
	}
}

// included checks the directives of a selection and reports whether they include
// it.
func (w *nullWalk) included(list ast.DirectiveList) bool {
	w.directives(list)
	for _, d := range list {
		arg := d.Arguments.ForName("if")
		if d.Name != "skip" && d.Name != "include" || arg == nil || arg.Value == nil {
			continue
		}
		value, err := arg.Value.Value(w.values)
		if condition, isBool := value.(bool); err == nil && isBool && condition == (d.Name == "skip") {
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
		if w.nulls[v.Raw] && t.NonNull {
			w.errs.add(location{name: v.Raw, variable: true, position: v.Position}, t, "null", "")
			delete(w.nulls, v.Raw) // report it once
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
