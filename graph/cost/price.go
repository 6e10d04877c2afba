package cost

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A fee says what is paid for a field.
type fee int

const (
	free        fee = iota
	aCall           // a call of the field's own for each object; a page of it, where there are pages
	twoCalls        // the same, and another one
	anEdge          // of a payload: the calls for its object and, if the cursor is selected, for its viewer
	aLoad           // the load of the object, which all its members share
	ownersLoad      // of a connection: the load of the object that owns it
	theViewer       // the call that tells who the viewer is, which all objects share
	isTheViewer     // the same, unless the object was looked up and says so itself
	viewersPage     // a page that one user alone can have: the viewer
	eachID          // a call for each different id
	eachKey         // a call for each different key
)

// A price is what a description says.
type price struct {
	fee      fee
	signed   bool   // costs, and is there, with a token alone
	argument string // costs only if this Boolean argument is true; "" for always
}

// sentences are all that a description may say.
var sentences = map[string]price{
	"one call":                    {fee: aCall},
	"one call to the site":        {fee: aCall},
	"one call, before the change": {fee: aCall},
	"one call, and one more if its `cursor` is selected":                              {fee: anEdge},
	"one call, and one more when there is nothing to undo":                            {fee: aCall}, // the one more: field.undo
	"one call, and one to look up the viewer":                                         {fee: twoCalls},
	"one call per different id":                                                       {fee: eachID},
	"one call per different key":                                                      {fee: eachKey},
	"one load":                                                                        {fee: aLoad},
	"one load of the owner at most":                                                   {fee: ownersLoad},
	"nothing, until a list of it is selected":                                         {},
	"nothing; with a token one load":                                                  {fee: aLoad, signed: true},
	"nothing without a token; with a token one call":                                  {fee: theViewer, signed: true},
	"nothing; with a token one load, if it did not come along":                        {fee: aLoad, signed: true},
	"nothing for anonymous callers; one call with a token, after those of `isViewer`": {fee: viewersPage, signed: true},
	"with a token: one call for the viewer, shared by all users; none for a user that was looked up itself": {
		fee: isTheViewer, signed: true,
	},
}

var withArgument = regexp.MustCompile("^Cost with `([a-z]+): true`: (.*)$")

// priceOf reads a description. One without a line on cost is free; a line in
// other words than those of the table is an error.
func priceOf(description string) (price, error) {
	paragraphs := strings.Split(strings.TrimSpace(description), "\n\n")
	text := strings.Join(strings.Fields(paragraphs[len(paragraphs)-1]), " ")
	if !strings.HasPrefix(text, "Cost") {
		if strings.Contains(description, "Cost") {
			return price{}, fmt.Errorf("the cost is not the last paragraph of %q", description)
		}
		return price{}, nil
	}
	argument := ""
	if m := withArgument.FindStringSubmatch(text); m != nil {
		argument, text = m[1], "Cost: "+m[2]
	}
	said, ok := strings.CutPrefix(text, "Cost: ")
	if !ok {
		said, ok = strings.CutPrefix(text, "Cost ")
	}
	p, known := sentences[strings.TrimSuffix(said, ".")]
	if !ok || !known {
		return price{}, fmt.Errorf("no price is known for %q", text)
	}
	p.argument = argument
	return p, nil
}

// A field is what the estimate has to know of a field of an object type.
type field struct {
	def   *ast.FieldDefinition
	owner string
	price
	paged bool  // a connection: its arguments say how many items there are
	size  int64 // how many objects it gives at most; of a connection unused
	full  bool  // its objects are looked up themselves
	dated bool  // of a connection: its items carry the time of the listing
	twice bool  // of a connection: it may have to be asked for under an older name
	total bool  // of a connection: only the owner's full form counts its items
	undo  bool  // of a mutation: that nothing was to be undone takes a look at the target
	own   bool  // of a count: the viewer's is corrected for their own latest writes
	mine  bool  // of a connection: the viewer's is corrected for their own latest writes
	// target is, of an edge of a payload, the field that looks up the same node.
	target string
}

// readField gathers what is known of a field.
func readField(schema *ast.Schema, owner *ast.Definition, def *ast.FieldDefinition) (*field, error) {
	name := owner.Name + "." + def.Name
	p, err := priceOf(def.Description)
	if err != nil {
		return nil, fmt.Errorf("cost: %s: %w", name, err)
	}
	result := schema.Types[def.Type.Name()]
	list := def.Type.Elem != nil
	f := &field{
		def: def, owner: owner.Name, price: p, size: 1,
		paged: def.Arguments.ForName("first") != nil,
		dated: dated[name], total: counted[name], own: corrected[name], mine: ownLists[name],
		twice: def.Name == "latest" && renamed[owner.Name],
		undo:  owner == schema.Mutation && (strings.HasPrefix(def.Name, "un") || strings.HasPrefix(def.Name, "remove")),
		full:  result.IsCompositeType() && (p.fee == theViewer || p.fee == eachID || p.fee == eachKey || p.fee == aCall && !list),
	}
	if f.paged {
		f.full = false
		if p.fee != aCall && p.fee != viewersPage {
			return nil, fmt.Errorf("cost: %s has pages and its description does not say that they cost a call", name)
		}
	}
	if list {
		f.size = bounds[name]
	}
	if p.fee == anEdge {
		f.target = targetOf(owner, result)
		if f.target == "" || owner.Fields.ForName(viewerField) == nil {
			return nil, fmt.Errorf("cost: %s is priced as an edge, and the fields of its node and of the viewer are not beside it", name)
		}
	}
	return f, nil
}
