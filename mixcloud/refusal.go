package mixcloud

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The API's names of errors that were recorded or are relied on by clients.
const (
	typeRateLimit = "RateLimitException"
	typeOAuth     = "OAuthException"
	typeNotFound  = "ResourceNotFoundException"
)

const (
	maxMessage = 500
	maxType    = 100
	maxWait    = 30 * 24 * time.Hour
)

// isFailure tells whether a success holds nothing but an error: a widget of
// 2016 met one in its success callback.
func isFailure(v value) bool {
	if !strings.Contains(string(v), `"error"`) {
		return false // most answers: spares a walk over all of it
	}
	failure, content := false, false
	for name, m := range v.members() {
		switch name {
		case "error":
			failure = m.first() == '{' || m.first() == '"'
		case "key", "data", "html", "result":
			content = true
		}
	}
	return failure && !content
}

// refusal makes the error of an answer that is no success. body is "" if the
// answer was no JSON.
func refusal(status int, header http.Header, body value) *Error {
	e := &Error{Status: status, Answered: body != ""}
	envelope := body.member("error")
	var words string
	if envelope.first() == '"' { // the OAuth endpoint's form
		words = envelope.text()
		e.Err = quotedError(words)
	} else {
		e.Type, e.Message = envelope.member("type").text(), envelope.member("message").text()
		words = e.Message
	}
	e.Details = details(body)
	wait := envelope.member("retry_after")
	e.RetryAfter = waitOf(header, wait, words)
	switch {
	case e.Type == typeOAuth:
		e.Kind = ErrUnauthenticated
	case e.Type == typeRateLimit:
		e.Kind = ErrRateLimited
	case e.Type == typeNotFound:
		e.Kind = ErrNotFound
	case status == http.StatusForbidden && body != "" && e.RetryAfter > 0:
		e.Kind = ErrRateLimited
	case aboutToken.MatchString(words):
		e.Kind = ErrUnauthenticated
	default:
		e.Kind = kindOf(status, body != "")
	}
	if body == "" && e.Kind == ErrBadResponse {
		e.Err = errNotJSON
	}
	if status == http.StatusProxyAuthRequired {
		e.Local = "the proxy wants credentials"
	}
	return e
}

// A quotedError holds words of an answer that are for the log alone: they are
// not what the API documents as its message.
type quotedError string

// Error implements error.
func (e quotedError) Error() string { return strconv.Quote(string(e)) }

// kindOf judges an answer by its status alone. A 4xx is a sign of life: what
// wrote it looked at the call, and another try will not help. Exceptions are a 403
// that is no JSON, which is a bot protection's, those that ask for another try,
// and a 407, which a proxy of this machine has sent.
func kindOf(status int, isJSON bool) error {
	switch status {
	case http.StatusNotFound, http.StatusGone:
		return ErrNotFound
	case http.StatusUnauthorized:
		return ErrUnauthenticated
	case http.StatusTooManyRequests:
		return ErrRateLimited
	case http.StatusPaymentRequired, http.StatusLocked, http.StatusUnavailableForLegalReasons:
		return ErrForbidden
	case http.StatusForbidden:
		if isJSON {
			return ErrForbidden
		}
		return ErrUnavailable
	case http.StatusRequestTimeout, http.StatusMisdirectedRequest, http.StatusTooEarly, http.StatusProxyAuthRequired:
		return ErrUnavailable
	case http.StatusNotImplemented:
		return ErrRefused
	}
	switch status / 100 {
	case 4:
		return ErrRefused
	case 5:
		return ErrUnavailable
	}
	if status >= 600 {
		return ErrUnavailable
	}
	return ErrBadResponse
}

// aboutToken fits both messages that are known for a token that is missing or
// wrong, should they come without their type: only one was recorded with it.
var aboutToken = regexp.MustCompile(`(?i)access[_ ]token .*(required|provided)`)

var waitInWords = regexp.MustCompile(`(?i)retry after (\d+(?:\.\d+)?) second`)

