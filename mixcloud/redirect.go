package mixcloud

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A redirect is not followed here. Its error says where it leads if another call
// may be made there: only the path of its Location is taken, and only below the
// API's own root, so that neither a token nor a query ever goes elsewhere.

type pathKey struct{}

// WithLocation returns a context with which a read goes to location instead of
// its own path, with the same query. It repeats a read that failed with
// [ErrMoved]: location is the [Error.Location] of that error. Use the context
// for this one read only.
func WithLocation(ctx context.Context, location string) context.Context {
	return context.WithValue(ctx, pathKey{}, location)
}

// located is the path that a request is made with.
func located(ctx context.Context, r request) string {
	path, ok := ctx.Value(pathKey{}).(string)
	if !ok || r.method != "" || !sameThing(r.path, path) {
		return r.path
	}
	clean, problem := cleanPath(path)
	if problem != "" {
		return r.path
	}
	return clean
}

// isRedirect reports whether a status asks the client to go to another address.
func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// moved is the error of a request to address that was answered with a redirect.
func moved(r request, address *url.URL, location string) *Error {
	e := &Error{Kind: ErrMoved}
	target, err := address.Parse(location)
	switch {
	case r.method != "":
		e.Err = errors.New("redirects of writes are not followed")
	case location == "" || err != nil:
		e.Err = errors.New("the redirect has no valid location")
	case target.User != nil || !strings.EqualFold(target.Host, r.root.Host) || target.Scheme != "http" && target.Scheme != "https":
		e.Err = errors.New("the redirect leads to another host")
	default:
		path, below := strings.CutPrefix(target.EscapedPath(), r.root.EscapedPath()+"/")
		clean, problem := cleanPath(path)
		switch {
		case !below || problem != "":
			e.Err = errors.New("the redirect leads to no path of the API")
		case clean == r.path:
			e.Err = errors.New("the redirect leads to itself")
		case !sameThing(r.path, clean):
			e.Err = errors.New("the redirect leads to no resource of the same kind")
		default:
			e.Location = clean
		}
	}
	return e
}

// sameThing reports whether two clean paths name resources of one kind, or the
// same list of two such resources.
func sameThing(a, b string) bool {
	kindA, listA := owner(a)
	kindB, listB := owner(b)
	return kindA != "" && kindA == kindB && listA == listB
}

// owner is the kind of resource that a clean path names, or whose list it names,
// and the list's name; "" for any other path.
func owner(clean string) (kind Kind, list string) {
	if clean == "/" {
		return "", ""
	}
	path := elements(clean)
	kind, problem := shape(slices.Clone(path))
	if last := len(path) - 1; problem != "" && last > 0 {
		list = lowerPlain(path[last])
		kind, problem = shape(slices.Clone(path[:last]))
	}
	if problem != "" {
		return "", ""
	}
	if kind == KindCity {
		kind = KindTag
	}
	return kind, list
}
