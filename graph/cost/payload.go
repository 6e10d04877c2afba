package cost

import "github.com/vektah/gqlparser/v2/ast"

// viewerField is the field of each payload that looks up the viewer.
const viewerField = "viewer"

// targetOf returns the field of a payload that looks up the node of its edge.
func targetOf(payload, edge *ast.Definition) string {
	node := edge.Fields.ForName("node")
	for _, f := range payload.Fields {
		if node != nil && f.Type.Name() == node.Type.Name() {
			return f.Name
		}
	}
	return ""
}

// withoutEdge replaces the edge that is selected of a payload by the fields beside
// it which make the same calls: the one of its node and, if the cursor is
// selected, the viewer. So what both look up is counted once.
func (w *walk) withoutEdge(typ string, picks []*pick) []*pick {
	var edge *pick
	at := map[string]*pick{}
	others := make([]*pick, 0, len(picks)+2)
	for _, p := range picks {
		if p.field.fee == anEdge {
			edge = p
			continue
		}
		at[p.field.def.Name] = p
		others = append(others, p)
	}
	if edge == nil {
		return picks
	}
	beside := func(name string) *pick {
		if at[name] == nil {
			at[name] = &pick{field: w.fields[typ][name], first: edge.first}
			others = append(others, at[name])
		}
		return at[name]
	}
	target := beside(edge.field.target)
	for _, in := range w.collect(edge.field.def.Type.Name(), setsOf(edge.all), false) {
		switch in.field.def.Name {
		case "node":
			target.all = append(target.all, in.all...)
		case "cursor":
			beside(viewerField)
		}
	}
	return others
}
