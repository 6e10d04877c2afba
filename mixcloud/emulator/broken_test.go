package emulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// signature returns the complete response to a request, without the value of
// X-Request-Id.
func signature(h http.Handler, path string, again int) string {
	var w *httptest.ResponseRecorder
	for range again + 1 {
		r := httptest.NewRequest(http.MethodGet, host+path, nil)
		if strings.HasPrefix(path, "/spartacus/?bearer") {
			r.Header.Set("Authorization", "Bearer demo-token")
		}
		w = do(h, r)
	}
	id := regexp.MustCompile(`[0-9a-f]{32}`)
	var headers []string
	for name, values := range w.Header() {
		if name != "Content-Length" {
			headers = append(headers, name+": "+id.ReplaceAllString(strings.Join(values, ", "), "ID"))
		}
	}
	slices.Sort(headers)
	return fmt.Sprint(w.Code, headers, w.Body)
}

// intactRoutes maps the path of each GET route to the response of an emulator that
// breaks no rule.
var intactRoutes = sync.OnceValue(func() map[string]string {
	w := sharedWorld()
	demo := w.User("demo")
	track := w.Artists[0].Tracks[0]
	segments := strings.NewReplacer(
		"{user}", "demo", "{cloudcast}", demo.Cloudcasts[0].Slug, "{playlist}", demo.Playlists[0].Slug, "{tags}", "funk",
		"{category}", w.Categories[0].Slug, "/artist/{artist}/", w.Artists[0].Key(), "/track/{artist}/{track}/", track.Key())
	e, err := emulator.New(emulator.WithWorld(w))
	if err != nil {
		panic(err)
	}
	responses := map[string]string{}
	for _, route := range emulator.Routes() {
		path := segments.Replace(route.Pattern)
		if strings.HasPrefix(path, "/me/") || strings.HasSuffix(path, "/listen-later/") {
			path += token
		}
		if text := signature(e, path, 0); route.Method == http.MethodGet && strings.HasPrefix(text, "200 ") {
			responses[path] = text
		}
	}
	return responses
})

// checkRemovedRoutes checks a broken rule without a request in TestBrokenRules: it
// must remove some routes, and not change the responses of the others.
func checkRemovedRoutes(t *testing.T, rule string) {
	t.Helper()
	e := newEmulator(t, emulator.WithBroken(rule))
	removed := 0
	for path, intact := range intactRoutes() {
		switch text := signature(e, path, 0); {
		case strings.HasPrefix(text, "404 "):
			removed++
		case text != intact:
			t.Errorf("GET %s: the broken rule changes the response but does not remove the route: add a request to TestBrokenRules in mixcloud/emulator/broken_test.go that shows what changes", path)
		}
	}
	if removed == 0 {
		t.Errorf("the broken rule removes no route: add a request to TestBrokenRules in mixcloud/emulator/broken_test.go whose response differs with the rule")
	}
}

