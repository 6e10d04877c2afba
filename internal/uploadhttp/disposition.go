package uploadhttp

import (
	"mime"
	"regexp"
)

// sanitize replaces the control characters of a part's headers with underscores, because
// net/textproto refuses them, and browsers do not escape them in file names. It does not change
// tabs and line breaks.
func sanitize(headers []byte) []byte {
	for i, c := range headers {
		lineBreak := c == '\n' || c == '\r' && i+1 < len(headers) && headers[i+1] == '\n'
		if (c < ' ' || c == 0x7f) && c != '\t' && !lineBreak {
			headers[i] = '_'
		}
	}
	return headers
}

// unescaped matches the Content-Disposition of a client that does not escape the quotes and
// backslashes of a file name: the name ends at the last quote.
var unescaped = regexp.MustCompile(`^(?i:form-data)\s*;\s*name="([^"\\]*)"\s*;\s*filename="(.*)"\s*$`)

// setDisposition sets the names of the part from its Content-Disposition, and reports whether
// that is well-formed enough.
func (p *Part) setDisposition(value string) bool {
	kind, params, err := mime.ParseMediaType(value)
	if err == nil && kind == "form-data" {
		p.Name = params["name"]
		p.Filename, p.IsFile = params["filename"]
		return true
	}
	names := unescaped.FindStringSubmatch(value)
	if names == nil {
		return false
	}
	p.Name, p.Filename, p.IsFile = names[1], names[2], true
	return true
}
