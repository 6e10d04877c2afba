package conformance

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/mixcloud/emulator"
)

// falsified says which probe finds each rule that the emulator can break.
var falsified = map[string]string{
	"absolute-location":          "redirect-is-relative",
	"bad-dates-empty":            "unreadable-date-is-ignored",
	"bad-token-ignored":          "wrong-token-is-refused",
	"bare-errors":                "errors-are-wrapped",
	"canonical-links":            "links-keep-the-requested-path",
	"case-sensitive-users":       "user-path-any-case",
	"category-limits":            "category-lists-ignore-limit",
	"comment-created-time":       "comments-have-submit-date",
	"compact-json":               "body-indented",
	"current-user-on-others":     "is-current-user-on-oneself-only",
	"decoded-keys":               "keys-percent-encoded",
	"default-limit-10":           "default-limit-is-20",
	"description-in-lists":       "listed-cloudcasts-partial",
	"discover-keys":              "tag-keys-under-genres",
	"embed-html-json":            "embed-html-is-a-frame",
	"embed-ignores-size":         "embed-takes-a-height",
	"embed-json-text":            "embed-json-has-html",
	"encoded-slugs":              "slugs-are-plain-text",
	"false-hidden-stats":         "hidden-stats-only-true",
	"few-cloudcast-pictures":     "cloudcast-picture-sizes",
	"five-connections":           "metadata-connections-of-users",
	"follower-on-nested":         "follower-on-full-users-only",
	"fractional-times":           "times-are-whole-seconds",
	"full-nested-users":          "nested-users-partial",
	"hash-colors":                "primary-color-is-bare-hex",
	"header-token":               "token-in-header-is-ignored",
	"hot-is-new":                 "hot-is-a-list-of-its-own",
	"hot-named-new":              "hot-is-called-hot",
	"iso-times-in-links":         "link-times-in-utc-text",
	"json-content-type":          "content-type-javascript",
	"large-user-pictures":        "user-picture-sizes",
	"lean-users":                 "full-user-members",
	"limit-above-100-honoured":   "limit-above-100-is-100",
	"limit-zero-empty":           "limit-zero-is-the-default",
	"links-drop-metadata":        "links-repeat-metadata",
	"links-keep-bounds":          "links-name-one-bound",
	"links-without-limit":        "links-spell-the-limit",
	"me-key":                     "me-has-its-real-key",
	"me-not-found":               "me-needs-a-token",
	"metadata-on-items":          "metadata-not-on-items",
	"named-following":            "following-has-no-name",
	"names-first":                "members-begin-with-key-url-name",
	"negative-limit-one":         "negative-limit-is-the-default",
	"negative-offset-empty":      "negative-offset-is-zero",
	"next-on-short-page":         "short-date-page-is-last",
	"no-all":                     "all-cloudcasts",
	"no-artists":                 "artist-pages",
	"no-categories":              "categories",
	"no-category-cloudcasts":     "category-cloudcasts",
	"no-category-users":          "category-users",
	"no-city-lists":              "city-lists-cloudcasts",
	"no-city-pages":              "city-is-like-a-tag",
	"no-cloudcast-comments":      "cloudcast-comments",
	"no-cloudcast-favorites":     "cloudcast-favorites",
	"no-cloudcast-search":        "search-cloudcasts",
	"no-connections":             "metadata-connections",
	"no-cors":                    "cors-any-origin",
	"no-description":             "full-cloudcast-description",
	"no-feed":                    "user-lists-hold-their-kind",
	"no-hosts":                   "cloudcasts-have-hosts",
	"no-joined-tags":             "joined-tags",
	"no-jsonp":                   "jsonp",
	"no-latest":                  "tag-latest",
	"no-list-names":              "lists-have-names",
	"no-listen-later":            "viewer-has-listen-later",
	"no-listen-time":             "listens-tell-their-time",
	"no-listeners":               "cloudcast-listeners",
	"no-nested-type":             "metadata-types-nested",
	"no-next-on-full-last-page":  "full-last-page-has-next",
	"no-old-tag-paths":           "old-tag-paths-answer",
	"no-playlist-cloudcasts":     "playlist-cloudcasts",
	"no-playlists":               "user-playlists",
	"no-previous-on-first-page":  "previous-on-first-date-page",
	"no-previous-past-end":       "previous-past-the-end",
	"no-redirect":                "missing-slash-redirects",
	"no-request-id":              "request-id",
	"no-root-type":               "metadata-types-root",
	"no-sections":                "full-cloudcast-sections",
	"no-similar":                 "cloudcast-similar",
	"no-such-cloudcast-words":    "no-such-cloudcast",
	"no-such-tag-words":          "no-such-tag",
	"no-such-user-words":         "no-such-user",
	"no-tag-new-and-hot":         "tag-new-and-hot",
	"no-tag-popular":             "tag-popular",
	"no-tag-search":              "search-tags",
	"no-upload-search":           "search-uploads",
	"no-user-search":             "search-users",
	"no-vary":                    "vary-encoding-origin",
	"no-viewer-members":          "token-adds-members",
	"no-widget":                  "player-page",
	"not-found-200":              "not-found-is-404",
	"nulls":                      "nothing-is-null",
	"oembed-no-author":           "oembed-members",
	"oembed-no-xml":              "oembed-xml",
	"oembed-thumbnail":           "oembed-picture-is-image",
	"offset-ignored":             "offset-skips-items",
	"offset-links-absent":        "offset-pages-have-links",
	"offset-links-by-default":    "date-links-by-default",
	"offset-links-by-one":        "offset-links-step-by-limit",
	"offset-zero-keeps-dates":    "offset-zero-links-by-offset",
	"oldest-first":               "newest-first",
	"other-full-keys":            "key-finds-its-resource",
	"other-scheme-links":         "links-follow-the-scheme",
	"page-cap-50":                "limit-of-100-is-honoured",
	"paging-past-end":            "past-the-end-by-date",
	"plain-tag-names":            "tag-name-says-shows",
	"previous-at-offset-zero":    "no-previous-at-offset-zero",
	"rate-limit-429":             "rate-limit-is-403",
	"rate-limit-headers":         "no-rate-limit-headers",
	"raw-unicode":                "body-is-ascii",
	"real-hidden-stats":          "hidden-stats-zero-counts",
	"redirect-302":               "redirect-is-permanent",
	"redirect-body":              "redirect-has-no-body",
	"redirect-drops-query":       "redirect-keeps-query",
	"reposters-connection":       "metadata-connections-of-cloudcasts",
	"retry-after-body-missing":   "rate-limit-has-retry-after-member",
	"retry-after-header-missing": "rate-limit-has-retry-after",
	"search-named":               "search-has-no-name",
	"search-needs-type":          "search-without-type",
	"search-paged-by-date":       "search-pages-by-offset",
	"seconds-ignored":            "until-as-seconds",
	"shifted-link-times":         "date-links-tell-item-times",
	"since-inclusive":            "since-is-exclusive",
	"since-newest":               "since-gives-the-nearest",
	"string-counts":              "counts-are-numbers",
	"untimed-listeners":          "listeners-tell-their-time",
	"counted-playlists":          "playlists-have-no-count",
	"old-member-order":           "comments-and-activities-begin-with-key",
	"empty-sections":             "sections-hold-tracklists",
	"unnamed-cloudcast-lists":    "cloudcast-lists-have-names",
	"four-tag-connections":       "tag-connections-are-two",
	"suffixed-nested-tags":       "nested-tag-names-plain",
	"tag-connections-of-today":   "tag-connections-keep-path",
	"text-times-ignored":         "until-as-text",
	"token-in-links":             "links-without-token",
	"token-refusals-401":         "token-refusals-have-status-400",
	"type-without-metadata":      "no-type-without-metadata",
	"typed-envelopes":            "metadata-not-in-envelopes",
	"unsorted-links":             "links-are-sorted",
	"until-inclusive":            "until-is-exclusive",
	"untyped-activities":         "activities-tell-their-kind",
	"untyped-errors":             "errors-have-a-type",
	"urls-on-api":                "url-is-site-and-key",
	"zero-hidden-comments":       "hidden-stats-keep-comments",
}

