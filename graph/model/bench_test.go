package model

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"mixcloud-graphql/mixcloud"
)

// newPage returns a page of 100 cloudcasts of 100 users, each with five tags.
func newPage(b *testing.B, user, tag string) *mixcloud.Page[mixcloud.Cloudcast] {
	b.Helper()
	var text strings.Builder
	for i := range 100 {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `{"key":"/%s%d/show-%d/","user":{"key":"/%[1]s%[2]d/"},"tags":[`, user, i, i)
		for j := range 5 {
			if j > 0 {
				text.WriteByte(',')
			}
			fmt.Fprintf(&text, `{"key":"/%s/tag-%d/"}`, tag, i+j)
		}
		text.WriteString("]}")
	}
	page, err := mixcloud.DecodePage[mixcloud.Cloudcast]([]byte(`{"data":[` + text.String() + `]}`))
	if err != nil {
		b.Fatal(err)
	}
	return page
}

// BenchmarkIDs encodes the 700 ids of a page of 100 cloudcasts, their users and their
// tags, with canonical keys and with other spellings.
func BenchmarkIDs(b *testing.B) {
	for name, page := range map[string]*mixcloud.Page[mixcloud.Cloudcast]{
		"canonical": newPage(b, "user", "genres"), "respelled": newPage(b, "User", "discover"),
	} {
		b.Run(name, func(b *testing.B) {
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				for i := range page.Items {
					c := NewCloudcast(&page.Items[i])
					_, _ = c.ID(), c.User(ctx).ID()
					for _, t := range c.Tags(ctx) {
						_ = t.ID()
					}
				}
			}
		})
	}
}
