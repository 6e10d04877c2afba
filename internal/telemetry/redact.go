package telemetry

import (
	"fmt"
	"regexp"
)

var secret = regexp.MustCompile(`(?i)(access_token|client_secret|code)(=|%3D)[^&\s"'<>]*`)

// Panicked describes a recovered value for the log. It redacts secrets, because the text may
// contain them, such as a URL with a token.
func Panicked(p any) string {
	return secret.ReplaceAllString(fmt.Sprint(p), "$1=[redacted]")
}
