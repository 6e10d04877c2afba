package paging

import "encoding/base64"

// KindOf tells by its head what kind of cursor a text would be, before it is
// known of which list; 0 for one of no kind that there is. That it is a cursor
// at all only [Parse] can say.
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
	case ByTime, ByPage, ByOffset:
		return kind
	}
	return 0
}
