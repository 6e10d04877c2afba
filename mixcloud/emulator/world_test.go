package emulator_test

import (
	"fmt"
	"slices"
	"sync"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// population is the world of the shared emulator, made a second time.
var population = sync.OnceValue(func() *world.World { return world.New(1) })

func artistPath() string { return population().Artists[0].Key() }

func trackPath() string { return population().Artists[0].Tracks[0].Key() }

// lastFeedPage asks for the last 42 of a feed in pages of 100.
func lastFeedPage() string {
	return fmt.Sprintf("/demo/feed/?limit=100&offset=%d", len(population().User("demo").Feed)-42)
}

// hiddenPath is the key of a cloudcast that hides its numbers and has all else.
func hiddenPath() string {
	all := population().Latest
	return all[slices.IndexFunc(all, func(c *world.Cloudcast) bool {
		return c.HiddenStats && !c.Exclusive && c.AudioLength > 0 && c.Description != "" && c.PrimaryColor != ""
	})].Key()
}
