package telemetry

import (
	"fmt"
	"regexp"
)

var secret = regexp.MustCompile(`(?i)(access_token|client_secret|code)(=|%3D)[^&\s"'<>]*`)

// Panicked tells what was recovered, fit for a log: its words may be anybody's,
// such as a transport's that quotes an address with a token in it.
func Panicked(p any) string {
	return secret.ReplaceAllString(fmt.Sprint(p), "$1=[redacted]")
}
