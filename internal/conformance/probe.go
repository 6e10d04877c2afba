package conformance

import (
	"context"
	"fmt"
	"slices"
)

const docPath = "docs/mixcloud-api.md"

// A probe asks one question.
type probe struct {
	name    string // kebab-case, unique, never reused for something else
	rule    string // what is expected, in one sentence
	section string // where docs/mixcloud-api.md has it: the fragment of a heading
	sure    Confidence
	asks    []string // the paths it asks, as patterns in which {…} is one segment; [finding] may ask more

	// judge is nil when the rule holds where it was looked at, a *difference
	// when it does not, and any other error when nothing can be told.
	judge func(context.Context, *session) error
}

// finding are the paths that probes share to find users and shows to look at,
// because nothing is known beforehand of whom a service has.
var finding = []string{"/popular/", "/new/", "/{user}/", "/{user}/{list}/", "/{user}/{cloudcast}/", "/{user}/{cloudcast}/{list}/"}

// probes are all of them, in the order in which they are asked. The last ones
// look at what the others have seen.
func probes() []probe {
	return slices.Concat(
		transportProbes, keyProbes, resourceProbes, metadataProbes, listProbes, tagProbes, searchProbes,
		datePagingProbes, offsetPagingProbes, linkProbes, limitProbes, embedProbes, tokenProbes, errorProbes,
		unrecordedProbes, shapes2021Probes, hindsightProbes,
	)
}

// A difference is what was seen instead of what a rule says.
type difference struct{ seen string }

func (d *difference) Error() string { return d.seen }

// differs makes a difference.
func differs(format string, args ...any) error {
	return &difference{fmt.Sprintf(format, args...)}
}

// unsure is why nothing can be told.
func unsure(format string, args ...any) error { return fmt.Errorf(format, args...) }
