package cost_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"mixcloud-graphql/graph/cost"
	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/mixcloud"
)

var schemaOf = sync.OnceValue(func() *ast.Schema {
	return generated.NewExecutableSchema(generated.Config{}).Schema()
})

var estimator = sync.OnceValue(func() *cost.Estimator {
	e, err := cost.New(schemaOf())
	if err != nil {
		panic(err)
	}
	return e.WithKeyParser(func(input string) (model.Kind, string, error) {
		in, err := mixcloud.ParseInput(input)
		return model.Kind(in.Kind), in.Key.Canonical().String(), err
	})
})

// A fataler is a [testing.TB] or a rapid.T.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// operation parses a valid document and the JSON of its variables.
func operation(t fataler, query, variables string) (*ast.OperationDefinition, map[string]any) {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(schemaOf(), query, nil)
	if errs != nil {
		t.Fatalf("the query is not valid: %v\n%s", errs, query)
	}
	raw := map[string]any{}
	if variables != "" {
		d := json.NewDecoder(strings.NewReader(variables))
		d.UseNumber()
		if err := d.Decode(&raw); err != nil {
			t.Fatal(err)
		}
	}
	values, err := validator.VariableValues(schemaOf(), doc.Operations[0], raw)
	if err != nil {
		t.Fatal(err)
	}
	return doc.Operations[0], values
}

func estimate(t testing.TB, query, variables string, caller cost.Caller) int {
	t.Helper()
	op, values := operation(t, query, variables)
	return estimator().Estimate(op, values, caller)
}

func id(kind model.Kind, key string) string {
	return model.NodeID{Kind: kind, Key: mixcloud.ParseKey(key)}.String()
}

func cursor(kind paging.Kind) string {
	return paging.Cursor{Kind: kind, Key: "/a/b/", Second: 5, Next: 5}.Encode(paging.Binding{})
}

