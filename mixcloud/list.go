package mixcloud

import (
	"context"
	"maps"
	"net/url"
	"strings"
)

// Users returns a page of any list of users, named by its path, such as
// "/spartacus/followers/" or "/categories/ambient/users/". The elements of the
// path may be plain or percent-encoded.
func (c *Client) Users(ctx context.Context, path string, r Range) (*Page[User], error) {
	return list[User](ctx, c, "Users", path, nil, r)
}

// Cloudcasts returns a page of any list of cloudcasts, named by its path, such as
// "/genres/funk+city:athens/popular/".
func (c *Client) Cloudcasts(ctx context.Context, path string, r Range) (*Page[Cloudcast], error) {
	return list[Cloudcast](ctx, c, "Cloudcasts", path, nil, r)
}

// Comments returns a page of any list of comments, named by its path.
func (c *Client) Comments(ctx context.Context, path string, r Range) (*Page[Comment], error) {
	return list[Comment](ctx, c, "Comments", path, nil, r)
}

// Activities returns a page of any feed, named by its path.
func (c *Client) Activities(ctx context.Context, path string, r Range) (*Page[Activity], error) {
	return list[Activity](ctx, c, "Activities", path, nil, r)
}

// Playlists returns a page of any list of playlists, named by its path.
func (c *Client) Playlists(ctx context.Context, path string, r Range) (*Page[Playlist], error) {
	return list[Playlist](ctx, c, "Playlists", path, nil, r)
}

// Tags returns a page of any list of tags, named by its path.
func (c *Client) Tags(ctx context.Context, path string, r Range) (*Page[Tag], error) {
	return list[Tag](ctx, c, "Tags", path, nil, r)
}

// Categories returns all categories on one page. The list has no further pages:
// it ignores limit and offset (client code).
func (c *Client) Categories(ctx context.Context) (*Page[Category], error) {
	return list[Category](ctx, c, "Categories", "/categories/", nil, Range{})
}

// Popular returns a page of the popular cloudcasts of the whole site.
func (c *Client) Popular(ctx context.Context, r Range) (*Page[Cloudcast], error) {
	return list[Cloudcast](ctx, c, "Popular", "/popular/", nil, r)
}

// Hot returns a page of the hot cloudcasts of the whole site (/popular/hot/). In
// 2017 these were the newest ones (observed).
func (c *Client) Hot(ctx context.Context, r Range) (*Page[Cloudcast], error) {
	return list[Cloudcast](ctx, c, "Hot", "/popular/hot/", nil, r)
}

// Newest returns a page of the newest cloudcasts of the whole site (/new/).
func (c *Client) Newest(ctx context.Context, r Range) (*Page[Cloudcast], error) {
	return list[Cloudcast](ctx, c, "Newest", "/new/", nil, r)
}

// SearchCloudcasts returns a page of the cloudcasts that match query, which must
// not be blank. Searches are paged by offset.
func (c *Client) SearchCloudcasts(ctx context.Context, query string, r Range) (*Page[Cloudcast], error) {
	return search[Cloudcast](ctx, c, "SearchCloudcasts", "cloudcast", query, r)
}

// SearchUsers returns a page of the users that match query.
func (c *Client) SearchUsers(ctx context.Context, query string, r Range) (*Page[User], error) {
	return search[User](ctx, c, "SearchUsers", "user", query, r)
}

// SearchTags returns a page of the tags that match query.
func (c *Client) SearchTags(ctx context.Context, query string, r Range) (*Page[Tag], error) {
	return search[Tag](ctx, c, "SearchTags", "tag", query, r)
}

// search always sends the type, because Mixcloud's default is not known.
func search[T any, P Decodable[T]](ctx context.Context, c *Client, op, typ, query string, r Range) (*Page[T], error) {
	if strings.TrimSpace(query) == "" {
		return nil, &InvalidError{Arg: "query", Reason: "is blank"}
	}
	return list[T, P](ctx, c, op, "/search/", url.Values{"q": {query}, "type": {typ}}, r)
}

// list fetches the page of a list that r selects.
func list[T any, P Decodable[T]](ctx context.Context, c *Client, op, path string, query url.Values, r Range) (*Page[T], error) {
	all := url.Values{}
	if err := r.values(all); err != nil {
		return nil, err
	}
	maps.Copy(all, c.baseQuery())
	maps.Copy(all, query)
	page := new(Page[T])
	err := c.fetch(ctx, op, path, all, func(v value) string {
		if !decodePage[T, P](page, v) {
			return noData
		}
		return ""
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}