// waitOf is how long to wait: the header first, as clients do, then the body's
// member, then its words.
func waitOf(header http.Header, member value, message string) time.Duration {
	if after := header.Get("Retry-After"); after != "" {
		if wait, ok := seconds(after); ok {
			return wait
		}
		if t, err := http.ParseTime(after); err == nil {
			return min(max((t.Sub(sentAt(header))+time.Second-1).Truncate(time.Second), 0), maxWait)
		}
	}
	if wait, ok := seconds(member.text()); ok {
		return wait
	}
	if words := waitInWords.FindStringSubmatch(message); words != nil {
		wait, _ := seconds(words[1])
		return wait
	}
	return 0
}

// sentAt is when an answer was sent, by the clock of who sent it: ours may be
// wrong.
func sentAt(header http.Header) time.Time {
	if t, err := http.ParseTime(header.Get("Date")); err == nil {
		return t
	}
	return time.Now()
}

// seconds reads a number of seconds, parts of one too: a call that comes a little
// before the wait is over is refused again. What is negative is no wait, and what
// is huge the longest.
func seconds(text string) (wait time.Duration, ok bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || math.IsNaN(n) {
		return 0, false
	}
	n = min(max(n, 0), maxWait.Seconds())
	return time.Duration(math.Ceil(n*1000)) * time.Millisecond, true
}

// finish makes an error fit to leave the package: it names the call, and has
// neither the token nor anything unprintable.
func finish(err error, r request, status int) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Kind: ErrUnavailable, Err: err}
	}
	e.Op = r.op
	if r.public && e.Kind == ErrUnauthenticated { // no token would help
		e.Kind = ErrForbidden
	}
	if e.Status == 0 {
		e.Status = status
	}
	e.Type = plain(e.Type, r.token, maxType)
	e.Message = plain(e.Message, r.token, maxMessage)
	plainDetails(e.Details, r.token)
	if quoted, ok := e.Err.(quotedError); ok {
		e.Err = quotedError(plain(string(quoted), r.token, maxMessage))
	} else if e.Err != nil {
		// A transport of the caller's may have put the address into its words.
		if text := e.Err.Error(); scrub(text, r.token) != text {
			e.Err = errors.New(scrub(text, r.token))
		}
	}
	return e
}

var tokenInQuery = regexp.MustCompile(`(?i)(access_token|client_secret)(=|%3D)[^&\s"'<>]*`)

const (
	// minSecret is the shortest token that is redacted: removing a shorter one
	// would spoil words that happen to contain it.
	minSecret = 8
	// minUnique is the length from which a token is no ordinary word, so that it
	// is redacted within a longer word too. Mixcloud's tokens have 32 characters.
	minUnique = 16
)

// scrub removes a token from words that came from elsewhere: plain, quoted and
// percent-encoded.
func scrub(s string, token credential) string {
	s = tokenInQuery.ReplaceAllString(s, "${1}=[redacted]")
	if token == nil || len(*token) < minSecret {
		return s
	}
	for _, form := range []string{*token, url.QueryEscape(*token), url.PathEscape(*token), strings.Trim(strconv.Quote(*token), `"`)} {
		s = redact(s, form)
	}
	return s
}

// redact replaces a secret; one that may be an ordinary word only where it
// stands as a word of its own.
func redact(s, secret string) string {
	var b strings.Builder
	for from := 0; ; {
		at := strings.Index(s[from:], secret)
		if at < 0 {
			if b.Len() == 0 {
				return s
			}
			return b.String() + s[from:]
		}
		at += from
		end := at + len(secret)
		if len(secret) < minUnique && (endsInWord(s[:at]) || beginsWithWord(s[end:])) {
			b.WriteString(s[from : at+1])
			from = at + 1
			continue
		}
		b.WriteString(s[from:at] + "[redacted]")
		from = end
	}
}

// percentEncoded fits the end of a text that is one percent-encoded byte.
var percentEncoded = regexp.MustCompile(`%[0-9A-Fa-f]{2}$`)

func endsInWord(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return isWord(r) && !percentEncoded.MatchString(s[max(0, len(s)-3):])
}

func beginsWithWord(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return isWord(r)
}

func isWord(r rune) bool {
	return r == '_' || r == '-' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