func TestEstimate(t *testing.T) {
	t.Parallel()
	writeCursor := paging.NewWriteCursor("/a/b/", 1).Encode(paging.BindUnbounded("/a/|favorites"))
	spartacus, funk := id(model.KindUser, "/spartacus/"), id(model.KindTag, "/genres/funk/")
	tests := map[string]struct {
		query, variables     string
		anonymous, withToken int
		reason               string
	}{
		"free fields":                 {query: `{ __typename rateLimit { budget } }`, reason: "all fields are free"},
		"introspection":               {query: `{ __schema { types { fields { name } } } }`, reason: "introspection makes no calls"},
		"lookup":                      {query: `{ user(username: "a") { name biog city } }`, anonymous: 1, withToken: 1, reason: "a lookup returns a full object"},
		"list":                        {query: `{ popular { nodes { name user { name } tags { name } } } }`, anonymous: 1, withToken: 1, reason: "partial objects contain these fields"},
		"loads":                       {query: `{ popular { nodes { description sections { startTime } picturePrimaryColor } } }`, anonymous: 21, withToken: 21, reason: "one load per item for all fields"},
		"loads of two kinds":          {query: `{ popular(first: 10) { nodes { description user { biog city } } } }`, anonymous: 21, withToken: 21, reason: "1 + 10 cloudcasts + 10 users"},
		"nodes and edges":             {query: `{ popular(first: 10) { nodes { description } edges { node { sections { position } } } } }`, anonymous: 11, withToken: 11, reason: "nodes and edges are the same items"},
		"lists of lists":              {query: `{ user(username: "a") { followers(first: 10) { nodes { cloudcasts(first: 5) { nodes { description } } } } } }`, anonymous: 62, withToken: 62, reason: "1 + 1 + 10 + 50"},
		"one page under two aliases":  {query: `{ a: popular(first: 5) { nodes { name } } b: popular(first: 5) { nodes { description } } }`, anonymous: 6, withToken: 6, reason: "both are the same page"},
		"pages of two sizes":          {query: `{ a: popular(first: 5) { nodes { name } } b: popular(first: 6) { nodes { name } } }`, anonymous: 2, withToken: 2, reason: "pages of different sizes are separate calls"},
		"default size":                {query: `{ a: popular { nodes { name } } b: popular(first: 20) { nodes { name } } }`, anonymous: 1, withToken: 1, reason: "the default of first is 20"},
		"players of two widths":       {query: `{ cloudcast(key: "/a/b/") { a: embedHtml(width: "100%") b: embedHtml(width: "100%") c: embedHtml } }`, anonymous: 3, withToken: 3, reason: "two different players"},
		"empty page":                  {query: `{ popular(first: 0) { nodes { description } } }`, reason: "an empty page needs no call"},
		"invalid size":                {query: `{ popular(first: 101) { nodes { description } } }`, reason: "rejected before a call"},
		"invalid combination":         {query: `{ popular(first: 5, last: 5, before: "x") { nodes { description } } }`, reason: "rejected before a call"},
		"size in a variable":          {query: `query ($n: Int) { popular(first: $n) { nodes { description } } }`, variables: `{"n": 7}`, anonymous: 8, withToken: 8},
		"absent variable":             {query: `query ($n: Int) { popular(first: $n) { nodes { description } } }`, anonymous: 21, withToken: 21},
		"null variable":               {query: `query ($n: Int) { popular(first: $n) { nodes { description } } }`, variables: `{"n": null}`, anonymous: 21, withToken: 21},
		"default of a variable":       {query: `query ($n: Int = 3) { popular(first: $n) { nodes { description } } }`, anonymous: 4, withToken: 4},
		"size beyond Int":             {query: `{ popular(first: 99999999999) { nodes { name } } }`, anonymous: 1, withToken: 1, reason: "the executor rejects it; the estimate ignores it"},
		"skipped":                     {query: `query ($y: Boolean!) { popular(first: 5) @skip(if: $y) { nodes { name } } hot { nodes { description @include(if: $y) } } }`, variables: `{"y": true}`, anonymous: 21, withToken: 21},
		"not skipped":                 {query: `query ($y: Boolean!) { popular(first: 5) @skip(if: $y) { nodes { name } } hot { nodes { description @include(if: $y) } } }`, variables: `{"y": false}`, anonymous: 2, withToken: 2},
		"fragments":                   {query: `{ popular(first: 5) { nodes { ...a ...b ... on Cloudcast { ...a } ... on Node { ... on Tag { raw(full: true) } } } } } fragment a on Cloudcast { description } fragment b on Resource { raw(full: true) }`, anonymous: 6, withToken: 6, reason: "all share one load; a cloudcast is not a tag"},
		"skipped fragments":           {query: `{ popular(first: 5) { nodes { ...a @skip(if: true) ... @include(if: false) { description } } } } fragment a on Cloudcast { description }`, anonymous: 1, withToken: 1},
		"raw":                         {query: `{ popular(first: 5) { nodes { raw } } }`, anonymous: 1, withToken: 1},
		"raw(full: true)":             {query: `query ($f: Boolean!) { popular(first: 5) { nodes { raw(full: $f) } } }`, variables: `{"f": true}`, anonymous: 6, withToken: 6},
		"raw(full: false)":            {query: `query ($f: Boolean!) { popular(first: 5) { nodes { raw(full: $f) } } }`, variables: `{"f": false}`, anonymous: 1, withToken: 1},
		"tags":                        {query: `{ popular(first: 2) { nodes { tags { popular(first: 3) { nodes { description } } } } } }`, anonymous: 41, withToken: 41, reason: "1 + 2 × 5 tags × (1 + 3)"},
		"hosts":                       {query: `{ popular(first: 10) { nodes { hosts { biog } } } }`, anonymous: 21, withToken: 21, reason: "two hosts each"},
		"categories":                  {query: `{ categories { cloudcasts(first: 1) { nodes { name } } } }`, anonymous: 41, withToken: 41},
		"tracklists":                  {query: `{ cloudcast(key: "/a/b/") { sections { ... on TrackSection { track { popular(first: 1) { nodes { name } } } } } } }`, anonymous: 41, withToken: 41},
		"feed":                        {query: `{ user(username: "a") { feed(first: 10) { nodes { ... on UploadActivity { cloudcasts { description } } ... on FollowActivity { users { biog followers(first: 2) { nodes { biog } } } } } } } }`, anonymous: 42, withToken: 42, reason: "an activity has one type: the most expensive takes 4 calls"},
		"free totalCount":             {query: `{ popular(first: 5) { totalCount nodes { comments(first: 1) { totalCount } } } }`, anonymous: 6, withToken: 6},
		"totalCount with a load":      {query: `{ popular(first: 5) { nodes { user { followers(first: 1) { totalCount } biog } } } }`, anonymous: 11, withToken: 11, reason: "1 + 5 lists + 5 loads"},
		"totalCount with until":       {query: `{ popular(first: 5) { nodes { user { followers(first: 1, until: 5) { totalCount } } } } }`, anonymous: 6, withToken: 6, reason: "totalCount needs no load with since or until"},
		"totalCount of a full owner":  {query: `{ user(username: "a") { followers(first: 1) { totalCount } } }`, anonymous: 2, withToken: 2},
		"totalCount of an empty page": {query: `{ popular(first: 5) { nodes { user { followers(first: 0) { totalCount } } } } }`, anonymous: 6, withToken: 6},
		"since on a dated list":       {query: `{ user(username: "a") { listens(since: 5) { nodes { name } } } }`, anonymous: 2, withToken: 2},
		"since on another list":       {query: `{ user(username: "a") { followers(since: 5) { nodes { name } } } }`, anonymous: 3, withToken: 3},
		"after by offset":             {query: `query ($c: String) { popular(first: 10, after: $c) { nodes { description } } }`, variables: `{"c": "` + cursor(paging.ByOffset) + `"}`, anonymous: 11, withToken: 11},
		"after by offset page":        {query: `query ($c: String) { popular(first: 10, after: $c) { nodes { description } } }`, variables: `{"c": "` + cursor(paging.ByOffsetPage) + `"}`, anonymous: 12, withToken: 12},
		"after by time":               {query: `query ($c: String) { user(username: "a") { listens(first: 10, after: $c) { nodes { name } } } }`, variables: `{"c": "` + cursor(paging.ByTime) + `"}`, anonymous: 4, withToken: 4},
		"after by page":               {query: `query ($c: String) { user(username: "a") { followers(first: 10, after: $c) { nodes { name } } } }`, variables: `{"c": "` + cursor(paging.ByPage) + `"}`, anonymous: 7, withToken: 7},
		"invalid cursor":              {query: `{ popular(first: 10, after: "nonsense") { nodes { description } } }`, reason: "rejected before a call"},
		"before":                      {query: `query ($c: String) { popular(last: 10, before: $c) { nodes { name } } }`, variables: `{"c": "` + cursor(paging.ByOffset) + `"}`, anonymous: 5, withToken: 5},
		"one cursor for many owners":  {query: `query ($c: String) { popular(first: 50) { nodes { user { followers(first: 10, after: $c) { nodes { biog } } } } } }`, variables: `{"c": "` + cursor(paging.ByPage) + `"}`, anonymous: 17, withToken: 17, reason: "the cursor belongs to one of the lists"},
		"latest":                      {query: `{ tag(name: "a") { latest(first: 2) { nodes { name } } } artist(key: "/artist/a/") { latest(first: 2) { nodes { name } } } }`, anonymous: 5, withToken: 5, reason: "the list of a tag has a former path"},
		"discover":                    {query: `{ discover(tags: ["a"]) { key popular(first: 1) { nodes { name } } } search(query: "a") { query } }`, anonymous: 1, withToken: 1},
		"search":                      {query: `{ search(query: "a") { users(first: 2) { nodes { biog } } tags(first: 2) { nodes { name } } } }`, anonymous: 4, withToken: 4},
		"oembed":                      {query: `{ oembed(url: "/a/b/") { html xml } }`, anonymous: 2, withToken: 2},
		"node":                        {query: fmt.Sprintf(`{ node(id: %q) { ... on User { followers(first: 2) { nodes { biog } } } ... on Tag { popular(first: 9) { nodes { description } } } } }`, spartacus), anonymous: 4, withToken: 4, reason: "the id is that of a user"},
		"invalid id":                  {query: `{ node(id: "nonsense") { ... on User { biog } } }`, reason: "rejected before a call"},
		"nodes":                       {query: fmt.Sprintf(`{ nodes(ids: [%q, %q, %q, "nonsense"]) { ... on User { biog } ... on Tag { popular(first: 3) { nodes { name } } } } }`, spartacus, funk, spartacus), anonymous: 3, withToken: 3, reason: "two ids, and the tag's list"},
		"nodes in a variable":         {query: `query ($i: [ID!]!) { nodes(ids: $i) { ... on User { followers(first: 1) { nodes { name } } } } }`, variables: fmt.Sprintf(`{"i": [%q, %q]}`, spartacus, id(model.KindUser, "/b/")), anonymous: 4, withToken: 4},
		"too many nodes":              {query: `query ($i: [ID!]!) { nodes(ids: $i) { id } }`, variables: `{"i": [` + strings.Repeat(`"`+spartacus+`",`, 100) + `"` + spartacus + `"]}`, reason: "rejected before a call"},
		"resource":                    {query: `{ resource(key: "/a/") { ... on User { followers(first: 2) { nodes { biog } } } ... on Tag { popular(first: 9) { nodes { description } } } } }`, anonymous: 4, withToken: 4, reason: "the key is a user's"},
		"resource by URL":             {query: `query ($k: String!) { resource(key: $k) { ... on User { followers(first: 2) { nodes { biog } } } ... on Tag { popular(first: 9) { nodes { description } } } } }`, variables: `{"k": "https://www.mixcloud.com/genres/funk/"}`, anonymous: 11, withToken: 11, reason: "the URL is that of a tag"},
		"resources":                   {query: `{ resources(keys: ["/a/", "https://www.mixcloud.com/A/", "/genres/funk/", "/tag/funk/", "/a/uploads/"]) { ... on User { followers(first: 2) { nodes { biog } } } ... on Tag { popular(first: 9) { nodes { description } } } } }`, anonymous: 1 + 3 + 1 + 10, withToken: 1 + 3 + 1 + 10, reason: "one user and one tag, each twice, and an invalid key"},
		"resources of a single value": {query: `query ($k: [String!]!) { resources(keys: $k) { key } }`, variables: `{"k": "/a/"}`, anonymous: 1, withToken: 1, reason: "a single value is a list of one element"},
		"too many resources":          {query: `query ($k: [String!]!) { resources(keys: $k) { key } }`, variables: `{"k": [` + strings.Repeat(`"/a/", `, 100) + `"/a/"]}`, reason: "rejected before a call"},
		"decomposed resources":        {query: `query ($k: [String!]!) { resources(keys: $k) { key } }`, variables: `{"k": ["/re\u0301mi/", "/r\u00e9mi/", "/b/"]}`, anonymous: 4, withToken: 4, reason: "two calls for the two forms of the first, one for each other"},
		"decomposed key last":         {query: `query ($k: [String!]!) { resources(keys: $k) { key } }`, variables: `{"k": ["/r\u00e9mi/", "/re\u0301mi/", "/re\u0301mi/"]}`, anonymous: 3, withToken: 3, reason: "the second has two forms, and the third equals it"},
		"decomposed username":         {query: `query ($k: String!) { user(username: $k) { biog } }`, variables: `{"k": "re\u0301mi"}`, anonymous: 2, withToken: 2, reason: "looked up in two forms"},
		"decomposed and escaped":      {query: `{ cloudcast(key: "/a/re%CC%81mi/") { description } }`, anonymous: 2, withToken: 2, reason: "looked up in two forms"},
		"composed":                    {query: `{ cloudcast(key: "/a/r%C3%A9mi/") { description } }`, anonymous: 1, withToken: 1, reason: "one form"},
		"decomposed discovery":        {query: `query ($k: [String!]) { discover(tags: $k) { popular { nodes { key } } } }`, variables: `{"k": ["funk", "cafe\u0301"]}`, anonymous: 2, withToken: 2, reason: "its list is read in two forms"},
		"decomposed target":           {query: `mutation ($k: String) { favoriteCloudcast(input: {key: $k}) { message } }`, variables: `{"k": "/a/re\u0301mi/"}`, anonymous: 3, withToken: 3, reason: "both forms are looked up before the write"},
		"URL of another site":         {query: `{ resource(key: "https://example.com/a/") { ... on User { biog } } }`, reason: "rejected before a call"},
		"viewer":                      {query: `{ viewer { biog followsViewer cloudcasts(first: 2) { nodes { name } } } }`, withToken: 2, reason: "without a token there is no viewer"},
		"viewer flags":                {query: `{ popular(first: 5) { nodes { viewerHasFavorited viewerHasReposted user { viewerIsFollowing } } } }`, anonymous: 1, withToken: 11, reason: "partial objects may lack them"},
		"isViewer":                    {query: `{ popular(first: 5) { nodes { user { isViewer } } } hot(first: 5) { nodes { user { isViewer } } } viewer { name } }`, anonymous: 2, withToken: 3, reason: "all share the call for the viewer"},
		"isViewer of a full user":     {query: `{ user(username: "a") { isViewer } }`, anonymous: 1, withToken: 1},
		"listen later":                {query: `{ popular(first: 5) { nodes { user { listenLater(first: 3) { nodes { description } } } } } }`, anonymous: 1, withToken: 6, reason: "1 page, the viewer, 1 list, 3 loads"},
		"after a write cursor":        {query: `{ user(username: "a") { favorites(first: 5, after: "` + writeCursor + `") { nodes { description } } } }`, anonymous: 1 + 8 + 5, withToken: 1 + 8 + 5, reason: "a page by time, plus the first hundred items and those at the time of the write"},
		"before a write cursor":       {query: `{ user(username: "a") { favorites(last: 5, before: "` + writeCursor + `") { nodes { description } } } }`, anonymous: 1 + 7 + 5, withToken: 1 + 7 + 5},
		"saturated": {
			query:     `{ popular(first: 100) { nodes { user { followers(first: 100) { nodes { followers(first: 100) { nodes { followers(first: 100) { nodes { followers(first: 100) { nodes { followers(first: 100) { nodes { biog } } } } } } } } } } } } } }`,
			anonymous: cost.Unbounded, withToken: cost.Unbounded, reason: "10^12 users exceed Int",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := estimate(t, tt.query, tt.variables, cost.Caller{}); got != tt.anonymous {
				t.Errorf("anonymous estimate = %d, want %d: %s\n%s", got, tt.anonymous, tt.reason, tt.query)
			}
			if got := estimate(t, tt.query, tt.variables, cost.Caller{HasToken: true}); got != tt.withToken {
				t.Errorf("estimate with a token = %d, want %d: %s\n%s", got, tt.withToken, tt.reason, tt.query)
			}
		})
	}
}

