package world

import "hash/fnv"

// primaryColor is the colour that a picture is remembered by.
func primaryColor(picture string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(picture))
	const hex = "0123456789abcdef"
	v := h.Sum32()
	b := make([]byte, 6)
	for i := range b {
		b[i] = hex[v&15]
		v >>= 4
	}
	return string(b)
}
