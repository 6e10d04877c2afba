package paging

import "encoding/base64"

// KindOf returns the kind that the first bytes of a cursor name, or 0 if they
// name none. It does not check the rest: only [Parse], which knows the list,
// can say that the text is a cursor.
func KindOf(cursor string) Kind {
	const head = 4 // characters of base64 for three bytes, of which two count
	if len(cursor) < head {
		return 0
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor[:head])
	if err != nil || b[0] != cursorVersion {
		return 0
	}
	switch kind := Kind(b[1]); kind {
	case ByTime, ByPage, ByOffset, ByWindow, ByWrite:
		return kind
	}
	return 0
}