func TestEstimate_Writes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query   string
		pending int
		want    int
		reason  string
	}{
		"write":            {query: `mutation { followUser(input: {username: "a"}) { message } }`, want: 1},
		"changed":          {query: `mutation { followUser(input: {username: "a"}) { changed user { biog } } }`, want: 3, reason: "a lookup before, the write, a lookup after"},
		"undo":             {query: `mutation { unfollowUser(input: {username: "a"}) { message } }`, want: 2, reason: "if there was nothing to undo, a lookup shows whether the target exists"},
		"same write twice": {query: `mutation { a: repostCloudcast(input: {key: "/a/b/"}) { message } b: repostCloudcast(input: {key: "/a/b/"}) { message } }`, want: 2, reason: "each write is sent"},
		"viewer":           {query: `mutation { repostCloudcast(input: {key: "/a/b/"}) { viewer { name biog } } }`, want: 2},
		"viewer's counts after writes": {
			query: `mutation { a: favoriteCloudcast(input: {key: "/a/b/"}) { viewer { favoriteCount } } b: favoriteCloudcast(input: {key: "/a/c/"}) { viewer { favoriteCount } } }`,
			want:  7, reason: "two for each of two writes, one target after the first, two after the second",
		},
		"viewer's counts after earlier writes": {query: `{ viewer { favoriteCount followingCount } }`, pending: 3, want: 4},
		"viewer's list after a write": {
			query: `mutation { favoriteCloudcast(input: {key: "/a/b/"}) { viewer { favorites(first: 5) { nodes { key } } } } }`,
			want:  11, reason: "the write, the viewer, the page, 7 for its correction, and the target",
		},
		"viewer's lists after earlier writes": {
			query:   `{ viewer { favorites { nodes { key } } following { nodes { key } } listenLater { nodes { key } } followers { nodes { key } } } }`,
			pending: 3, want: 1 + 4 + 3*7 + 3, reason: "three lists are corrected; each target is loaded once",
		},
		"viewer's lists without writes": {query: `{ viewer { favorites { nodes { key } } following { nodes { key } } listenLater { nodes { key } } } }`, want: 4},
		"lists of other users":          {query: `{ user(username: "a") { followers(first: 50) { nodes { favorites(first: 2) { nodes { key } } } } } }`, pending: 1, want: 2 + 50 + 7 + 1 + 1, reason: "one of the users may be the viewer"},
		"changed object":                {query: `mutation { favoriteCloudcast(input: {key: "/a/b/"}) { cloudcast { description comments(first: 5) { nodes { user { biog } } } } } }`, want: 8},
		"edge":                          {query: `mutation { favoriteCloudcast(input: {key: "/a/b/"}) { favoriteEdge { node { description comments(first: 5) { nodes { user { biog } } } } } } }`, want: 1 + 1 + 1 + 5, reason: "the node is a full object"},
		"edge with cursor":              {query: `mutation { followUser(input: {username: "a"}) { followingEdge { cursor node { biog } } } }`, want: 1 + 2},
		"edge without node":             {query: `mutation { followUser(input: {username: "a"}) { followingEdge { cursor } } }`, want: 1 + 2},
		"edge with sibling fields": {
			query: `mutation { addToListenLater(input: {key: "/a/b/"}) { cloudcast { user { biog } } viewer { biog } a: listenLaterEdge { node { user { biog } } } ... { b: listenLaterEdge { cursor node { user { city } } } } } }`,
			want:  1 + 2 + 1, reason: "the node, the viewer and the node's user are counted once",
		},
		"removedId":      {query: `mutation { removeFromListenLater(input: {key: "/a/b/"}) { removedId } }`, want: 2, reason: "the write, and a lookup if there was nothing to remove"},
		"edit":           {query: `mutation { editCloudcast(input: {key: "/a/b/", name: "x"}) { message viewer { name } cloudcast { name } } }`, want: 4},
		"OAuth exchange": {query: `mutation { exchangeOAuthCode(input: {code: "a", redirectUri: "b"}) { accessToken } }`, want: 1},
		"subscription":   {query: `subscription { uploadProgress(uploadId: "a") { phase } }`, want: 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := estimate(t, tt.query, "", cost.Caller{HasToken: true, PendingWrites: tt.pending}); got != tt.want {
				t.Errorf("estimate = %d, want %d: %s\n%s", got, tt.want, tt.reason, tt.query)
			}
		})
	}
}

