package paging

import "encoding/base64"

// KindOf returns the kind in the first bytes of a cursor, or 0 if they contain
// none. It does not check the rest: only [Parse], which has the binding of the
// list, can validate a cursor.
func KindOf(cursor string) Kind {
	const head = 4 // base64 characters of three bytes, of which two are used
	if len(cursor) < head {
		return 0
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor[:head])
	if err != nil || b[0] != cursorVersion {
		return 0
	}
	switch kind := Kind(b[1]); kind {
	case ByTime, ByPage, ByOffset, ByOffsetPage, ByWrite:
		return kind
	}
	return 0
}
