package graphhttp

import (
	"maps"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"mixcloud-graphql/internal/responselimit"
)

const (
	// maxDocumentName is the maximum length of a name in a document, in bytes. Errors quote
	// names: a name of a megabyte in a thousand errors would be a gigabyte.
	maxDocumentName = 512
	// maxSuggested is the maximum length of a name, in bytes, for which similar names of the
	// schema are suggested. The time to find them is proportional to the length.
	maxSuggested = 64
)

// checkNames refuses a document with a name that is too long to be quoted.
func checkNames(doc *ast.QueryDocument) *gqlerror.Error {
	var at *ast.Position
	check := func(name string, position *ast.Position) {
		if len(name) > maxDocumentName && at == nil {
			at = position
		}
	}
	for _, op := range doc.Operations {
		check(op.Name, op.Position)
		for _, v := range op.VariableDefinitions {
			check(v.Variable, v.Position)
			check(v.Type.Name(), v.Position)
		}
	}
	for _, f := range doc.Fragments {
		check(f.Name, f.Position)
		check(f.TypeCondition, f.Position)
	}
	eachSelection(doc, func(sel ast.Selection) {
		switch sel := sel.(type) {
		case *ast.Field:
			check(sel.Name, sel.Position)
			check(sel.Alias, sel.Position)
			for _, arg := range sel.Arguments {
				check(arg.Name, arg.Position)
			}
		case *ast.InlineFragment:
			check(sel.TypeCondition, sel.Position)
		case *ast.FragmentSpread:
			check(sel.Name, sel.Position)
		}
	})
	if at == nil {
		return nil
	}
	err := limit("The document has a name of more than %d characters.", maxDocumentName)
	err.Locations = []gqlerror.Location{{Line: at.Line, Column: at.Column}}
	return err
}

// hideSchema adds rules that refuse introspection, and rules that suggest no names of the
// schema. [coerce] validates literals.
func hideSchema(replaced map[string]core.RuleFunc) {
	replaced[rules.FieldsOnCorrectTypeRule.Name] = rules.FieldsOnCorrectTypeRuleWithoutSuggestions.RuleFunc
	replaced[rules.KnownArgumentNamesRule.Name] = rules.KnownArgumentNamesRuleWithoutSuggestions.RuleFunc
	replaced[rules.KnownTypeNamesRule.Name] = rules.KnownTypeNamesRuleWithoutSuggestions.RuleFunc
	replaced[rules.ScalarLeafsRule.Name] = rules.ScalarLeafsRuleWithoutSuggestions.RuleFunc
	replaced["NoIntrospection"] = func(observers *core.Events, addError core.AddErrFunc) {
		observers.OnField(func(_ *core.Walker, f *ast.Field) {
			if f.Name == "__schema" || f.Name == "__type" {
				addError(core.Message(`Cannot query field "%s": introspection is disabled.`, f.Name), core.At(f.Position))
			}
		})
	}
}

// validationRules returns the rules of one validation: all of gqlparser's, their replacements,
// and additional ones. For long names and after too many errors, no similar names are suggested.
// Errors over the maximum are only counted.
func validationRules(replaced map[string]core.RuleFunc) *rules.Rules {
	errs := 0
	all := rules.NewRules()
	selected := rules.NewDefaultRules().GetInner()
	maps.Copy(selected, replaced)
	for name, rule := range selected {
		all.AddRule(name, func(observers *core.Events, addError core.AddErrFunc) {
			rule(observers, func(options ...core.ErrorOption) {
				if errs++; errs > responselimit.MaxErrors {
					options = nil
				}
				addError(options...)
			})
		})
	}
	// Rules run in the order of their names, so this one runs first.
	all.AddRule("!ShortenUnknownNames", func(observers *core.Events, _ core.AddErrFunc) {
		shorten := func(name *string) {
			if errs >= responselimit.MaxErrors {
				*name = "" // the message is dropped
			} else if len(*name) > maxSuggested {
				*name = (*name)[:maxSuggested] + "…" // too long to be similar to a name of the schema
			}
		}
		observers.OnField(func(_ *core.Walker, f *ast.Field) {
			if f.Definition == nil {
				shorten(&f.Name)
				return
			}
			for _, arg := range f.Arguments {
				if f.Definition.Arguments.ForName(arg.Name) == nil {
					shorten(&arg.Name)
				}
			}
		})
		observers.OnDirective(func(_ *core.Walker, d *ast.Directive) {
			for _, arg := range d.Arguments {
				if d.Definition != nil && d.Definition.Arguments.ForName(arg.Name) == nil {
					shorten(&arg.Name)
				}
			}
		})
		observers.OnFragment(func(w *core.Walker, f *ast.FragmentDefinition) {
			if w.Schema.Types[f.TypeCondition] == nil {
				shorten(&f.TypeCondition)
			}
		})
		observers.OnValue(func(_ *core.Walker, v *ast.Value) {
			if v.Definition == nil {
				return
			}
			switch v.Kind {
			case ast.EnumValue, ast.StringValue, ast.BlockValue:
				if v.Definition.Kind == ast.Enum && v.Definition.EnumValues.ForName(v.Raw) == nil {
					shorten(&v.Raw)
				}
			case ast.ObjectValue:
				for _, child := range v.Children {
					if v.Definition.Fields.ForName(child.Name) == nil {
						shorten(&child.Name)
					}
				}
			}
		})
	})
	return all
}
