package mixcloud

import (
	"context"
	"time"
	"unsafe"
)

// An Item is an item of a page that is decoded when it is needed. T is the type of
// the decoded item. Decoding a page of Items takes about a third of the memory and
// of the time that a page of Ts takes:
//
//	page, err := mixcloud.ListItems[mixcloud.Cloudcast](ctx, client, "/popular/", mixcloud.Range{})
//	first := page.Items[0].Value()
type Item[T any] struct {
	Object
	Key   Key
	other *T // replaces the item; nil for the item as received
}

// Value decodes the item. The caller may change the result, unless the item is the
// result of [Item.With].
func (i *Item[T]) Value() *T {
	if i.other != nil {
		return i.other
	}
	decoded := new(T)
	any(decoded).(interface{ decode(value) }).decode(value{i.json})
	return decoded
}

// With returns an item whose Value is other. Its JSON stays as received.
func (i Item[T]) With(other *T) Item[T] {
	i.other = other
	return i
}

// Replaced reports whether the item is the result of [Item.With], so that its JSON
// may differ from its Value.
func (i *Item[T]) Replaced() bool { return i.other != nil }

// Time returns the time in a member of the item, such as "created_time". It returns
// the zero time if there is none.
func (i *Item[T]) Time(member string) time.Time {
	t, _ := parseTime(value{i.json}.member(member).text())
	return t
}

func (i *Item[T]) identity() Key { return i.Key }

func (i *Item[T]) decode(v value) {
	i.json = v.Value
	i.Key = v.member("key").key()
}

// ListItems returns a page of any list, named by its path, like [Client.Cloudcasts]
// and the methods for other types of items. T must be a type that [Decodable] lists.
func ListItems[T any](ctx context.Context, c *Client, path string, r Range) (*Page[Item[T]], error) {
	return list[Item[T]](ctx, c, "ListItems", path, nil, r)
}

// SearchItems returns a page of the items that match query, which must not be
// blank. kind is Mixcloud's name of T: "cloudcast", "user" or "tag".
func SearchItems[T any](ctx context.Context, c *Client, kind, query string, r Range) (*Page[Item[T]], error) {
	return search[Item[T]](ctx, c, "SearchItems", kind, query, r)
}

// Size returns the approximate number of bytes that a page of Items keeps in memory:
// its JSON with the index, and the items, which are not decoded. For a page of other
// items it does not count memory that their fields refer to outside the JSON.
func (p *Page[T]) Size() int {
	return int(unsafe.Sizeof(*p)) + p.json.Size() + cap(p.Items)*int(unsafe.Sizeof(*new(T)))
}
