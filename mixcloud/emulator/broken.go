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
	redirectBody
	limitHeaders

	// Keys.
	decodedKeys
	encodedSlugs
	caseSensitiveUsers
	canonicalLinks
	namesFirst
	otherFullKeys
	urlsOnAPI

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
	leanUsers
	fewShowPictures
	hashColors
	noSections
	noRootType
	fiveConnections
	repostersConnection
	typedEnvelopes
	untimedListeners
	countedPlaylists
	oldMemberOrder
	emptySections

	// Lists.
	noFeed
	hotIsNew
	hotNamedNew
	noOldTagPaths
	tagConnectionsOfToday
	noTagPopular
	noTagNewAndHot
	noAll
	noJoinedTags
	noCityPages
	noCityLists
	noCloudcastSearch
	noUploadSearch
	noUserSearch
	noTagSearch
	searchNeedsType
	noCloudcastComments
	noCloudcastFavorites
	noListeners
	noSimilar
	noPlaylists
	noPlaylistCloudcasts
	noCategories
	noCategoryCloudcasts
	noCategoryUsers
	categoryLimits
	noArtists
	noListenLater
	unnamedCloudcastLists
	fourTagConnections

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
	offsetLinksByDefault
	shiftedLinkTimes
	sinceNewest
	badDatesEmpty
	linksKeepBounds
	offsetLinksByOne
	previousAtOffsetZero
	noNextOnFullLastPage
	negativeOffsetEmpty
	otherSchemeLinks
	pageCapFifty
	limitZeroEmpty
	negativeLimitOne

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
	tokenRefusals401
	meKey
	noSuchUserWords
	noSuchCloudcastWords
	noSuchTagWords

	// Embeds.
	embedJSONText
	oEmbedThumbnail
	oEmbedNoXML
	oEmbedNoAuthor
	embedHTMLJSON
	embedIgnoresSize
	noWidget

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
	redirectBody:       {"redirect-body", "the redirect has a page of HTML"},
	limitHeaders:       {"rate-limit-headers", "every answer tells what is left of the rate limit"},

	decodedKeys:        {"decoded-keys", "keys and URLs are not percent-encoded"},
	encodedSlugs:       {"encoded-slugs", "slugs and user names are percent-encoded"},
	caseSensitiveUsers: {"case-sensitive-users", "user names are found in their own case only"},
	canonicalLinks:     {"canonical-links", "paging links have the user name's own case instead of the requested one"},
	namesFirst:         {"names-first", "the first member of a resource is its name instead of its key"},
	otherFullKeys:      {"other-full-keys", "a cloudcast looked up by its key has another one"},
	urlsOnAPI:          {"urls-on-api", "the member url points at the API"},

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
	leanUsers:           {"lean-users", "full users have no flags is_pro and is_premium"},
	fewShowPictures:     {"few-cloudcast-pictures", "cloudcasts lack the two largest picture sizes"},
	hashColors:          {"hash-colors", "colors begin with #"},
	noSections:          {"no-sections", "full cloudcasts have no sections"},
	noRootType:          {"no-root-type", "metadata=1 gives a type to nested resources only"},
	fiveConnections:     {"five-connections", "metadata=1 gives a user's documented connections only"},
	repostersConnection: {"reposters-connection", "metadata=1 gives cloudcasts a connection reposters"},
	typedEnvelopes:      {"typed-envelopes", "metadata=1 gives lists a type"},
	untimedListeners:    {"untimed-listeners", "a cloudcast's listeners have no listen_time"},
	countedPlaylists:    {"counted-playlists", "playlists have a cloudcast_count"},
	oldMemberOrder:      {"old-member-order", "comments and activities do not begin with their key, and is_exclusive is near the end"},
	emptySections:       {"empty-sections", "the list of sections is always empty"},

	noFeed:                {"no-feed", "users have no feed"},
	hotIsNew:              {"hot-is-new", "/popular/hot/ holds what /new/ holds"},
	hotNamedNew:           {"hot-named-new", "/popular/hot/ is called New Cloudcasts"},
	noOldTagPaths:         {"no-old-tag-paths", "tags are found under /genres/ only"},
	tagConnectionsOfToday: {"tag-connections-of-today", "a tag's connections are under /genres/ whatever was asked for"},
	noTagPopular:          {"no-tag-popular", "tags have no popular list"},
	noTagNewAndHot:        {"no-tag-new-and-hot", "tags have neither a new nor a hot list"},
	noAll:                 {"no-all", "all is a tag that does not exist"},
	noJoinedTags:          {"no-joined-tags", "several tags joined by + do not exist"},
	noCityPages:           {"no-city-pages", "cities have lists, and no page of their own"},
	noCityLists:           {"no-city-lists", "cities have no lists"},
	noCloudcastSearch:     {"no-cloudcast-search", "search with type=cloudcast finds nothing"},
	noUploadSearch:        {"no-upload-search", "search with type=upload finds nothing"},
	noUserSearch:          {"no-user-search", "search with type=user finds nothing"},
	noTagSearch:           {"no-tag-search", "search with type=tag finds nothing"},
	searchNeedsType:       {"search-needs-type", "search without a type finds nothing"},
	noCloudcastComments:   {"no-cloudcast-comments", "cloudcasts have no list of comments"},
	noCloudcastFavorites:  {"no-cloudcast-favorites", "cloudcasts have no list of favorites"},
	noListeners:           {"no-listeners", "cloudcasts have no list of listeners"},
	noSimilar:             {"no-similar", "cloudcasts have no list of similar ones"},
	noPlaylists:           {"no-playlists", "users have no list of playlists"},
	noPlaylistCloudcasts:  {"no-playlist-cloudcasts", "playlists have no list of cloudcasts"},
	noCategories:          {"no-categories", "categories are not listed"},
	noCategoryCloudcasts:  {"no-category-cloudcasts", "categories have no list of cloudcasts"},
	noCategoryUsers:       {"no-category-users", "categories have no list of users"},
	categoryLimits:        {"category-limits", "the lists of categories have pages"},
	noArtists:             {"no-artists", "artists have no page"},
	noListenLater:         {"no-listen-later", "there is no listen-later list"},
	unnamedCloudcastLists: {"unnamed-cloudcast-lists", "the lists of a cloudcast have no name"},
	fourTagConnections:    {"four-tag-connections", "metadata=1 gives tags the connections new and hot too"},

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
	offsetLinksByDefault:  {"offset-links-by-default", "all lists link by offset"},
	shiftedLinkTimes:      {"shifted-link-times", "the times of links are a second before those of the items"},
	sinceNewest:           {"since-newest", "since alone gives the newest items of the list"},
	badDatesEmpty:         {"bad-dates-empty", "an unreadable until gives an empty page"},
	linksKeepBounds:       {"links-keep-bounds", "links by date keep the other bound of the request"},
	offsetLinksByOne:      {"offset-links-by-one", "links by offset lead one item further, whatever the limit"},
	previousAtOffsetZero:  {"previous-at-offset-zero", "the first page by offset has a previous link"},
	noNextOnFullLastPage:  {"no-next-on-full-last-page", "a full last page has no next link"},
	negativeOffsetEmpty:   {"negative-offset-empty", "a negative offset gives an empty page"},
	otherSchemeLinks:      {"other-scheme-links", "links are https where the request is http, and the other way round"},
	pageCapFifty:          {"page-cap-50", "pages have at most 50 items"},
	limitZeroEmpty:        {"limit-zero-empty", "a limit of 0 gives an empty page"},
	negativeLimitOne:      {"negative-limit-one", "a negative limit counts as 1"},

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
	tokenRefusals401:        {"token-refusals-401", "a missing or wrong token is answered with status 401"},
	meKey:                   {"me-key", "the key of the user at /me/ is /me/"},
	noSuchUserWords:         {"no-such-user-words", "what is said of a user that does not exist says nothing of users"},
	noSuchCloudcastWords:    {"no-such-cloudcast-words", "what is said of a cloudcast that does not exist says nothing of cloudcasts"},
	noSuchTagWords:          {"no-such-tag-words", "what is said of a tag that does not exist says nothing of tags"},

	embedJSONText:    {"embed-json-text", "embed-json is a bare string"},
	oEmbedThumbnail:  {"oembed-thumbnail", "oEmbed calls the picture thumbnail_url"},
	oEmbedNoXML:      {"oembed-no-xml", "oEmbed ignores format=xml"},
	oEmbedNoAuthor:   {"oembed-no-author", "oEmbed does not tell the author"},
	embedHTMLJSON:    {"embed-html-json", "embed-html is what embed-json is"},
	embedIgnoresSize: {"embed-ignores-size", "players have the same size whatever was asked for"},
	noWidget:         {"no-widget", "the site has no page for the player"},
}