// TestBrokenRules checks that every broken rule changes a response as documented. A
// rule that only removes routes needs no row here.
func TestBrokenRules(t *testing.T) {
	t.Parallel()
	w := sharedWorld()
	demo := w.User("demo")
	noAudio := "/demo/room-tone/"
	greek := w.User(world.GreekUser).Key()
	category := "/categories/" + w.Categories[0].Slug + "/"
	public := func(list []*world.Cloudcast) *world.Cloudcast {
		return list[slices.IndexFunc(list, func(c *world.Cloudcast) bool { return !c.Private() })]
	}
	full := fmt.Sprintf("/demo/cloudcasts/?limit=%d", len(demo.Cloudcasts)+5)
	seconds := fmt.Sprintf("=%d", demo.Cloudcasts[5].Created.Unix())
	text := "=" + strings.ReplaceAll(demo.Cloudcasts[5].Created.UTC().Format("2006-01-02 15:04:05"), " ", "+")
	probes := map[string]struct{ path, has string }{
		"untimed-listeners":       {world.BusyCloudcast + "listeners/", ``},
		"counted-playlists":       {"/demo/playlists/", `"cloudcast_count"`},
		"old-member-order":        {"/demo/comments/", "\"data\": [\n        {\n            \"url\""},
		"empty-sections":          {"/spartacus/party-time/", `"sections": []`},
		"unnamed-cloudcast-lists": {world.BusyCloudcast + "similar/", ``},
		"four-tag-connections":    {"/genres/funk/?metadata=1", `/genres/funk/hot/`},

		"no-redirect":          {"/spartacus", `200 `},
		"redirect-302":         {"/spartacus", `302 `},
		"absolute-location":    {"/spartacus", `Location: https://`},
		"redirect-drops-query": {"/spartacus?metadata=1", `Location: /spartacus/ `},
		"json-content-type":    {"/demo/", `Content-Type: application/json`},
		"no-cors":              {"/demo/", ``},
		"no-vary":              {"/demo/", ``},
		"no-request-id":        {"/demo/", ``},
		"compact-json":         {"/demo/", `{"key":"/demo/","url"`},
		"raw-unicode":          {greek, `"username": "νυχτερινό-τραμ"`},
		"no-jsonp":             {"/demo/?callback=f", "] {\n    \"key\""},
		"redirect-body":        {"/spartacus", `<html>`},
		"rate-limit-headers":   {"/demo/", `X-Ratelimit-Remaining: `},

		"decoded-keys":         {greek, `"key": "/\u03bd`},
		"encoded-slugs":        {greek, `"username": "%CE%BD`},
		"case-sensitive-users": {"/DEMO/", `404 `},
		"canonical-links":      {"/DEMO/cloudcasts/", `/demo/cloudcasts/?limit`},
		"names-first":          {"/demo/", "] {\n    \"name\""},
		"other-full-keys":      {"/spartacus/party-time/", fmt.Sprintf(`"key": "/spartacus/%d/"`, w.Cloudcast("spartacus", "party-time").ID)},
		"urls-on-api":          {"/demo/", `"url": "` + host + `/demo/"`},

		"nulls":                 {noAudio, `"audio_length": null`},
		"type-without-metadata": {"/demo/", `"type": "user"`},
		"no-nested-type":        {"/spartacus/party-time/?metadata=1", ``},
		"metadata-on-items":     {"/demo/cloudcasts/?metadata=1&limit=1", `"connections"`},
		"no-connections":        {"/demo/?metadata=1", ``},
		"full-nested-users":     {"/demo/followers/", `"biog"`},
		"description-in-lists":  {"/demo/cloudcasts/", `"description"`},
		"no-description":        {"/spartacus/party-time/", ``},
		"false-hidden-stats":    {"/spartacus/party-time/", `"hidden_stats": false`},
		"real-hidden-stats":     {world.HiddenStatsCloudcast, ``},
		"zero-hidden-comments":  {world.HiddenStatsCloudcast, `"comment_count": 0,`},
		"plain-tag-names":       {"/genres/funk/", `"name": "Funk"`},
		"suffixed-nested-tags":  {"/spartacus/party-time/", `"name": "Funk shows"`},
		"discover-keys":         {"/genres/funk/", `"key": "/discover/funk/"`},
		"no-latest":             {"/genres/funk/latest/", `404 `},
		"no-hosts":              {"/spartacus/party-time/", ``},
		"large-user-pictures":   {"/demo/", `"1024wx1024h"`},
		"fractional-times":      {"/demo/", `.000Z"`},
		"string-counts":         {"/demo/", `"follower_count": "`},
		"no-listen-time":        {"/demo/listens/", ``},
		"untyped-activities":    {"/demo/feed/", ``},
		"comment-created-time":  {"/demo/comments/", `"created_time"`},

		"lean-users":             {"/demo/", ``},
		"few-cloudcast-pictures": {"/spartacus/party-time/", ``},
		"hash-colors":            {"/demo/", `"picture_primary_color": "#`},
		"no-sections":            {"/spartacus/party-time/", ``},
		"no-root-type":           {"/demo/?metadata=1", ``},
		"five-connections":       {"/demo/?metadata=1", ``},
		"reposters-connection":   {"/spartacus/party-time/?metadata=1", `"reposters"`},
		"typed-envelopes":        {"/demo/cloudcasts/?metadata=1", `"type": "list"`},

		"hot-is-new":               {"/popular/hot/?limit=1", public(w.Latest).Key()},
		"hot-named-new":            {"/popular/hot/?limit=1", `"New Cloudcasts"`},
		"no-old-tag-paths":         {"/tag/funk/", `404 `},
		"tag-connections-of-today": {"/tag/funk/?metadata=1", `/genres/funk/popular/`},
		"no-tag-popular":           {"/genres/funk/popular/", `404 `},
		"no-tag-new-and-hot":       {"/genres/funk/hot/", `404 `},
		"no-all":                   {"/discover/all/latest/", `404 `},
		"no-joined-tags":           {"/genres/funk+house/latest/", `404 `},
		"no-city-pages":            {"/genres/city:london/", `404 `},
		"no-city-lists":            {"/genres/city:london/popular/", `404 `},
		"no-cloudcast-search":      {"/search/?q=night&type=cloudcast", `"data": []`},
		"no-upload-search":         {"/search/?q=night&type=upload", `"data": []`},
		"no-user-search":           {"/search/?q=demo&type=user", `"data": []`},
		"no-tag-search":            {"/search/?q=funk&type=tag", `"data": []`},
		"search-needs-type":        {"/search/?q=night", `"data": []`},
		"category-limits":          {category + "cloudcasts/?limit=1", `"next"`},

		"until-inclusive":           {"/demo/cloudcasts/?limit=1&until" + seconds, demo.Cloudcasts[5].Key()},
		"since-inclusive":           {"/demo/cloudcasts/?limit=1&since" + seconds, demo.Cloudcasts[5].Key()},
		"oldest-first":              {"/demo/cloudcasts/", ``},
		"no-previous-on-first-page": {"/demo/cloudcasts/", ``},
		"next-on-short-page":        {full, `"next"`},
		"paging-past-end":           {"/demo/cloudcasts/?until=1000000000", `"paging": {}`},
		"no-previous-past-end":      {"/demo/cloudcasts/?offset=1000", ``},
		"offset-zero-keeps-dates":   {"/demo/cloudcasts/?offset=0", `until=`},
		"offset-ignored":            {"/demo/cloudcasts/?offset=3", demo.Cloudcasts[0].Key()},
		"offset-links-absent":       {"/demo/cloudcasts/?offset=3", ``},
		"limit-above-100-honored":   {"/HarbourFM/cloudcasts/?limit=101", `limit=101`},
		"default-limit-10":          {"/demo/cloudcasts/", `limit=10&`},
		"unsorted-links":            {"/demo/cloudcasts/", `&limit=20"`},
		"links-without-limit":       {"/demo/cloudcasts/", `cloudcasts/?until`},
		"links-drop-metadata":       {"/demo/cloudcasts/?metadata=1", `limit=20&until`},
		"iso-times-in-links":        {"/demo/cloudcasts/", "until=" + demo.Cloudcasts[19].Created.UTC().Format("2006-01-02T15")},
		"seconds-ignored":           {"/demo/cloudcasts/?until" + seconds, demo.Cloudcasts[0].Key()},
		"text-times-ignored":        {"/demo/cloudcasts/?until" + text, demo.Cloudcasts[0].Key()},
		"token-in-links":            {"/demo/cloudcasts/" + token, `access_token=demo-token&`},
		"no-list-names":             {"/demo/cloudcasts/", ``},
		"named-following":           {"/demo/following/", `'s following"`},
		"search-named":              {"/search/?q=night&type=user", `"name": "Search results"`},
		"search-paged-by-date":      {"/search/?q=night&type=cloudcast", `until=`},
		"offset-links-by-default":   {"/demo/cloudcasts/", `offset=20`},
		"shifted-link-times":        {"/demo/cloudcasts/?limit=1", "until=" + url.QueryEscape(demo.Cloudcasts[0].Created.UTC().Add(-time.Second).Format(time.DateTime))},
		"since-newest":              {"/demo/cloudcasts/?limit=1&since" + seconds, demo.Cloudcasts[0].Key()},
		"bad-dates-empty":           {"/demo/cloudcasts/?until=soon", `"data": []`},
		"links-keep-bounds":         {"/demo/cloudcasts/?limit=1&since=2001-01-01+00:00:00&until" + text, `since=2001-01-01`},
		"offset-links-by-one":       {"/demo/cloudcasts/?offset=4", `offset=5`},
		"previous-at-offset-zero":   {"/demo/cloudcasts/?offset=0", `"previous"`},
		"no-next-on-full-last-page": {fmt.Sprintf("/demo/cloudcasts/?limit=%d", len(demo.Cloudcasts)), ``},
		"negative-offset-empty":     {"/demo/cloudcasts/?offset=-4", `"data": []`},
		"other-scheme-links":        {"/demo/cloudcasts/", `"next": "http://`},
		"page-cap-50":               {"/HarbourFM/cloudcasts/?limit=100", `limit=50`},
		"limit-zero-empty":          {"/demo/cloudcasts/?limit=0", `"data": []`},
		"negative-limit-one":        {"/demo/cloudcasts/?limit=-3", `limit=1&`},

		"header-token":               {"/spartacus/?bearer", `"following"`},
		"bad-token-ignored":          {"/demo/?access_token=wrong", `200 `},
		"no-viewer-members":          {"/demo/" + token, ``},
		"follower-on-nested":         {"/demo/followers/" + token, `"follower"`},
		"current-user-on-others":     {"/spartacus/" + token, `"is_current_user": false`},
		"me-not-found":               {"/me/", `404 `},
		"not-found-200":              {"/no-such-user/", `200 `},
		"untyped-errors":             {"/no-such-user/", ``},
		"bare-errors":                {"/no-such-user/", "] {\n    \"message\""},
		"rate-limit-429":             {"/demo/", `429 `},
		"retry-after-header-missing": {"/demo/", ``},
		"retry-after-body-missing":   {"/demo/", ``},

		"token-refusals-401":      {"/me/", `401 `},
		"me-key":                  {"/me/" + token, `"key": "/me/"`},
		"no-such-user-words":      {"/no-such-user/", `"Not found."`},
		"no-such-cloudcast-words": {"/demo/nothing/", `"Not found."`},
		"no-such-tag-words":       {"/genres/no-such-tag/", `"Not found."`},

		"no-widget":          {"/www/widget/iframe/?feed=/spartacus/party-time/", `404 `},
		"embed-html-json":    {"/spartacus/party-time/embed-html/", `"html"`},
		"embed-ignores-size": {"/spartacus/party-time/embed-html/?height=77", `height="120"`},
		"oembed-no-author":   {"/www/oembed/?url=https://www.mixcloud.com/demo/", ``},

		"embed-json-text":  {"/spartacus/party-time/embed-json/", `] "<iframe`},
		"oembed-thumbnail": {"/www/oembed/?url=https://www.mixcloud.com/demo/", `"thumbnail_url"`},
		"oembed-no-xml":    {"/www/oembed/?format=xml&url=https://www.mixcloud.com/demo/", "] {\n    \"version\""},
	}
	rules := emulator.BrokenRules()
	if !slices.IsSorted(rules) {
		t.Errorf("BrokenRules() = %q, want sorted names", rules)
	}
	for name := range probes {
		if !slices.Contains(rules, name) {
			t.Errorf("mixcloud/emulator/broken_rules.go has no rule %s, for which there is a test case", name)
		}
	}
	for _, rule := range rules {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			if emulator.BrokenRuleDoc(rule) == "" {
				t.Fatalf("BrokenRuleDoc(%q) is empty, want a description", rule)
			}
			probe, ok := probes[rule]
			if !ok {
				checkRemovedRoutes(t, rule)
				return
			}
			var limit, again int
			if strings.HasPrefix(rule, "rate-limit") || strings.HasPrefix(rule, "retry-after") {
				limit, again = 1, 1 // the second request exceeds the limit
			}
			options := []emulator.Option{emulator.WithSettings(emulator.Settings{Limit: limit})}
			intact := signature(newEmulator(t, options...), probe.path, again)
			broken := signature(newEmulator(t, append(options, emulator.WithBroken(rule))...), probe.path, again)
			switch {
			case intact == broken:
				t.Errorf("GET %s: the broken rule does not change the response, want a difference", probe.path)
			case probe.has == "" && len(broken) >= len(intact) && rule != "real-hidden-stats" && rule != "oldest-first":
				t.Errorf("GET %s: the response has %d bytes with the broken rule, want fewer than the %d without it", probe.path, len(broken), len(intact))
			case !strings.Contains(broken, probe.has) || probe.has != "" && strings.Contains(intact, probe.has):
				t.Errorf("GET %s: the response contains %q with the broken rule: %t, without it: %t; want true, false", probe.path, probe.has, strings.Contains(broken, probe.has), strings.Contains(intact, probe.has))
			}
		})
	}
	if emulator.BrokenRuleDoc("everything") != "" {
		t.Error("BrokenRuleDoc of an unknown rule returned a text, want \"\"")
	}
}

