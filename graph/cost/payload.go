package cost

import "slices"

// viewerField is the field of each payload that looks up the viewer. An edge whose
// cursor is selected makes the same call.
const viewerField = "viewer"

// replaceEdge replaces the edge that is selected on a payload by the fields of the
// payload that make the same calls: the field of the edge's node and, if the cursor
// is selected, viewer. So the shared calls are counted once.
func (w *walk) replaceEdge(typ string, uses []*fieldUse) []*fieldUse {
	isEdge := func(u *fieldUse) bool { return u.field.sharedWith != "" }
	if !slices.ContainsFunc(uses, isEdge) {
		return uses
	}
	var edge *fieldUse
	byName := map[string]*fieldUse{}
	replaced := make([]*fieldUse, 0, len(uses)+2)
	for _, u := range uses {
		if isEdge(u) {
			edge = u
			continue
		}
		byName[u.field.def.Name] = u
		replaced = append(replaced, u)
	}
	sibling := func(name string) *fieldUse {
		if byName[name] == nil {
			byName[name] = &fieldUse{field: w.fields[typ][name], first: edge.first}
			replaced = append(replaced, byName[name])
		}
		return byName[name]
	}
	target := sibling(edge.field.sharedWith)
	for _, u := range w.collect(edge.field.def.Type.Name(), selectionSets(edge.all), false) {
		switch u.field.def.Name {
		case "node":
			target.all = append(target.all, u.all...)
		case "cursor":
			sibling(viewerField)
		}
	}
	return replaced
}
