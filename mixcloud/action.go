package mixcloud

import (
	"context"
	"net/http"
	"slices"
)

// A Result is Mixcloud's response to an action, an upload or an edit. A refusal
// with an error status is an [*Error] instead.
type Result struct {
	Object
	// Success is false if Mixcloud refused the write with status 200 (client
	// code).
	Success bool
	// Message is Mixcloud's own message, such as "Now following bob", or "": plain
	// text of at most 500 characters.
	Message string
	// Key is the key of the cloudcast after an upload or an edit.
	Key Key
	// Details are messages about single fields if Success is false; see
	// [Error.Details].
	Details map[string][]string
}

// Follow follows a user. This and the other actions need a token and act for its
// owner. They are sent once and never retried. Repeating an action succeeds
// (inferred).
func (c *Client) Follow(ctx context.Context, user string) (*Result, error) {
	return c.act(ctx, "Follow", http.MethodPost, user, "follow")
}

// Unfollow undoes [Client.Follow]. Unfollow, Unfavorite, Unrepost and
// RemoveFromListenLater return an [ErrNotFound] if there is nothing to undo
// (client code) or the target does not exist.
func (c *Client) Unfollow(ctx context.Context, user string) (*Result, error) {
	return c.act(ctx, "Unfollow", http.MethodDelete, user, "follow")
}

// Favorite adds a cloudcast to the user's favorites.
func (c *Client) Favorite(ctx context.Context, cloudcast string) (*Result, error) {
	return c.act(ctx, "Favorite", http.MethodPost, cloudcast, "favorite")
}

// Unfavorite undoes [Client.Favorite].
func (c *Client) Unfavorite(ctx context.Context, cloudcast string) (*Result, error) {
	return c.act(ctx, "Unfavorite", http.MethodDelete, cloudcast, "favorite")
}

// Repost shows a cloudcast to the user's followers.
func (c *Client) Repost(ctx context.Context, cloudcast string) (*Result, error) {
	return c.act(ctx, "Repost", http.MethodPost, cloudcast, "repost")
}

// Unrepost undoes [Client.Repost].
func (c *Client) Unrepost(ctx context.Context, cloudcast string) (*Result, error) {
	return c.act(ctx, "Unrepost", http.MethodDelete, cloudcast, "repost")
}

// AddToListenLater adds a cloudcast to the user's listen-later list.
func (c *Client) AddToListenLater(ctx context.Context, cloudcast string) (*Result, error) {
	return c.act(ctx, "AddToListenLater", http.MethodPost, cloudcast, "listen-later")
}

// RemoveFromListenLater undoes [Client.AddToListenLater].
func (c *Client) RemoveFromListenLater(ctx context.Context, cloudcast string) (*Result, error) {
	return c.act(ctx, "RemoveFromListenLater", http.MethodDelete, cloudcast, "listen-later")
}

// act performs an action on the object at key.
func (c *Client) act(ctx context.Context, op, method, key, action string) (*Result, error) {
	path, problem := cleanPath(key)
	if problem != "" {
		return nil, &InvalidError{Arg: "key", Reason: problem}
	}
	if c.token == nil {
		return nil, &InvalidError{Arg: "token", Reason: "is required for a write"}
	}
	return c.write(ctx, request{op: op, method: method, base: c.api, path: path + action + "/", token: c.token})
}

// write sends a request that changes data, and reads its result.
func (c *Client) write(ctx context.Context, r request) (*Result, error) {
	result := new(Result)
	err := c.fetchJSON(ctx, r, func(v value) string {
		inner := v.member("result")
		if inner.first() != '{' {
			return "the response has no result"
		}
		success := inner.member("success").flag()
		if success == nil {
			return "the result has no valid member success"
		}
		result.json, result.Success = v.Value, *success
		result.Message = sanitize(inner.member("message").text(), r.token, maxMessage)
		result.Key = ParseKey(inner.member("key").text())
		if result.Details = details(v); result.Details == nil {
			result.Details = details(inner)
		}
		sanitizeDetails(result.Details, r.token)
		return ""
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// maxDepth is the maximum nesting of the details that are read.
const maxDepth = 4

// details reads messages about single fields: strings, and lists and objects of
// strings. The names of nested objects are joined like those of the form:
// "sections-2-start_time". Other values are ignored. details returns nil if there
// are no messages.
func details(v value) map[string][]string {
	all := map[string][]string{}
	addDetails(all, "", v.member("details"), maxDepth)
	if len(all) == 0 {
		return nil
	}
	return all
}

func addDetails(all map[string][]string, field string, v value, depth int) {
	if v.first() == '"' {
		all[field] = append(all[field], v.text())
	}
	if depth == 0 {
		return
	}
	for element := range v.elements() {
		addDetails(all, field, element, depth-1)
	}
	for name, member := range v.members() {
		if field != "" {
			name = field + "-" + name
		}
		addDetails(all, name, member, depth-1)
	}
}

// sanitizeDetails sanitizes messages about fields, and removes those that are
// empty after that.
func sanitizeDetails(all map[string][]string, token credential) {
	for field, texts := range all {
		for i, text := range texts {
			texts[i] = sanitize(text, token, maxMessage)
		}
		all[field] = slices.DeleteFunc(texts, func(text string) bool { return text == "" })
		if len(all[field]) == 0 {
			delete(all, field)
		}
	}
}
