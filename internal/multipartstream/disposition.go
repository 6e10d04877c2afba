package multipartstream

import (
	"mime"
	"regexp"
)

// sanitize replaces the control characters of a part's headers, which
// net/textproto refuses: a browser sends those of a file name as they are. Tabs
// and line breaks stay.
func sanitize(headers []byte) []byte {
	for i, c := range headers {
		lineBreak := c == '\n' || c == '\r' && i+1 < len(headers) && headers[i+1] == '\n'
		if (c < ' ' || c == 0x7f) && c != '\t' && !lineBreak {
			headers[i] = '_'
		}
	}
	return headers
}

// unescaped fits the Content-Disposition of a client that does not escape the
// quotes and backslashes of a file name: the name ends with the last quote.
var unescaped = regexp.MustCompile(`^(?i:form-data)\s*;\s*name="([^"\\]*)"\s*;\s*filename="(.*)"\s*$`)

// setDisposition sets the names that the part's Content-Disposition gives, and
// reports whether it has a form that a reader can take.
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
