package emulator_test

import (
	"fmt"
	"slices"
	"sync"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// sharedWorld returns the same data as sharedEmulator serves.
var sharedWorld = sync.OnceValue(func() *world.World { return world.New(1) })

func artistPath() string { return sharedWorld().Artists[0].Key() }

func trackPath() string { return sharedWorld().Artists[0].Tracks[0].Key() }

// lastFeedPage returns the path of a page with the last 42 activities of a feed.
func lastFeedPage() string {
	return fmt.Sprintf("/demo/feed/?limit=100&offset=%d", len(sharedWorld().User("demo").Feed)-42)
}

// hiddenPath returns the key of a cloudcast with hidden counts and all other members.
func hiddenPath() string {
	all := sharedWorld().Latest
	return all[slices.IndexFunc(all, func(c *world.Cloudcast) bool {
		return c.HiddenStats && !c.Exclusive && c.AudioLength > 0 && c.Description != "" && c.PrimaryColor != ""
	})].Key()
}
