package resolvers

import (
	"encoding/binary"
	"math/bits"
	"net/http"
	"strings"
)

// sniff detects the media type of a file from its first bytes. It returns "" if they do not
// identify it. Some signatures that net/http accepts have only two to four bytes, and audio data
// can start with them. For these types the header after the signature is checked too.
func sniff(head []byte) string {
	mediaType, _, _ := strings.Cut(http.DetectContentType(head), ";")
	if valid := validHeader[mediaType]; valid != nil && (len(head) < minHeader || !valid(head)) {
		return ""
	}
	return mediaType
}

// minHeader is the number of bytes that the functions of validHeader need.
const minHeader = 36

// validHeader contains, for each type with a short signature, a function that checks the header.
var validHeader = map[string]func(head []byte) bool{
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

// notAudio reports whether a file of this type is certainly not audio. All others are sent,
// including audio other than MP3, and Mixcloud decides. Video containers are sent too, because
// their first bytes do not show whether they contain only audio.
func notAudio(mediaType string) bool {
	switch mediaType {
	case "video/mp4", "video/webm":
		return false
	}
	return neitherAudioNorPicture(mediaType) || strings.HasPrefix(mediaType, "image/")
}

// notPicture reports whether a file of this type is certainly not a picture.
func notPicture(mediaType string) bool {
	return neitherAudioNorPicture(mediaType) || strings.HasPrefix(mediaType, "audio/") || mediaType == "application/ogg"
}

// neitherAudioNorPicture reports whether a file of this type is certainly neither.
func neitherAudioNorPicture(mediaType string) bool {
	switch mediaType {
	case "text/html", "text/xml", "application/pdf", "application/postscript", "application/zip",
		"application/x-gzip", "application/x-rar-compressed", "application/wasm", "application/vnd.ms-fontobject":
		return true
	}
	return strings.HasPrefix(mediaType, "video/") || strings.HasPrefix(mediaType, "font/")
}