// Every rule has its probe, and every probe can be wrong.
func TestFalsified_IsComplete(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(emulator.BrokenRules(), slices.Sorted(maps.Keys(falsified))); diff != "" {
		t.Errorf("rules that the emulator breaks, and rules with a probe (-emulator +probes):\n%s", diff)
	}
	var names []string
	for _, p := range probes() {
		names = append(names, p.name)
	}
	slices.Sort(names)
	if diff := cmp.Diff(names, slices.Sorted(maps.Values(falsified))); diff != "" {
		t.Errorf("probes, and probes that some broken rule falsifies (-all +falsified):\n%s", diff)
	}
}

// A broken rule is found by its probe, and by no other. A run is sequential, so the
// race detector, which makes it slow, needs to see only some of them.
func TestRun_FindsTheBrokenRule(t *testing.T) {
	t.Parallel()
	for i, rule := range emulator.BrokenRules() {
		if racing && i%10 > 0 {
			continue
		}
		want := falsified[rule]
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func() http.RoundTripper {
				return newEmulator(t, emulator.WithBroken(rule)).Transport()
			}, nil, func(t *testing.T, r Report, err error) {
				if err != nil {
					t.Fatal(err)
				}
				var found []string
				for _, p := range r.Probes {
					if p.Verdict == Differs {
						found = append(found, p.Name)
						if p.Seen == "" {
							t.Errorf("%s does not say what it saw", p.Name)
						}
					}
				}
				if diff := cmp.Diff([]string{want}, found); diff != "" {
					t.Errorf("%s (-want +found):\n%s\nall that did not agree: %q", emulator.BrokenRuleDoc(rule), diff, disagreeing(r))
				}
				if n := verdicts(r)[CouldNotTell]; n > 8 {
					t.Errorf("one broken rule keeps %d probes from telling: %q", n, disagreeing(r))
				}
			})
		})
	}
}
