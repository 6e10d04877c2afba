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

// A submitted is the form of an upload as Mixcloud gets it.
type submitted struct {
	length   int64 // -1 when it is chunked
	files    map[string]string
	names    map[string]string
	epilogue string
	err      error
}

// readForm reads a form as this server does: it must take its own.
func readForm(form []byte, boundary string) error {
	r := uploadhttp.NewMultipartReader(bytes.NewReader(form), boundary)
	for {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			return r.Finish()
		} else if err != nil {
			return err
		}
	}
}

// submit reads a whole upload and reports that it was accepted.
func (h *testServer) submit() <-chan submitted {
	forms := make(chan submitted, 1)
	h.handleUploads(func(w http.ResponseWriter, r *http.Request) {
		s := submitted{length: r.ContentLength, files: map[string]string{}, names: map[string]string{}}
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
			s.err = errors.New("the form is not closed")
			return
		}
		s.epilogue = string(after)
		if s.err = readForm(body, params["boundary"]); s.err != nil {
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

// TestStream_length sends uploads and edits whose length is declared: so is that
// of what Mixcloud gets, for every form that a client sends. Chunked in is
// chunked out.
func TestStream_length(t *testing.T) {
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
	const whole = 110 << 10 // what this server makes of it is one that it takes itself
	for name, test := range map[string]struct {
		body  string
		files map[string]string
		name  string // of the picture
	}{
		"one file":                    {uploadOf("mp3") + audio + formEnd, map[string]string{"mp3": mp3}, ""},
		"one file, shortest end":      {uploadOf("mp3") + audio + end, map[string]string{"mp3": mp3}, ""},
		"one file, with an epilogue":  {uploadOf("mp3") + audio + formEnd + strings.Repeat("e", 251), map[string]string{"mp3": mp3}, ""},
		"one file, with 64 KiB of it": {uploadOf("mp3") + audio + formEnd + strings.Repeat("e", 64<<10), map[string]string{"mp3": mp3}, ""},
		"all at its longest":          {uploadOf("mp3", "picture") + audio + "\r\n" + longest + end + strings.Repeat("e", whole), map[string]string{"mp3": mp3, "picture": picture}, strings.Repeat(`"`, 125) + ".jpg"},
		"a name that is not escaped":  {uploadOf("mp3", "picture") + audio + "\r\n" + control + formEnd, map[string]string{"mp3": mp3, "picture": picture}, `a "b"__.jpg`},
		"picture last":                {uploadOf("mp3", "picture") + audio + "\r\n" + cover + formEnd, map[string]string{"mp3": mp3, "picture": picture}, "cover.jpg"},
		"picture first":               {uploadOf("mp3", "picture") + cover + "\r\n" + audio + formEnd, map[string]string{"mp3": mp3, "picture": picture}, "cover.jpg"},
		"short header last":           {uploadOf("mp3", "picture") + audio + "\r\n" + bare + end, map[string]string{"mp3": mp3, "picture": picture}, "x"},
		"long header last":            {uploadOf("mp3", "picture") + audio + "\r\n" + long + formEnd, map[string]string{"mp3": mp3, "picture": picture}, strings.Repeat("n", 251) + ".jpg"},
		"long header first":           {uploadOf("mp3", "picture") + long + "\r\n" + audio + formEnd, map[string]string{"mp3": mp3, "picture": picture}, strings.Repeat("n", 251) + ".jpg"},
		"an edit":                     {edit + cover + formEnd, map[string]string{"picture": picture}, "cover.jpg"},
	} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, chunked %v", name, chunked), func(t *testing.T) {
				t.Parallel()
				h := newTestServer(t, serverOptions{listen: true})
				forms := h.submit()
				length := int64(len(test.body))
				if chunked {
					length = -1
				}
				c := h.startUpload(t, length)
				if err := c.send(test.body); err != nil {
					t.Fatal(err)
				}
				if status, text := c.finish(t); status != 200 || !strings.Contains(text, `"changed":true`) {
					t.Fatalf("%d %s", status, text)
				}
				form := <-forms
				if form.err != nil || (form.length < 0) != chunked {
					t.Fatalf("length %d, %v", form.length, form.err)
				}
				for field, want := range test.files {
					if form.files[field] != want {
						t.Errorf("%s arrives with %d bytes of %d", field, len(form.files[field]), len(want))
					}
				}
				if form.names["picture"] != test.name {
					t.Errorf("the picture is called %q", form.names["picture"])
				}
				most := 4 << 10 // in addition to the client's own
				if strings.HasPrefix(name, "all at") {
					most = 20 << 10
				}
				_, own, _ := strings.Cut(test.body, end)
				if strings.Trim(form.epilogue, "\r\n") != "" || len(form.epilogue) >= most+len(own) || chunked && form.epilogue != "\r\n" {
					t.Errorf("the epilogue has %d bytes", len(form.epilogue))
				}
			})
		}
	}
}

// TestStream_lengthOfEdit sends an edit without a file.
func TestStream_lengthOfEdit(t *testing.T) {
	t.Parallel()
	h := newTestServer(t, serverOptions{listen: true})
	forms := h.submit()
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
		t.Errorf("length %d, %v", form.length, form.err)
	}
}

// TestStream_upstreamGone checks that the response is immediate when Mixcloud is gone, also while the
// client sends nothing: after the header of the file, or within the file.
func TestStream_upstreamGone(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{"after the header": "", "after a byte": "I", "within the file": mp3Head + strings.Repeat("x", 10_000)} {
		for _, length := range []int64{1 << 30, -1} {
			for _, begins := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, length %d, it reads some: %v", name, length, begins), func(t *testing.T) {
					t.Parallel()
					h := newTestServer(t, serverOptions{listen: true})
					h.handleUploads(func(w http.ResponseWriter, r *http.Request) {
						if begins {
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
						t.Errorf("%d %s", status, text)
					}
					if took := time.Since(began); took > 15*time.Second { // a client may pause for a minute
						t.Errorf("it took %v", took)
					}
				})
			}
		}
	}
}
