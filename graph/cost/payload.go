package cost

import "slices"

// viewerField is the field of each payload that looks up the viewer. An edge whose
// cursor is selected makes the same call.
const viewerField = "viewer"

// withoutEdge replaces the edge that is selected of a payload by the fields beside
// it which make the same calls: the one of its node and, if the cursor is
// selected, the viewer. So what both look up is counted once.
func (w *walk) withoutEdge(typ string, picks []*pick) []*pick {
	isEdge := func(p *pick) bool { return p.field.sharedWith != "" }
	if !slices.ContainsFunc(picks, isEdge) {
		return picks
	}
	var edge *pick
	at := map[string]*pick{}
	others := make([]*pick, 0, len(picks)+2)
	for _, p := range picks {
		if isEdge(p) {
			edge = p
			continue
		}
		at[p.field.def.Name] = p
		others = append(others, p)
	}
	beside := func(name string) *pick {
		if at[name] == nil {
			at[name] = &pick{field: w.fields[typ][name], first: edge.first}
			others = append(others, at[name])
		}
		return at[name]
	}
	target := beside(edge.field.sharedWith)
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
