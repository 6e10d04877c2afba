package telemetry

import (
	"fmt"
	"regexp"
)

var secret = regexp.MustCompile(`(?i)(access_token|client_secret|code)(=|%3D)[^&\s"'<>]*`)

// Panicked describes a recovered value for the log. Its text may contain secrets, such as an
// address with a token that a transport quotes.
func Panicked(p any) string {
	return secret.ReplaceAllString(fmt.Sprint(p), "$1=[redacted]")
}
