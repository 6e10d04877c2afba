package conformance

import (
	"context"
	"fmt"
	"slices"
)

const docPath = "docs/mixcloud-api.md"

// A probe checks one rule.
type probe struct {
	name       string // kebab-case, unique, never reused for another rule
	rule       string // the expected behavior, in one sentence
	section    string // of docs/mixcloud-api.md: the fragment of a heading
	confidence Confidence
	paths      []string // patterns of the requested paths, in which {…} is one segment, in addition to [discoveryPaths]

	// check returns nil if the rule holds, a *difference if it does not, and any
	// other error if the result is inconclusive.
	check func(context.Context, *session) error
}

// discoveryPaths are the paths with which all probes can find users and shows to check,
// because the content of a service is not known.
var discoveryPaths = []string{"/popular/", "/new/", "/{user}/", "/{user}/{list}/", "/{user}/{cloudcast}/", "/{user}/{cloudcast}/{list}/"}

// probes returns all probes in their order. The last ones check the responses of the
// others.
func probes() []probe {
	return slices.Concat(
		transportProbes, keyProbes, resourceProbes, metadataProbes, listProbes, tagProbes, searchProbes,
		datePagingProbes, offsetPagingProbes, linkProbes, limitProbes, embedProbes, tokenProbes, errorProbes,
		unrecordedProbes, client2021Probes, finalProbes,
	)
}

// A difference is an observation that contradicts a rule.
type difference struct{ message string }

func (d *difference) Error() string { return d.message }

// differs returns a difference.
func differs(format string, args ...any) error {
	return &difference{fmt.Sprintf(format, args...)}
}

// inconclusive returns an error with the reason why a rule could not be checked.
func inconclusive(format string, args ...any) error { return fmt.Errorf(format, args...) }
