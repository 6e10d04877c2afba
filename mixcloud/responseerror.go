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

// Types of errors that were recorded, or that clients rely on.
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

// isFailure reports whether a response with a success status contains only an error
// (client code: a widget of 2016 handles such responses).
func isFailure(v value) bool {
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

// responseError returns the error of a response that is not a success. body is absent
// if the response is not JSON.
func responseError(status int, header http.Header, body value) *Error {
	e := &Error{Status: status, FromAPI: body.first() != 0}
	envelope := body.member("error")
	var message string
	if envelope.first() == '"' { // a string, as in errors of OAuth
		message = envelope.text()
		e.Err = quotedError(message)
	} else {
		e.Type, e.Message = envelope.member("type").text(), envelope.member("message").text()
		message = e.Message
	}
	e.Details = details(body)
	wait := envelope.member("retry_after")
	e.RetryAfter = retryAfterOf(header, wait, message)
	switch {
	case e.Type == typeOAuth:
		e.Kind = ErrUnauthenticated
	case e.Type == typeRateLimit:
		e.Kind = ErrRateLimited
	case e.Type == typeNotFound:
		e.Kind = ErrNotFound
	case status == http.StatusForbidden && body.first() != 0 && e.RetryAfter > 0:
		e.Kind = ErrRateLimited
	case tokenMessage.MatchString(message):
		e.Kind = ErrUnauthenticated
	default:
		e.Kind = kindOfStatus(status, body.first() != 0)
	}
	if body.first() == 0 && e.Kind == ErrBadResponse {
		e.Err = errNotJSON
	}
	if status == http.StatusProxyAuthRequired {
		e.Local = "the proxy requires credentials"
	}
	return e
}

// A quotedError is a text from a response that is not the documented error
// message. It is for logs only.
type quotedError string

// Error implements error.
func (e quotedError) Error() string { return strconv.Quote(string(e)) }

// kindOfStatus returns the kind of an error by its status alone. After a 4xx a retry
// does not help, because the server is up and refused the call. The exceptions are a
// 403 that is not JSON, which comes from a bot protection, the statuses that request
// a retry (408, 421 and 425), and a 407, which comes from this machine's proxy.
func kindOfStatus(status int, isJSON bool) error {
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

// tokenMessage matches the two known messages about a missing or wrong token. It is
// used for errors without a type, because only one of the messages was recorded with
// its type.
var tokenMessage = regexp.MustCompile(`(?i)access[_ ]token .*(required|provided)`)

var retryAfterText = regexp.MustCompile(`(?i)retry after (\d+(?:\.\d+)?) second`)

// retryAfterOf returns how long to wait, from the header, else from the member of
// the body, else from the message.
func retryAfterOf(header http.Header, member value, message string) time.Duration {
	if after := header.Get("Retry-After"); after != "" {
		if wait, ok := seconds(after); ok {
			return wait
		}
		if t, err := http.ParseTime(after); err == nil {
			return min(max((t.Sub(sentTime(header))+time.Second-1).Truncate(time.Second), 0), maxWait)
		}
	}
	if wait, ok := seconds(member.text()); ok {
		return wait
	}
	if match := retryAfterText.FindStringSubmatch(message); match != nil {
		wait, _ := seconds(match[1])
		return wait
	}
	return 0
}

// sentTime returns the time at which a response was sent, by the server's clock,
// because the local clock may be wrong.
func sentTime(header http.Header) time.Time {
	if t, err := http.ParseTime(header.Get("Date")); err == nil {
		return t
	}
	return time.Now()
}

// seconds reads a number of seconds and rounds it up to milliseconds, because
// Mixcloud refuses a call that is slightly too early. A negative number means 0, and
// one above maxWait means maxWait.
func seconds(text string) (wait time.Duration, ok bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || math.IsNaN(n) {
		return 0, false
	}
	n = min(max(n, 0), maxWait.Seconds())
	return time.Duration(math.Ceil(n*1000)) * time.Millisecond, true
}

// sanitizeError prepares an error for the caller: it adds the name of the method
// and the status, and removes the token and unprintable characters.
func sanitizeError(err error, r request, status int) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Kind: ErrUnavailable, Err: err}
	}
	e.Op = r.op
	if r.anonymous && e.Kind == ErrUnauthenticated { // the call never sends a token
		e.Kind = ErrForbidden
	}
	if e.Status == 0 {
		e.Status = status
	}
	e.Type = sanitize(e.Type, r.token, maxType)
	e.Message = sanitize(e.Message, r.token, maxMessage)
	sanitizeDetails(e.Details, r.token)
	if quoted, ok := e.Err.(quotedError); ok {
		e.Err = quotedError(sanitize(string(quoted), r.token, maxMessage))
	} else if e.Err != nil {
		// The caller's transport may have put the URL into its error.
		if text := e.Err.Error(); scrub(text, r.token) != text {
			e.Err = errors.New(scrub(text, r.token))
		}
	}
	return e
}

var tokenInQuery = regexp.MustCompile(`(?i)(access_token|client_secret)(=|%3D)[^&\s"'<>]*`)

const (
	// minSecret is the minimum length of a token that is redacted. A shorter one
	// may be part of ordinary words.
	minSecret = 8
	// minUnique is the minimum length of a token that is also redacted within a
	// longer word, because it cannot be an ordinary word itself. Mixcloud's tokens
	// have 32 characters.
	minUnique = 16
)

// scrub replaces a token in a text from outside this package, in its plain, quoted
// and percent-encoded forms.
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

// redact replaces a secret. It does not replace a secret shorter than minUnique
// within a longer word.
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

// percentEncoded matches a percent-encoded byte at the end of a text.
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