// TestBrokenRules_WithFaults checks that faults apply to the responses of an emulator
// that breaks a rule, even if the rule expects another body.
func TestBrokenRules_WithFaults(t *testing.T) {
	t.Parallel()
	kinds := map[emulator.FaultKind]int{
		emulator.FaultRateLimit: 403, emulator.FaultHTML502: 502, emulator.FaultError200: 200, emulator.FaultSuccessFalse: 200,
		emulator.FaultTruncatedJSON: 200, emulator.FaultEmptyPage: 200, emulator.FaultNotJSON: 200,
	}
	for _, rule := range emulator.BrokenRules() {
		e := newEmulator(t, emulator.WithBroken(rule))
		for kind, status := range kinds {
			if kind == emulator.FaultRateLimit && rule == "rate-limit-429" {
				status = 429
			}
			for _, path := range []string{"/demo/cloudcasts/?limit=2&callback=f", "/popular/hot/?limit=2", "/genres/funk/?metadata=1"} {
				e.ClearFaults()
				if err := e.Fail(emulator.Fault{Kind: kind}); err != nil {
					t.Fatal(err)
				}
				if w := get(t, e, path); w.Code != status {
					t.Errorf("%s, %s, %s: status %d, want %d", rule, kind, path, w.Code, status)
				}
			}
		}
	}
}
