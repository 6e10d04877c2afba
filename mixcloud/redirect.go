package mixcloud

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Redirects are not followed. The error of a redirect contains the target only if
// this is a path below the base URL of the API, so that a token or a query is
// never sent to another host.

// locationKey is the context key of the path that [WithLocation] sets.
type locationKey struct{}

// WithLocation returns a context with which a read goes to location instead of
// its own path, with the same query. Use it to repeat a read that failed with
// [ErrMoved], with the [Error.Location] of that error, and for that read only.
func WithLocation(ctx context.Context, location string) context.Context {
	return context.WithValue(ctx, locationKey{}, location)
}

// requestPath returns the path of r, or that of [WithLocation].
func requestPath(ctx context.Context, r request) string {
	path, ok := ctx.Value(locationKey{}).(string)
	if !ok || r.method != "" || !sameResource(r.path, path) {
		return r.path
	}
	clean, problem := cleanPath(path)
	if problem != "" {
		return r.path
	}
	return clean
}

// isRedirect reports whether a response with this status redirects to another
// URL.
func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// redirectError returns the error of a request to the URL from whose response is
// a redirect to location.
func redirectError(r request, from *url.URL, location string) *Error {
	e := &Error{Kind: ErrMoved}
	target, err := from.Parse(location)
	switch {
	case r.method != "":
		e.Err = errors.New("redirects of writes are not followed")
	case location == "" || err != nil:
		e.Err = errors.New("the redirect has no valid Location")
	case target.User != nil || !strings.EqualFold(target.Host, r.base.Host) || target.Scheme != "http" && target.Scheme != "https":
		e.Err = errors.New("the redirect leads to another host")
	default:
		path, below := strings.CutPrefix(target.EscapedPath(), r.base.EscapedPath()+"/")
		clean, problem := cleanPath(path)
		switch {
		case !below || problem != "":
			e.Err = errors.New("the redirect does not lead to a path of the API")
		case clean == r.path:
			e.Err = errors.New("the redirect leads to itself")
		case !sameResource(r.path, clean):
			e.Err = errors.New("the redirect does not lead to a resource of the same kind")
		default:
			e.Location = clean
		}
	}
	return e
}

// sameResource reports whether two clean paths name resources of one kind, or the
// same list of two such resources.
func sameResource(a, b string) bool {
	kindA, listA := resourceOf(a)
	kindB, listB := resourceOf(b)
	return kindA != "" && kindA == kindB && listA == listB
}

// resourceOf returns the kind of the resource that a clean path names. For the
// path of a list it returns the kind of the list's owner, and the name of the
// list. The kind is "" for any other path.
func resourceOf(clean string) (kind Kind, list string) {
	if clean == "/" {
		return "", ""
	}
	path := elements(clean)
	kind, problem := pathKind(slices.Clone(path))
	if last := len(path) - 1; problem != "" && last > 0 {
		list = lowerEscaped(path[last])
		kind, problem = pathKind(slices.Clone(path[:last]))
	}
	if problem != "" {
		return "", ""
	}
	if kind == KindCity {
		kind = KindTag
	}
	return kind, list
}
