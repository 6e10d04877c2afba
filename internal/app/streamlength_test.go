package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/uploadhttp"
)

// An uploadForm is the form of an upload that Mixcloud receives.
type uploadForm struct {
	length   int64 // -1 if chunked
	files    map[string]string
	names    map[string]string // the file names
	epilogue string
	err      error
}

// parseForm parses a form with the server's own reader, which must accept the forms that the server sends.
func parseForm(form []byte, boundary string) error {
	r := uploadhttp.NewMultipartReader(bytes.NewReader(form), boundary)
	for {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			return r.Finish()
		} else if err != nil {
			return err
		}
	}
}

// recordUpload makes the upload endpoint accept one upload. The channel receives its form.
func (h *testServer) recordUpload() <-chan uploadForm {
	forms := make(chan uploadForm, 1)
	h.handleUploads(func(w http.ResponseWriter, r *http.Request) {
		s := uploadForm{length: r.ContentLength, files: map[string]string{}, names: map[string]string{}}
		defer func() { forms <- s }()
		body, err := io.ReadAll(r.Body)
		if s.err = err; err != nil {
			return
		}
		_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil {
			s.err = err
			return
		}
		_, after, closed := bytes.Cut(body, []byte("\r\n--"+params["boundary"]+"--"))
		if !closed {
			s.err = errors.New("the form has no closing boundary")
			return
		}
		s.epilogue = string(after)
		if s.err = parseForm(body, params["boundary"]); s.err != nil {
			return
		}
		form, err := multipart.NewReader(bytes.NewReader(body), params["boundary"]).ReadForm(64 << 20)
		if s.err = err; err != nil {
			return
		}
		for field, files := range form.File {
			file, err := files[0].Open()
			if err != nil {
				s.err = err
				return
			}
			text, err := io.ReadAll(file)
			s.err, s.files[field], s.names[field] = err, string(text), files[0].Filename
		}
		_, _ = io.WriteString(w, `{"result":{"success":true,"message":"Taken","key":"/demo/on-the-water/"}}`)
	})
	return forms
}

// If a client declares the length of an upload or an edit, so does the server's call to Mixcloud, for every form that a client can send.
// If the client's body is chunked, so is the call's.
func TestStream_Length(t *testing.T) {
	t.Parallel()
	mp3 := mp3Head + strings.Repeat("sound\r\n--", 50_000)
	picture := jpegHead + strings.Repeat("picture", 5000)
	audio := formFile("mp3", "wave.mp3", "audio/mpeg") + mp3
	cover := formFile("picture", "cover.jpg", "image/jpeg") + picture
	bare := "--" + uploadBoundary + "\r\nContent-Disposition: form-data; name=picture; filename=x\r\n\r\n" + picture
	long := formFile("picture", strings.Repeat("n", 2800)+".jpg", "image/"+strings.Repeat("x", 90)) + picture
	longest := formFile("picture", strings.Repeat(`\"`, 8000)+".jpg", "image/jpeg") + picture
	control := formFile("picture", "a \"b\"\x7f\x1b.jpg", "image/jpeg") + picture
	end := strings.TrimSuffix(formEnd, "\r\n")
	uploadOf := func(files ...string) string { return uploadHead(t, nil, files...) }
	edit := formField("operations", `{"query":"mutation($p: Upload) { e: editCloudcast(input: {key: \"/demo/lunch-break-29082026/\", picture: $p}) { changed } }"}`) +
		formField("map", `{"picture":["variables.p"]}`)
	const longEpilogue = 110 << 10 // the server's own reader accepts the padded form
	for name, test := range map[string]struct {
		body  string
		files map[string]string
		name  string // the file name of the picture
	}{
		"one file":                  {uploadOf("mp3") + audio + formEnd, map[string]string{"mp3": mp3}, ""},
		"one file, no last CRLF":    {uploadOf("mp3") + audio + end, map[string]string{"mp3": mp3}, ""},
		"one file, 251 B epilogue":  {uploadOf("mp3") + audio + formEnd + strings.Repeat("e", 251), map[string]string{"mp3": mp3}, ""},
		"one file, 64 KiB epilogue": {uploadOf("mp3") + audio + formEnd + strings.Repeat("e", 64<<10), map[string]string{"mp3": mp3}, ""},
		"maximum lengths":           {uploadOf("mp3", "picture") + audio + "\r\n" + longest + end + strings.Repeat("e", longEpilogue), map[string]string{"mp3": mp3, "picture": picture}, strings.Repeat(`"`, 125) + ".jpg"},
		"a file name to be escaped": {uploadOf("mp3", "picture") + audio + "\r\n" + control + formEnd, map[string]string{"mp3": mp3, "picture": picture}, `a "b"__.jpg`},
		"picture last":              {uploadOf("mp3", "picture") + audio + "\r\n" + cover + formEnd, map[string]string{"mp3": mp3, "picture": picture}, "cover.jpg"},
		"picture first":             {uploadOf("mp3", "picture") + cover + "\r\n" + audio + formEnd, map[string]string{"mp3": mp3, "picture": picture}, "cover.jpg"},
		"short header last":         {uploadOf("mp3", "picture") + audio + "\r\n" + bare + end, map[string]string{"mp3": mp3, "picture": picture}, "x"},
		"long header last":          {uploadOf("mp3", "picture") + audio + "\r\n" + long + formEnd, map[string]string{"mp3": mp3, "picture": picture}, strings.Repeat("n", 251) + ".jpg"},
		"long header first":         {uploadOf("mp3", "picture") + long + "\r\n" + audio + formEnd, map[string]string{"mp3": mp3, "picture": picture}, strings.Repeat("n", 251) + ".jpg"},
		"an edit":                   {edit + cover + formEnd, map[string]string{"picture": picture}, "cover.jpg"},
	} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, chunked %v", name, chunked), func(t *testing.T) {
				t.Parallel()
				h := newTestServer(t, serverOptions{listen: true})
				forms := h.recordUpload()
				length := int64(len(test.body))
				if chunked {
					length = -1
				}
				c := h.startUpload(t, length)
				if err := c.send(test.body); err != nil {
					t.Fatal(err)
				}
				if status, text := c.finish(t); status != 200 || !strings.Contains(text, `"changed":true`) {
					t.Fatalf("status = %d, want 200 with changed: %s", status, text)
				}
				form := <-forms
				if form.err != nil || (form.length < 0) != chunked {
					t.Fatalf("length of the call's body = %d, want chunked = %t (error %v)", form.length, chunked, form.err)
				}
				for field, want := range test.files {
					if form.files[field] != want {
						t.Errorf("%s: Mixcloud received %d bytes, want %d unchanged", field, len(form.files[field]), len(want))
					}
				}
				if form.names["picture"] != test.name {
					t.Errorf("file name of the picture = %q, want %q", form.names["picture"], test.name)
				}
				most := 4 << 10 // bytes of padding, in addition to the client's epilogue
				if name == "maximum lengths" {
					most = 20 << 10
				}
				_, own, _ := strings.Cut(test.body, end)
				if strings.Trim(form.epilogue, "\r\n") != "" || len(form.epilogue) >= most+len(own) || chunked && form.epilogue != "\r\n" {
					t.Errorf("epilogue has %d bytes, want less than %d and only line breaks", len(form.epilogue), most+len(own))
				}
			})
		}
	}
}

