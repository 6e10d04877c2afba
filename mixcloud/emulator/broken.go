package emulator

import (
	"fmt"
	"slices"
)

// A rule is one thing that the API does, which the emulator can be told to do
// wrong. The conformance command is tested with it: every broken rule must be
// reported.
type rule int

const (
	// Transport.
	noRedirect rule = iota
	redirectFound
	redirectAbsolute
	redirectDropsQuery
	jsonContentType
	noCORS
	noVary
	noRequestID
	compactJSON
	rawUnicode
	noJSONP

	// Keys.
	decodedKeys
	encodedSlugs
	caseSensitiveUsers
	canonicalLinks
	namesFirst

	// Resources.
	nulls
	typeWithoutMetadata
	noNestedType
	metadataOnItems
	noConnections
	fullNestedUsers
	descriptionInLists
	noDescription
	falseHiddenStats
	realHiddenStats
	zeroHiddenComments
	plainTagNames
	suffixedNestedTags
	discoverKeys
	noLatest
	noHosts
	largeUserPictures
	fractionalTimes
	stringCounts
	noListenTime
	untypedActivities
	oldCommentTime

	// Paging.
	untilInclusive
	sinceInclusive
	oldestFirst
	noPreviousOnFirstPage
	nextOnShortPage
	pagingPastEnd
	noPreviousPastEnd
	offsetZeroKeepsDates
	offsetIgnored
	offsetLinksAbsent
	limitAboveCapHonoured
	defaultLimitTen
	unsortedLinks
	linksWithoutLimit
	linksDropMetadata
	isoTimesInLinks
	secondsIgnored
	textTimesIgnored
	tokenInLinks
	noListNames
	namedFollowing
	searchNamed
	searchPagedByDate

	// Tokens and errors.
	headerToken
	badTokenIgnored
	noViewerMembers
	followerOnNested
	currentUserOnOthers
	meNeedsNoToken
	notFoundIs200
	untypedErrors
	bareErrors
	rateLimitIs429
	retryAfterHeaderMissing
	retryAfterBodyMissing

	// Embeds.
	embedJSONText
	oEmbedThumbnail
	oEmbedNoXML

	ruleCount
)