// hostile returns a document whose fragments combine in every way. Each level doubles
// the selections to merge, so the estimate must limit its work.
func hostile(levels int) string {
	var b strings.Builder
	b.WriteString(`{ user(username: "a") { ...f0a ...f0b ...f0c } }`)
	parts := []string{"a", "b", "c"}
	for i := range levels {
		for j, p := range parts {
			q, r := parts[(j+1)%3], parts[(j+2)%3]
			fmt.Fprintf(&b, "\nfragment f%d%s on User { ...l%d%s x%s: followers(first: 2) { nodes { ...f%d%s ...f%d%s } } y: following(first: 2) { nodes { ...f%d%s ...f%d%s } } }",
				i, p, i, p, p, i+1, q, i+1, r, i+1, p, i+1, q)
			fmt.Fprintf(&b, "\nfragment l%d%s on User { z%s: cloudcasts(first: %d) { nodes { user { ...f%d%s } } } }", i, p, p, j+1, i+1, p)
		}
	}
	for _, p := range parts {
		fmt.Fprintf(&b, "\nfragment f%d%s on User { biog }", levels, p)
	}
	return b.String()
}

// TestHostile checks that Estimate returns for documents that would take exponential time to
// traverse. The documents are not validated, because validation alone would take longer.
func TestHostile(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		hostile(20), hostile(300),
		`{ user(username: "a") { ...f } } fragment f on User { followers { nodes { ...f following { nodes { ...f } } } } }`, // a cycle
		"{" + strings.Repeat(`popular(first: 100) { nodes { user { followers { nodes {`, 190) + " name " + strings.Repeat("} } } } }", 190) + "}",
		"{" + strings.Repeat(` popular(first: 100) { nodes { description } }`, 5000) + "}",
	} {
		doc, err := parser.ParseQuery(&ast.Source{Input: query})
		if err != nil {
			t.Fatal(err)
		}
		linkFragments(doc)
		for _, caller := range []cost.Caller{{}, {HasToken: true, PendingWrites: 5}} {
			got := estimator().Estimate(doc.Operations[0], nil, caller)
			if got < 1 || got > cost.Unbounded {
				t.Errorf("the estimate of %.60s is %d, want 1 to %d", query, got, cost.Unbounded)
			}
			estimator().Fit(doc.Operations[0], nil, caller, 10)
		}
	}
}