// The call of an edit without a file declares its length.
func TestStream_LengthOfEdit(t *testing.T) {
	t.Parallel()
	h := newTestServer(t, serverOptions{listen: true})
	forms := h.recordUpload()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/graphql",
		strings.NewReader(`{"query":"mutation { editCloudcast(input: {key: \"/demo/lunch-break-29082026/\", name: \"x\"}) { changed } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer demo-token")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if form := <-forms; form.err != nil || form.length <= 0 {
		t.Errorf("length of the call's body = %d, want a positive one (error %v)", form.length, form.err)
	}
}

// If Mixcloud closes the connection, the client gets an error at once, although it has not sent the whole file and sends nothing.
func TestStream_MixcloudDisconnects(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{"before the file": "", "after one byte": "I", "within the file": mp3Head + strings.Repeat("x", 10_000)} {
		for _, length := range []int64{1 << 30, -1} {
			for _, reads := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, length %d, Mixcloud reads %t", name, length, reads), func(t *testing.T) {
					t.Parallel()
					h := newTestServer(t, serverOptions{listen: true})
					h.handleUploads(func(w http.ResponseWriter, r *http.Request) {
						if reads {
							_, _ = r.Body.Read(make([]byte, 10))
						}
						conn, _, err := http.NewResponseController(w).Hijack()
						if err != nil {
							t.Error(err)
							return
						}
						_ = conn.Close()
					})
					c := h.startUpload(t, length)
					began := time.Now()
					if err := c.send(uploadHead(t, nil, "mp3"), formFile("mp3", "x.mp3", "audio/mpeg")+sent); err != nil {
						t.Fatal(err)
					}
					status, text := c.readResponse(t)
					if status != 200 || !strings.Contains(text, "UPSTREAM_UNAVAILABLE") {
						t.Errorf("status = %d, want 200 with UPSTREAM_UNAVAILABLE: %s", status, text)
					}
					if took := time.Since(began); took > 15*time.Second { // far less than the minute that a client may pause
						t.Errorf("response took %v, want at most 15s", took)
					}
				})
			}
		}
	}
}
