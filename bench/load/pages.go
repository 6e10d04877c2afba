package main

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"sort"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// A request is the body of a GraphQL request.
type request struct{ body []byte }

func newRequest(query string, variables map[string]any) request {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		panic(err) // strings and numbers are always valid
	}
	return request{body}
}

// The queries for pages of a site, one for each type. Each costs one or two calls.
const (
	userPage      = `query User($name: String!) { user(username: $name) { name biog city followerCount cloudcasts(first: 10) { nodes { name playCount createdAt } } } }`
	cloudcastPage = `query Cloudcast($name: String!) { cloudcast(key: $name) { name description audioLength user { name username } tags { name } sections { startTime ... on TrackSection { track { name artist { name } } } } } }`
	tagPage       = `query Tag($name: String!) { tag(name: $name) { name popular(first: 10) { nodes { name user { name } } } } }`
	cityPage      = `query City($name: String!) { city(name: $name) { name latest(first: 10) { nodes { name user { name } } } } }`
	categoryPage  = `query Category($name: String!) { category(slug: $name) { name cloudcasts(first: 10) { nodes { name user { name } } } } }`
	playlistPage  = `query Playlist($name: String!) { playlist(key: $name) { name cloudcasts(first: 10) { nodes { name user { name } } } } }`
	artistPage    = `query Artist($name: String!) { artist(key: $name) { name popular(first: 10) { nodes { name user { name } } } } }`
	trackPage     = `query Track($name: String!) { track(key: $name) { name popular(first: 10) { nodes { name user { name } } } } }`
)

// fullUserPage is a query with a large response: twenty cloudcasts with all members that lists
// contain, about 40 kB.
const fullUserPage = `query Full($name: String!) { user(username: $name) { name biog city followerCount cloudcasts(first: 20) { nodes {
	id key name audioLength playCount favoriteCount createdAt user { id name username pictures { size url } } tags { id name } pictures { size width height url } } } } }`

// fullPages returns the fullUserPage of all users with at least twenty cloudcasts. They have about
// the same cost, so that their response times can be compared.
func fullPages(seed int64) []request {
	var all []request
	for _, u := range world.New(seed).Users {
		if len(u.Cloudcasts) >= 20 {
			all = append(all, newRequest(fullUserPage, map[string]any{"name": u.Username}))
		}
	}
	return all
}

// pages returns the pages of all public resources in the emulator's data, in a random order, which is
// the order of their popularity.
func pages(seed int64) []request {
	w := world.New(seed)
	var all []request
	add := func(query, name string) { all = append(all, newRequest(query, map[string]any{"name": name})) }
	for _, u := range w.Users {
		add(userPage, u.Username)
		for _, c := range u.Cloudcasts {
			add(cloudcastPage, c.Key())
		}
		for _, p := range u.Playlists {
			add(playlistPage, p.Key())
		}
	}
	for _, t := range w.Tags {
		add(tagPage, t.Slug)
	}
	for _, c := range w.Cities {
		add(cityPage, c.Slug)
	}
	for _, c := range w.Categories {
		add(categoryPage, c.Slug)
	}
	for _, a := range w.Artists {
		add(artistPage, a.Key())
		for _, t := range a.Tracks {
			add(trackPage, t.Key())
		}
	}
	random := newRandom(seed)
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// newRandom returns a deterministic random number generator.
func newRandom(seed int64) *rand.Rand { return rand.New(rand.NewPCG(uint64(seed), 0)) } //nolint:gosec // not for secrets

// A zipf generates random numbers from 0 on: the number n is 1/(n+1)^exponent as frequent as 0. The
// generator of math/rand supports only exponents above 1. It is not safe for concurrent use.
type zipf struct {
	random *rand.Rand
	sums   []float64
}

func newZipf(seed int64, n int, exponent float64) *zipf {
	z := &zipf{newRandom(seed), make([]float64, n)}
	sum := 0.0
	for i := range z.sums {
		sum += math.Pow(float64(i+1), -exponent)
		z.sums[i] = sum
	}
	return z
}

func (z *zipf) next() int {
	return sort.SearchFloat64s(z.sums, z.random.Float64()*z.sums[len(z.sums)-1])
}
