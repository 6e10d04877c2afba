package emulator

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Deviations that change a request. See [rule]. Their functions are called with a read
// lock on the emulator's data.

// respondNotFound makes the response a 404.
func respondNotFound(message string) deviation {
	return changeRequest(func(c *call) { c.routeError = notFound(message) })
}

// setParam sets a parameter of the query.
func setParam(name, value string) deviation {
	return changeRequest(func(c *call) { c.query.Set(name, value) })
}

// dropParams removes parameters from the query.
func dropParams(names ...string) deviation {
	return changeRequest(func(c *call) {
		for _, name := range names {
			c.query.Del(name)
		}
	})
}

// servePath serves another path: the requested one with old replaced.
func servePath(old, replacement string) deviation {
	return changeRequest(func(c *call) { c.path = strings.Replace(c.path, old, replacement, 1) })
}

// changeBounds changes since and until; a bound for which f returns "" is
// removed.
func changeBounds(f func(value string) string) deviation {
	return changeRequest(func(c *call) {
		for _, name := range []string{"since", "until"} {
			if !c.query.Has(name) {
				continue
			}
			if value := f(c.query.Get(name)); value != "" {
				c.query.Set(name, value)
			} else {
				c.query.Del(name)
			}
		}
	})
}

func withoutSeconds(bound string) string {
	if _, err := strconv.ParseInt(bound, 10, 64); err == nil {
		return ""
	}
	return bound
}

func withoutText(bound string) string {
	if _, err := time.Parse(time.DateTime, bound); err == nil {
		return ""
	}
	return bound
}

// invalidAsZero replaces an invalid bound with one that no item satisfies.
func invalidAsZero(bound string) string {
	if withoutSeconds(bound) != "" && withoutText(bound) != "" {
		return "0"
	}
	return bound
}

// shiftBound moves since or until by some seconds.
func shiftBound(name string, seconds int64) deviation {
	return changeRequest(func(c *call) {
		if at, ok := c.bound(name); ok {
			c.query.Set(name, strconv.FormatInt(at+seconds, 10))
		}
	})
}

// whenNumber applies if a parameter is a number for which f returns true.
func whenNumber(name string, f func(int) bool) func(*call) bool {
	return func(c *call) bool {
		n, err := strconv.Atoi(c.query.Get(name))
		return err == nil && f(n)
	}
}

func isNegative(n int) bool { return n < 0 }

// withParam applies if the query has a parameter.
func withParam(name string) func(*call) bool {
	return func(c *call) bool { return c.query.Has(name) }
}

func withoutParam(name string) func(*call) bool {
	return func(c *call) bool { return !c.query.Has(name) }
}

// usesDefaultLimit applies if the request has no valid limit.
func usesDefaultLimit(c *call) bool {
	limit, err := strconv.Atoi(c.query.Get("limit"))
	return err != nil || limit <= 0
}

func addSlash(c *call) {
	if m := c.request.Method; (m == http.MethodGet || m == http.MethodHead) && !strings.HasSuffix(c.path, "/") {
		c.path += "/"
	}
}

func ignoreCallback(c *call) {
	c.callback = ""
	c.beginBody()
}

func useHeaderToken(c *call) {
	if token, ok := strings.CutPrefix(c.request.Header.Get("Authorization"), "Bearer "); ok {
		c.query.Set("access_token", token)
	}
}

func ignoreBadToken(c *call) {
	if c.ownerOf(c.query.Get("access_token")) == nil {
		c.query.Del("access_token")
	}
}

// meWithoutToken applies to /me/ and its lists if the request has no token.
func meWithoutToken(c *call) bool {
	return split(c.sent.path)[0] == "me" && c.query.Get("access_token") == ""
}

// otherCase applies if the user name in the path and in the user's key differ in case.
func otherCase(c *call) bool {
	name, err := url.PathUnescape(split(c.sent.path)[0])
	u := c.world.User(name)
	return err == nil && u != nil && u.Username != name
}

// raisePageCap raises the page cap to the requested limit.
func raisePageCap(c *call) {
	if limit, err := strconv.Atoi(c.query.Get("limit")); err == nil && limit > 0 {
		c.pageCap = limit
	}
}

// respondSelectionNotFound makes the response a 404 if the tag or city exists.
var respondSelectionNotFound = changeRequest(func(c *call) {
	if _, err := c.parseSelection(c.selected()); err == nil {
		c.routeError = notFound(noResource)
	}
})

// lowerPageCap lowers the page cap.
func lowerPageCap(n int) deviation {
	return changeRequest(func(c *call) { c.pageCap = min(c.pageCap, n) })
}

func newestSince(c *call) { c.settings.SinceOrder = SinceNewest }

func isZero(n int) bool { return n == 0 }

// onWidget applies to the page of the player.
func onWidget(c *call) bool { return c.sent.path == "/www/widget/iframe/" }

// cloudcastSearch applies to searches for cloudcasts.
func cloudcastSearch(c *call) bool {
	return searching("")(c) || searching("cloudcast")(c) || searching("upload")(c)
}

// categoryLists are the routes of the lists of a category.
var categoryLists = []string{
	"/categories/{category}/cloudcasts/", "/categories/{category}/users/",
	"/categories/{category}/userpick-cloudcasts/", "/categories/{category}/userpick-users/",
}