// linkFragments sets the definitions of fragment spreads, as validation does.
func linkFragments(doc *ast.QueryDocument) {
	var walk func(set ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				walk(s.SelectionSet)
			case *ast.InlineFragment:
				walk(s.SelectionSet)
			case *ast.FragmentSpread:
				s.Definition = doc.Fragments.ForName(s.Name)
			}
		}
	}
	for _, op := range doc.Operations {
		walk(op.SelectionSet)
	}
	for _, f := range doc.Fragments {
		walk(f.SelectionSet)
	}
}

// FuzzEstimate checks that the estimate of each document, valid or not, is repeatable, and that the
// size of a Fit is from 1 to the maximum page size.
func FuzzEstimate(f *testing.F) {
	for _, seed := range []string{
		`{ popular(first: 5) { nodes { description } } }`,
		`query ($n: Int = 3, $y: Boolean!) { user(username: "a") @skip(if: $y) { followers(first: $n) { edges { node { biog } } totalCount } } }`,
		`{ nodes(ids: ["MXUKL3NwYXJ0YWN1cy8", 5, null, $x]) { ... on User { raw(full: true) } } }`,
		`{ ...a } fragment a on Query { ...b hot(last: 5, before: "AQE") { nodes { ...c } } } fragment b on Query { ...a } fragment c on Resource { raw(full: 7) }`,
		`mutation { a: unfollowUser { changed viewer { followingCount } } a: followUser { user { biog } } }`,
		`subscription { uploadProgress(uploadId: {a: [1, {b: $c}]}) { phase } }`,
		`{ popular(first: 99999999999999999999, offset: -1, since: 5, until: "x") { nodes { __typename nope { nope } } } }`,
	} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, query string, hasToken bool) {
		doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, 2000)
		if err != nil {
			return
		}
		linkFragments(doc)
		for _, op := range doc.Operations {
			caller := cost.Caller{HasToken: hasToken, PendingWrites: 2}
			got := estimator().Estimate(op, nil, caller)
			if got < 0 || got > cost.Unbounded {
				t.Errorf("the estimate is %d, want 0 to %d", got, cost.Unbounded)
			}
			if again := estimator().Estimate(op, nil, caller); again != got {
				t.Errorf("the second estimate of the same operation is %d, want %d", again, got)
			}
			if fit, ok := estimator().Fit(op, nil, caller, got/2); ok && (fit.Size < 1 || fit.Size > paging.MaxPageSize) {
				t.Errorf("the fit is %+v, want a size from 1 to %d", fit, paging.MaxPageSize)
			}
		}
	})
}