// deviations gives every rule the name by which [WithBroken] takes it, and says
// what the emulator does instead of keeping it.
var deviations = [ruleCount]struct{ name, doc string }{
	noRedirect:         {"no-redirect", "a path without its closing slash is answered at once"},
	redirectFound:      {"redirect-302", "a path without its closing slash is redirected with status 302"},
	redirectAbsolute:   {"absolute-location", "the redirect's Location is a whole URL"},
	redirectDropsQuery: {"redirect-drops-query", "the redirect loses the query"},
	jsonContentType:    {"json-content-type", "JSON is served as application/json"},
	noCORS:             {"no-cors", "there is no Access-Control-Allow-Origin"},
	noVary:             {"no-vary", "there is no Vary"},
	noRequestID:        {"no-request-id", "there is no X-Request-Id"},
	compactJSON:        {"compact-json", "JSON is not indented"},
	rawUnicode:         {"raw-unicode", "text outside ASCII is not escaped"},
	noJSONP:            {"no-jsonp", "the callback parameter is ignored"},

	decodedKeys:        {"decoded-keys", "keys and URLs are not percent-encoded"},
	encodedSlugs:       {"encoded-slugs", "slugs and user names are percent-encoded"},
	caseSensitiveUsers: {"case-sensitive-users", "user names are found in their own case only"},
	canonicalLinks:     {"canonical-links", "paging links have the user name's own case instead of the requested one"},
	namesFirst:         {"names-first", "the first member of a resource is its name instead of its key"},

	nulls:               {"nulls", "what is absent is null"},
	typeWithoutMetadata: {"type-without-metadata", "the member type is there without metadata=1"},
	noNestedType:        {"no-nested-type", "metadata=1 gives a type to the root only"},
	metadataOnItems:     {"metadata-on-items", "metadata=1 gives connections to nested resources too"},
	noConnections:       {"no-connections", "metadata=1 gives no connections"},
	fullNestedUsers:     {"full-nested-users", "nested users have a biog"},
	descriptionInLists:  {"description-in-lists", "listed cloudcasts have a description"},
	noDescription:       {"no-description", "full cloudcasts have no description"},
	falseHiddenStats:    {"false-hidden-stats", "hidden_stats is false where it should be absent"},
	realHiddenStats:     {"real-hidden-stats", "hidden counts are told"},
	zeroHiddenComments:  {"zero-hidden-comments", "hidden_stats zeroes the number of comments too"},
	plainTagNames:       {"plain-tag-names", "a tag under /genres/ has its plain name"},
	suffixedNestedTags:  {"suffixed-nested-tags", "a cloudcast's tags are called \"… shows\""},
	discoverKeys:        {"discover-keys", "keys of tags begin with /discover/"},
	noLatest:            {"no-latest", "tags have no latest list"},
	noHosts:             {"no-hosts", "cloudcasts have no hosts"},
	largeUserPictures:   {"large-user-pictures", "users have the two largest picture sizes too"},
	fractionalTimes:     {"fractional-times", "times have fractions of a second"},
	stringCounts:        {"string-counts", "numbers are strings"},
	noListenTime:        {"no-listen-time", "listens do not tell their time"},
	untypedActivities:   {"untyped-activities", "activities have no type without metadata=1"},
	oldCommentTime:      {"comment-created-time", "a comment's time is called created_time"},

	untilInclusive:        {"until-inclusive", "until is inclusive"},
	sinceInclusive:        {"since-inclusive", "since is inclusive"},
	oldestFirst:           {"oldest-first", "date-paged lists begin with the oldest item"},
	noPreviousOnFirstPage: {"no-previous-on-first-page", "the first page by date has no previous link"},
	nextOnShortPage:       {"next-on-short-page", "a short last page has a next link"},
	pagingPastEnd:         {"paging-past-end", "an empty page by date has an empty paging member"},
	noPreviousPastEnd:     {"no-previous-past-end", "an empty page by offset has no previous link"},
	offsetZeroKeepsDates:  {"offset-zero-keeps-dates", "offset=0 does not switch to links by offset"},
	offsetIgnored:         {"offset-ignored", "the offset is ignored"},
	offsetLinksAbsent:     {"offset-links-absent", "lists paged by offset have no links"},
	limitAboveCapHonoured: {"limit-above-100-honoured", "pages can have more than 100 items"},
	defaultLimitTen:       {"default-limit-10", "a page has 10 items by default"},
	unsortedLinks:         {"unsorted-links", "the parameters of links are not in alphabetical order"},
	linksWithoutLimit:     {"links-without-limit", "links do not tell the limit"},
	linksDropMetadata:     {"links-drop-metadata", "links do not repeat metadata=1"},
	isoTimesInLinks:       {"iso-times-in-links", "links have their times as 2015-04-29T18:59:19Z"},
	secondsIgnored:        {"seconds-ignored", "since and until as Unix seconds are ignored"},
	textTimesIgnored:      {"text-times-ignored", "since and until as text are ignored"},
	tokenInLinks:          {"token-in-links", "links repeat the access token"},
	noListNames:           {"no-list-names", "lists have no name"},
	namedFollowing:        {"named-following", "the following list has a name"},
	searchNamed:           {"search-named", "search results have a name"},
	searchPagedByDate:     {"search-paged-by-date", "search results are paged by date"},

	headerToken:             {"header-token", "a token in the Authorization header counts"},
	badTokenIgnored:         {"bad-token-ignored", "a wrong token is taken for none"},
	noViewerMembers:         {"no-viewer-members", "a token adds no members"},
	followerOnNested:        {"follower-on-nested", "nested users have the member follower"},
	currentUserOnOthers:     {"current-user-on-others", "is_current_user is false on others instead of absent"},
	meNeedsNoToken:          {"me-not-found", "/me/ without a token does not exist"},
	notFoundIs200:           {"not-found-200", "what does not exist is answered with status 200"},
	untypedErrors:           {"untyped-errors", "errors have no type"},
	bareErrors:              {"bare-errors", "errors are not wrapped in the member error"},
	rateLimitIs429:          {"rate-limit-429", "the rate limit answers with status 429"},
	retryAfterHeaderMissing: {"retry-after-header-missing", "the rate limit has no Retry-After header"},
	retryAfterBodyMissing:   {"retry-after-body-missing", "the rate limit's body has no retry_after"},

	embedJSONText:   {"embed-json-text", "embed-json is a bare string"},
	oEmbedThumbnail: {"oembed-thumbnail", "oEmbed calls the picture thumbnail_url"},
	oEmbedNoXML:     {"oembed-no-xml", "oEmbed ignores format=xml"},
}

// BrokenRules lists the names that [WithBroken] takes, sorted.
func BrokenRules() []string {
	names := make([]string, 0, ruleCount)
	for _, d := range deviations {
		names = append(names, d.name)
	}
	slices.Sort(names)
	return names
}

// BrokenRuleDoc says what an emulator with that broken rule does; "" for a name
// that [BrokenRules] does not list.
func BrokenRuleDoc(name string) string {
	for _, d := range deviations {
		if d.name == name {
			return d.doc
		}
	}
	return ""
}

// WithBroken makes the emulator break one rule of the API, named as in
// [BrokenRules]. It may be given more than once. Any other name is an error.
func WithBroken(name string) Option {
	return func(e *Emulator) error {
		for r, d := range deviations {
			if d.name == name {
				e.broken[r] = true
				return nil
			}
		}
		return fmt.Errorf("emulator: no rule is called %q", name)
	}
}

// breaks says whether the emulator was told to break a rule.
func (e *Emulator) breaks(r rule) bool { return e.broken[r] }