// gone are the routes that a rule takes away when it is broken.
var gone = map[rule][]string{
	noFeed:               {"/{user}/feed/", "/me/feed/"},
	noOldTagPaths:        {"/tag/{tags}/", "/discover/{tags}/"},
	noCloudcastComments:  {"/{user}/{cloudcast}/comments/"},
	noCloudcastFavorites: {"/{user}/{cloudcast}/favorites/"},
	noListeners:          {"/{user}/{cloudcast}/listeners/"},
	noSimilar:            {"/{user}/{cloudcast}/similar/"},
	noPlaylists:          {"/{user}/playlists/", "/me/playlists/"},
	noPlaylistCloudcasts: {"/{user}/playlists/{playlist}/cloudcasts/"},
	noCategories:         {"/categories/"},
	noCategoryCloudcasts: {"/categories/{category}/cloudcasts/"},
	noCategoryUsers:      {"/categories/{category}/users/"},
	noArtists:            {"/artist/{artist}/"},
	noListenLater:        {"/{user}/listen-later/", "/me/listen-later/"},
}

// otherWords are messages that a broken rule replaces.
var otherWords = map[string]rule{
	noUser:      noSuchUserWords,
	noCloudcast: noSuchCloudcastWords,
	noTag:       noSuchTagWords,
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
				e.gone = append(e.gone, gone[rule(r)]...)
				return nil
			}
		}
		return fmt.Errorf("emulator: no rule is called %q", name)
	}
}

// breaks says whether the emulator was told to break a rule.
func (e *Emulator) breaks(r rule) bool { return e.broken[r] }
