package resolvers

import (
	"encoding/binary"
	"math/bits"
	"net/http"
	"strings"
)

// sniff returns the media type of a file by its first bytes, "" if they do not
// identify it. net/http accepts some signatures of two to four bytes that sound
// can begin with; of these the header behind the signature must fit too.
func sniff(head []byte) string {
	kind, _, _ := strings.Cut(http.DetectContentType(head), ";")
	if fits := headers[kind]; fits != nil && (len(head) < weakest || !fits(head)) {
		return ""
	}
	return kind
}

// weakest is how many bytes the functions of headers read at most.
const weakest = 36

// headers check the header of the types whose signature is weak.
var headers = map[string]func(head []byte) bool{
	"image/bmp":                     isBitmap,
	"image/x-icon":                  isIcon,
	"font/ttf":                      isTrueType,
	"application/vnd.ms-fontobject": isEmbeddedFont,
	"application/x-gzip":            func(head []byte) bool { return head[3]&0xe0 == 0 }, // reserved flags (RFC 1952)
}

// isBitmap checks the reserved bytes of the file header and the size of the
// header that follows it.
func isBitmap(head []byte) bool {
	le := binary.LittleEndian
	switch le.Uint32(head[14:]) {
	case 12, 16, 40, 52, 56, 64, 108, 124:
		return le.Uint32(head[6:]) == 0
	}
	return false
}

// isIcon checks the number of images and the reserved byte of the first.
func isIcon(head []byte) bool {
	count := binary.LittleEndian.Uint16(head[4:])
	return count >= 1 && count <= 256 && head[9] == 0
}

// isTrueType checks the number of tables and the search range derived from it.
func isTrueType(head []byte) bool {
	be := binary.BigEndian
	tables := be.Uint16(head[4:])
	return tables > 0 && tables < 256 && be.Uint16(head[6:]) == 16<<(bits.Len16(tables)-1)
}

// isEmbeddedFont checks the version of the format.
func isEmbeddedFont(head []byte) bool {
	switch binary.LittleEndian.Uint32(head[8:]) {
	case 0x10000, 0x20001, 0x20002:
		return true
	}
	return false
}

// notAudio recognises what is certainly no audio. Anything else, other audio
// than MP3 included, is Mixcloud's to judge; so are the containers that may hold
// audio alone, which their first bytes do not tell.
func notAudio(kind string) bool {
	switch kind {
	case "video/mp4", "video/webm":
		return false
	}
	return foreign(kind) || strings.HasPrefix(kind, "image/")
}

// notPicture recognises what is certainly no picture.
func notPicture(kind string) bool {
	return foreign(kind) || strings.HasPrefix(kind, "audio/") || kind == "application/ogg"
}

// foreign recognises by their signature things that are neither.
func foreign(kind string) bool {
	switch kind {
	case "text/html", "text/xml", "application/pdf", "application/postscript", "application/zip",
		"application/x-gzip", "application/x-rar-compressed", "application/wasm", "application/vnd.ms-fontobject":
		return true
	}
	return strings.HasPrefix(kind, "video/") || strings.HasPrefix(kind, "font/")
}
