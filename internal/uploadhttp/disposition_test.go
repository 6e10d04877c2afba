package uploadhttp

import (
	"strings"
	"testing"
)

// TestMultipartReader_filenames accepts the file names that clients send, escaped or not.
func TestMultipartReader_filenames(t *testing.T) {
	t.Parallel()
	for disposition, want := range map[string]string{
		`form-data; name="0"; filename="a.mp3"`:                              "a.mp3",
		`form-data; name=0; filename=a.mp3`:                                  "a.mp3",
		`form-data; filename="a.mp3"; name="0"`:                              "a.mp3",
		`form-data; name="0"; filename="a \"b\" \\.mp3"`:                     `a "b" \.mp3`,
		`form-data; name="0"; filename="a %22b%22.mp3"`:                      "a %22b%22.mp3",
		`form-data; name="0"; filename="a "b".mp3"`:                          `a "b".mp3`,
		`Form-Data;name="0";filename="""`:                                    `"`,
		`form-data; name="0"; filename="a\"`:                                 `a\`,
		`form-data; name="0"; filename="C:\music\a.mp3"`:                     `C:\music\a.mp3`,
		`form-data; name="0"; filename="a"; name="1".mp3"`:                   `a"; name="1".mp3`,
		"form-data; name=\"0\"; filename=\"a\x7fb\x00\x1b[1m\rc\td.mp3\"":    "a_b__[1m_c\td.mp3",
		"form-data; name=\"0\"; filename=\"caf\xe9 \u2028é\"":                "caf\xe9 \u2028é",
		`form-data; name="0"; filename=""`:                                   "",
		`form-data; name="0"; filename="` + strings.Repeat(`\"`, 4000) + `"`: strings.Repeat(`"`, 4000),
	} {
		form := "--b\r\nContent-Disposition: " + disposition + "\r\nContent-Type: audio/mpeg\r\n\r\ncontent\r\n--b--\r\n"
		r := NewMultipartReader(strings.NewReader(form), "b")
		p, err := r.Next()
		if err != nil {
			t.Errorf("%s: Next failed: %v", disposition, err)
			continue
		}
		if p.Name != "0" || !p.IsFile || p.Filename != want || p.Header.Get("Content-Type") != "audio/mpeg" {
			t.Errorf("%s: file name %q, field %q, file %t, Content-Type %q; want %q, \"0\", true, audio/mpeg", disposition, p.Filename, p.Name, p.IsFile, p.Header.Get("Content-Type"), want)
		}
	}
	for _, disposition := range []string{
		"", "attachment; name=0", `form-data; name="0"; name="1"`, `form-data; name="0" filename="a"`,
		`form-data; filename="a "b".mp3"; name="0"`, `form-data; name="a"b"; filename="c"`, `form-data; name="0"; filename="a`,
	} {
		form := "--b\r\nContent-Disposition: " + disposition + "\r\n\r\ncontent\r\n--b--\r\n"
		if p, err := NewMultipartReader(strings.NewReader(form), "b").Next(); err == nil {
			t.Errorf("%s: Next accepted file %q of field %q, want an error", disposition, p.Filename, p.Name)
		}
	}
}
