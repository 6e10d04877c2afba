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
	return e.WithNames(func(pasted string) (model.Kind, string, error) {
		in, err := mixcloud.ParseInput(pasted)
		return model.Kind(in.Kind), in.Key.Canonical().String(), err
	})
})

// A fataler is a [testing.TB] or a rapid.T.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// operation reads a valid document and the JSON of its variables.
func operation(t fataler, query, variables string) (*ast.OperationDefinition, map[string]any) {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(schemaOf(), query, nil)
	if errs != nil {
		t.Fatalf("%v\n%s", errs, query)
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

func estimate(t testing.TB, query, variables string, who cost.Asker) int {
	t.Helper()
	op, values := operation(t, query, variables)
	return estimator().Estimate(op, values, who)
}

func id(kind model.Kind, key string) string {
	return model.NodeID{Kind: kind, Key: mixcloud.ParseKey(key)}.String()
}

func cursor(kind paging.Kind) string {
	return paging.Cursor{Kind: kind, Key: "/a/b/", Second: 5, Next: 5}.Encode(paging.Binding{})
}

func TestEstimate(t *testing.T) {
	t.Parallel()
	written := paging.NewWriteCursor("/a/b/", 1).Encode(paging.BindUnbounded("/a/|favorites"))
	spartacus, funk := id(model.KindUser, "/spartacus/"), id(model.KindTag, "/genres/funk/")
	tests := map[string]struct {
		query, variables  string
		anonymous, signed int
		reason            string
	}{
		"nothing":                  {query: `{ __typename rateLimit { budget } }`, reason: "no field of it costs anything"},
		"the schema":               {query: `{ __schema { types { fields { name } } } }`, reason: "introspection is answered from memory"},
		"look-up":                  {query: `{ user(username: "a") { name biog city } }`, anonymous: 1, signed: 1, reason: "a look-up is full"},
		"list":                     {query: `{ popular { nodes { name user { name } tags { name } } } }`, anonymous: 1, signed: 1, reason: "what comes along is free"},
		"loads":                    {query: `{ popular { nodes { description sections { startTime } picturePrimaryColor } } }`, anonymous: 21, signed: 21, reason: "one load for each, however many members"},
		"loads of two kinds":       {query: `{ popular(first: 10) { nodes { description user { biog city } } } }`, anonymous: 21, signed: 21, reason: "the cloudcast and its user"},
		"nodes and edges":          {query: `{ popular(first: 10) { nodes { description } edges { node { sections { position } } } } }`, anonymous: 11, signed: 11, reason: "the same items"},
		"lists of lists":           {query: `{ user(username: "a") { followers(first: 10) { nodes { cloudcasts(first: 5) { nodes { description } } } } } }`, anonymous: 62, signed: 62, reason: "1 + 1 + 10 + 50"},
		"two aliases":              {query: `{ a: popular(first: 5) { nodes { name } } b: popular(first: 5) { nodes { description } } }`, anonymous: 6, signed: 6, reason: "one page"},
		"two pages":                {query: `{ a: popular(first: 5) { nodes { name } } b: popular(first: 6) { nodes { name } } }`, anonymous: 2, signed: 2, reason: "pages that differ in size are several"},
		"the default size":         {query: `{ a: popular { nodes { name } } b: popular(first: 20) { nodes { name } } }`, anonymous: 1, signed: 1, reason: "20 is what is given without first"},
		"two players":              {query: `{ cloudcast(key: "/a/b/") { a: embedHtml(width: "100%") b: embedHtml(width: "100%") c: embedHtml } }`, anonymous: 3, signed: 3, reason: "two forms of the player"},
		"an empty page":            {query: `{ popular(first: 0) { nodes { description } } }`, reason: "nothing to fetch"},
		"a refused page":           {query: `{ popular(first: 101) { nodes { description } } }`, reason: "refused before a call"},
		"a refused combination":    {query: `{ popular(first: 5, last: 5, before: "x") { nodes { description } } }`, reason: "refused before a call"},
		"size in a variable":       {query: `query ($n: Int) { popular(first: $n) { nodes { description } } }`, variables: `{"n": 7}`, anonymous: 8, signed: 8},
		"no value for a variable":  {query: `query ($n: Int) { popular(first: $n) { nodes { description } } }`, anonymous: 21, signed: 21},
		"null for a variable":      {query: `query ($n: Int) { popular(first: $n) { nodes { description } } }`, variables: `{"n": null}`, anonymous: 21, signed: 21},
		"default of a variable":    {query: `query ($n: Int = 3) { popular(first: $n) { nodes { description } } }`, anonymous: 4, signed: 4},
		"a size no Int can be":     {query: `{ popular(first: 99999999999) { nodes { name } } }`, anonymous: 1, signed: 1, reason: "the executor refuses it; here it counts as left out"},
		"skipped":                  {query: `query ($y: Boolean!) { popular(first: 5) @skip(if: $y) { nodes { name } } hot { nodes { description @include(if: $y) } } }`, variables: `{"y": true}`, anonymous: 21, signed: 21},
		"not skipped":              {query: `query ($y: Boolean!) { popular(first: 5) @skip(if: $y) { nodes { name } } hot { nodes { description @include(if: $y) } } }`, variables: `{"y": false}`, anonymous: 2, signed: 2},
		"fragments":                {query: `{ popular(first: 5) { nodes { ...a ...b ... on Cloudcast { ...a } ... on Node { ... on Tag { raw(full: true) } } } } } fragment a on Cloudcast { description } fragment b on Resource { raw(full: true) }`, anonymous: 6, signed: 6, reason: "one load for all; no cloudcast is a tag"},
		"skipped fragments":        {query: `{ popular(first: 5) { nodes { ...a @skip(if: true) ... @include(if: false) { description } } } } fragment a on Cloudcast { description }`, anonymous: 1, signed: 1},
		"raw":                      {query: `{ popular(first: 5) { nodes { raw } } }`, anonymous: 1, signed: 1},
		"raw in full":              {query: `query ($f: Boolean!) { popular(first: 5) { nodes { raw(full: $f) } } }`, variables: `{"f": true}`, anonymous: 6, signed: 6},
		"not in full after all":    {query: `query ($f: Boolean!) { popular(first: 5) { nodes { raw(full: $f) } } }`, variables: `{"f": false}`, anonymous: 1, signed: 1},
		"tags":                     {query: `{ popular(first: 2) { nodes { tags { popular(first: 3) { nodes { description } } } } } }`, anonymous: 41, signed: 41, reason: "1 + 2 × 5 tags × (1 + 3)"},
		"hosts":                    {query: `{ popular(first: 10) { nodes { hosts { biog } } } }`, anonymous: 21, signed: 21, reason: "two hosts each"},
		"categories":               {query: `{ categories { cloudcasts(first: 1) { nodes { name } } } }`, anonymous: 41, signed: 41},
		"tracklists":               {query: `{ cloudcast(key: "/a/b/") { sections { ... on TrackSection { track { popular(first: 1) { nodes { name } } } } } } }`, anonymous: 41, signed: 41},
		"feed":                     {query: `{ user(username: "a") { feed(first: 10) { nodes { ... on UploadActivity { cloudcasts { description } } ... on FollowActivity { users { biog followers(first: 2) { nodes { biog } } } } } } } }`, anonymous: 42, signed: 42, reason: "a line is of one kind: the dearest is 4 calls"},
		"total that comes along":   {query: `{ popular(first: 5) { totalCount nodes { comments(first: 1) { totalCount } } } }`, anonymous: 6, signed: 6},
		"total that takes a load":  {query: `{ popular(first: 5) { nodes { user { followers(first: 1) { totalCount } biog } } } }`, anonymous: 11, signed: 11, reason: "1 + 5 lists + 5 loads"},
		"total within bounds":      {query: `{ popular(first: 5) { nodes { user { followers(first: 1, until: 5) { totalCount } } } } }`, anonymous: 6, signed: 6, reason: "nobody counts within bounds"},
		"total of a full owner":    {query: `{ user(username: "a") { followers(first: 1) { totalCount } } }`, anonymous: 2, signed: 2},
		"total of an empty page":   {query: `{ popular(first: 5) { nodes { user { followers(first: 0) { totalCount } } } } }`, anonymous: 6, signed: 6},
		"since on a dated list":    {query: `{ user(username: "a") { listens(since: 5) { nodes { name } } } }`, anonymous: 2, signed: 2},
		"since on another list":    {query: `{ user(username: "a") { followers(since: 5) { nodes { name } } } }`, anonymous: 3, signed: 3},
		"after by offset":          {query: `query ($c: String) { popular(first: 10, after: $c) { nodes { description } } }`, variables: `{"c": "` + cursor(paging.ByOffset) + `"}`, anonymous: 11, signed: 11},
		"after by window":          {query: `query ($c: String) { popular(first: 10, after: $c) { nodes { description } } }`, variables: `{"c": "` + cursor(paging.ByWindow) + `"}`, anonymous: 12, signed: 12},
		"after by time":            {query: `query ($c: String) { user(username: "a") { listens(first: 10, after: $c) { nodes { name } } } }`, variables: `{"c": "` + cursor(paging.ByTime) + `"}`, anonymous: 4, signed: 4},
		"after by page":            {query: `query ($c: String) { user(username: "a") { followers(first: 10, after: $c) { nodes { name } } } }`, variables: `{"c": "` + cursor(paging.ByPage) + `"}`, anonymous: 7, signed: 7},
		"after nothing known":      {query: `{ popular(first: 10, after: "nonsense") { nodes { description } } }`, reason: "refused before a call"},
		"before":                   {query: `query ($c: String) { popular(last: 10, before: $c) { nodes { name } } }`, variables: `{"c": "` + cursor(paging.ByOffset) + `"}`, anonymous: 5, signed: 5},
		"a cursor under many":      {query: `query ($c: String) { popular(first: 50) { nodes { user { followers(first: 10, after: $c) { nodes { biog } } } } } }`, variables: `{"c": "` + cursor(paging.ByPage) + `"}`, anonymous: 17, signed: 17, reason: "it is good for one of the lists"},
		"latest":                   {query: `{ tag(name: "a") { latest(first: 2) { nodes { name } } } artist(key: "/artist/a/") { latest(first: 2) { nodes { name } } } }`, anonymous: 5, signed: 5, reason: "tags had another word for it"},
		"discover":                 {query: `{ discover(tags: ["a"]) { key popular(first: 1) { nodes { name } } } search(query: "a") { query } }`, anonymous: 1, signed: 1},
		"search":                   {query: `{ search(query: "a") { users(first: 2) { nodes { biog } } tags(first: 2) { nodes { name } } } }`, anonymous: 4, signed: 4},
		"oembed":                   {query: `{ oembed(url: "/a/b/") { html xml } }`, anonymous: 2, signed: 2},
		"node":                     {query: fmt.Sprintf(`{ node(id: %q) { ... on User { followers(first: 2) { nodes { biog } } } ... on Tag { popular(first: 9) { nodes { description } } } } }`, spartacus), anonymous: 4, signed: 4, reason: "the id says that it is a user"},
		"no id":                    {query: `{ node(id: "nonsense") { ... on User { biog } } }`, reason: "refused before a call"},
		"nodes":                    {query: fmt.Sprintf(`{ nodes(ids: [%q, %q, %q, "nonsense"]) { ... on User { biog } ... on Tag { popular(first: 3) { nodes { name } } } } }`, spartacus, funk, spartacus), anonymous: 3, signed: 3, reason: "two ids, and the tag's list"},
		"nodes in a variable":      {query: `query ($i: [ID!]!) { nodes(ids: $i) { ... on User { followers(first: 1) { nodes { name } } } } }`, variables: fmt.Sprintf(`{"i": [%q, %q]}`, spartacus, id(model.KindUser, "/b/")), anonymous: 4, signed: 4},
		"too many nodes":           {query: `query ($i: [ID!]!) { nodes(ids: $i) { id } }`, variables: `{"i": [` + strings.Repeat(`"`+spartacus+`",`, 100) + `"` + spartacus + `"]}`, reason: "refused before a call"},
		"resource":                 {query: `{ resource(key: "/a/") { ... on User { followers(first: 2) { nodes { biog } } } ... on Tag { popular(first: 9) { nodes { description } } } } }`, anonymous: 4, signed: 4, reason: "the key is a user's"},
		"resource pasted":          {query: `query ($k: String!) { resource(key: $k) { ... on User { followers(first: 2) { nodes { biog } } } ... on Tag { popular(first: 9) { nodes { description } } } } }`, variables: `{"k": "https://www.mixcloud.com/genres/funk/"}`, anonymous: 11, signed: 11, reason: "the address is a tag's"},
		"resources":                {query: `{ resources(keys: ["/a/", "https://www.mixcloud.com/A/", "/genres/funk/", "/tag/funk/", "/a/uploads/"]) { ... on User { followers(first: 2) { nodes { biog } } } ... on Tag { popular(first: 9) { nodes { description } } } } }`, anonymous: 1 + 3 + 1 + 10, signed: 1 + 3 + 1 + 10, reason: "one user and one tag, each twice, and one that is refused"},
		"resources of one":         {query: `query ($k: [String!]!) { resources(keys: $k) { key } }`, variables: `{"k": "/a/"}`, anonymous: 1, signed: 1, reason: "one element may stand alone"},
		"resources too many":       {query: `query ($k: [String!]!) { resources(keys: $k) { key } }`, variables: `{"k": [` + strings.Repeat(`"/a/", `, 100) + `"/a/"]}`, reason: "refused before a call"},
		"decomposed resources":     {query: `query ($k: [String!]!) { resources(keys: $k) { key } }`, variables: `{"k": ["/re\u0301mi/", "/r\u00e9mi/", "/b/"]}`, anonymous: 4, signed: 4, reason: "the first counts two calls for its two forms, the others one each"},
		"decomposed key last":      {query: `query ($k: [String!]!) { resources(keys: $k) { key } }`, variables: `{"k": ["/r\u00e9mi/", "/re\u0301mi/", "/re\u0301mi/"]}`, anonymous: 3, signed: 3, reason: "the second is also tried in the form received, and the third is the second"},
		"decomposed username":      {query: `query ($k: String!) { user(username: $k) { biog } }`, variables: `{"k": "re\u0301mi"}`, anonymous: 2, signed: 2, reason: "tried in two forms"},
		"decomposed and escaped":   {query: `{ cloudcast(key: "/a/re%CC%81mi/") { description } }`, anonymous: 2, signed: 2, reason: "tried in two forms"},
		"composed":                 {query: `{ cloudcast(key: "/a/r%C3%A9mi/") { description } }`, anonymous: 1, signed: 1, reason: "one form"},
		"decomposed discovery":     {query: `query ($k: [String!]) { discover(tags: $k) { popular { nodes { key } } } }`, variables: `{"k": ["funk", "cafe\u0301"]}`, anonymous: 2, signed: 2, reason: "its list is tried in two forms"},
		"decomposed target":        {query: `mutation ($k: String) { favoriteCloudcast(input: {key: $k}) { message } }`, variables: `{"k": "/a/re\u0301mi/"}`, anonymous: 3, signed: 3, reason: "both forms are looked up before the write"},
		"resource elsewhere":       {query: `{ resource(key: "https://example.com/a/") { ... on User { biog } } }`, reason: "refused before a call"},
		"viewer":                   {query: `{ viewer { biog followsViewer cloudcasts(first: 2) { nodes { name } } } }`, signed: 2, reason: "nobody is the viewer without a token"},
		"viewer's flags":           {query: `{ popular(first: 5) { nodes { viewerHasFavorited viewerHasReposted user { viewerIsFollowing } } } }`, anonymous: 1, signed: 11, reason: "should they not come along"},
		"whether it is the viewer": {query: `{ popular(first: 5) { nodes { user { isViewer } } } hot(first: 5) { nodes { user { isViewer } } } viewer { name } }`, anonymous: 2, signed: 3, reason: "one call tells for all"},
		"the viewer themself":      {query: `{ user(username: "a") { isViewer } }`, anonymous: 1, signed: 1},
		"listen later":             {query: `{ popular(first: 5) { nodes { user { listenLater(first: 3) { nodes { description } } } } } }`, anonymous: 1, signed: 6, reason: "1, the viewer, one list, three loads"},
		"after a written item":     {query: `{ user(username: "a") { favorites(first: 5, after: "` + written + `") { nodes { description } } } }`, anonymous: 1 + 8 + 5, signed: 1 + 8 + 5, reason: "the first hundred and those of the time, beside a page by its time"},
		"before a written item":    {query: `{ user(username: "a") { favorites(last: 5, before: "` + written + `") { nodes { description } } } }`, anonymous: 1 + 7 + 5, signed: 1 + 7 + 5},
		"saturating": {
			query:     `{ popular(first: 100) { nodes { user { followers(first: 100) { nodes { followers(first: 100) { nodes { followers(first: 100) { nodes { followers(first: 100) { nodes { followers(first: 100) { nodes { biog } } } } } } } } } } } } } }`,
			anonymous: cost.Unbounded, signed: cost.Unbounded, reason: "10^12 users are more than an Int can say",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := estimate(t, tt.query, tt.variables, cost.Asker{}); got != tt.anonymous {
				t.Errorf("anonymous: %d, want %d: %s\n%s", got, tt.anonymous, tt.reason, tt.query)
			}
			if got := estimate(t, tt.query, tt.variables, cost.Asker{Signed: true}); got != tt.signed {
				t.Errorf("signed: %d, want %d: %s\n%s", got, tt.signed, tt.reason, tt.query)
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
		"a write":             {query: `mutation { followUser(input: {username: "a"}) { message } }`, want: 1},
		"whether it changed":  {query: `mutation { followUser(input: {username: "a"}) { changed user { biog } } }`, want: 3, reason: "a look before, the write, a look after"},
		"an undoing":          {query: `mutation { unfollowUser(input: {username: "a"}) { message } }`, want: 2, reason: "where there was nothing to undo, a look tells whether the target exists"},
		"the same twice":      {query: `mutation { a: repostCloudcast(input: {key: "/a/b/"}) { message } b: repostCloudcast(input: {key: "/a/b/"}) { message } }`, want: 2, reason: "each is sent"},
		"the viewer after it": {query: `mutation { repostCloudcast(input: {key: "/a/b/"}) { viewer { name biog } } }`, want: 2},
		"their counts after it": {
			query: `mutation { a: favoriteCloudcast(input: {key: "/a/b/"}) { viewer { favoriteCount } } b: favoriteCloudcast(input: {key: "/a/c/"}) { viewer { favoriteCount } } }`,
			want:  7, reason: "two each, then one target to look at, then two",
		},
		"counts after earlier writes": {query: `{ viewer { favoriteCount followingCount } }`, pending: 3, want: 4},
		"their list after it": {
			query: `mutation { favoriteCloudcast(input: {key: "/a/b/"}) { viewer { favorites(first: 5) { nodes { key } } } } }`,
			want:  11, reason: "the write, the viewer, the page, 7 more for it, and the target",
		},
		"lists after earlier writes": {
			query:   `{ viewer { favorites { nodes { key } } following { nodes { key } } listenLater { nodes { key } } followers { nodes { key } } } }`,
			pending: 3, want: 1 + 4 + 3*7 + 3, reason: "three lists are corrected, each target is loaded once",
		},
		"no write, no more calls": {query: `{ viewer { favorites { nodes { key } } following { nodes { key } } listenLater { nodes { key } } } }`, want: 4},
		"lists of others":         {query: `{ user(username: "a") { followers(first: 50) { nodes { favorites(first: 2) { nodes { key } } } } } }`, pending: 1, want: 2 + 50 + 7 + 1 + 1, reason: "one of them may be the viewer's"},
		"what was changed":        {query: `mutation { favoriteCloudcast(input: {key: "/a/b/"}) { cloudcast { description comments(first: 5) { nodes { user { biog } } } } } }`, want: 8},
		"an edge":                 {query: `mutation { favoriteCloudcast(input: {key: "/a/b/"}) { favoriteEdge { node { description comments(first: 5) { nodes { user { biog } } } } } } }`, want: 1 + 1 + 1 + 5, reason: "the node is looked up itself"},
		"an edge and its cursor":  {query: `mutation { followUser(input: {username: "a"}) { followingEdge { cursor node { biog } } } }`, want: 1 + 2},
		"an edge without a node":  {query: `mutation { followUser(input: {username: "a"}) { followingEdge { cursor } } }`, want: 1 + 2},
		"an edge and its like": {
			query: `mutation { addToListenLater(input: {key: "/a/b/"}) { cloudcast { user { biog } } viewer { biog } a: listenLaterEdge { node { user { biog } } } ... { b: listenLaterEdge { cursor node { user { city } } } } } }`,
			want:  1 + 2 + 1, reason: "the node, the viewer and the node's user are counted once",
		},
		"a removed id":   {query: `mutation { removeFromListenLater(input: {key: "/a/b/"}) { removedId } }`, want: 2, reason: "as an undoing"},
		"an edit":        {query: `mutation { editCloudcast(input: {key: "/a/b/", name: "x"}) { message viewer { name } cloudcast { name } } }`, want: 4},
		"an exchange":    {query: `mutation { exchangeOAuthCode(input: {code: "a", redirectUri: "b"}) { accessToken } }`, want: 1},
		"a subscription": {query: `subscription { uploadProgress(uploadId: "a") { phase } }`, want: 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := estimate(t, tt.query, "", cost.Asker{Signed: true, Pending: tt.pending}); got != tt.want {
				t.Errorf("%d, want %d: %s\n%s", got, tt.want, tt.reason, tt.query)
			}
		})
	}
}

// hostile has fragments that meet in every combination: without a bound on the
// work, each level would double what there is to merge.
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

// TestHostile holds that no document takes for ever. It is not validated: that
// alone would take longer.
func TestHostile(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		hostile(20), hostile(300),
		`{ user(username: "a") { ...f } } fragment f on User { followers { nodes { ...f following { nodes { ...f } } } } }`, // a circle
		"{" + strings.Repeat(`popular(first: 100) { nodes { user { followers { nodes {`, 190) + " name " + strings.Repeat("} } } } }", 190) + "}",
		"{" + strings.Repeat(` popular(first: 100) { nodes { description } }`, 5000) + "}",
	} {
		doc, err := parser.ParseQuery(&ast.Source{Input: query})
		if err != nil {
			t.Fatal(err)
		}
		define(doc)
		for _, who := range []cost.Asker{{}, {Signed: true, Pending: 5}} {
			got := estimator().Estimate(doc.Operations[0], nil, who)
			if got < 1 || got > cost.Unbounded {
				t.Errorf("%d for %.60s", got, query)
			}
			estimator().Fit(doc.Operations[0], nil, who, 10)
		}
	}
}

// define ties spreads to their fragments, as validation does.
func define(doc *ast.QueryDocument) {
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

// FuzzEstimate holds for whatever documents strangers send, valid or not: there
// is an estimate, within its bounds, and a fit does fit.
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
	f.Fuzz(func(t *testing.T, query string, signed bool) {
		doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, 2000)
		if err != nil {
			return
		}
		define(doc)
		for _, op := range doc.Operations {
			who := cost.Asker{Signed: signed, Pending: 2}
			got := estimator().Estimate(op, nil, who)
			if got < 0 || got > cost.Unbounded {
				t.Errorf("%d", got)
			}
			if again := estimator().Estimate(op, nil, who); again != got {
				t.Errorf("%d, and then %d", got, again)
			}
			if fit, ok := estimator().Fit(op, nil, who, got/2); ok && (fit.Size < 1 || fit.Size > paging.MaxPageSize) {
				t.Errorf("fit %+v", fit)
			}
		}
	})
}
