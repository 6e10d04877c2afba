package emulator

import (
	"sync"
	"sync/atomic"
)

// maxUploads is the maximum number of logged uploads, and of logged edits.
const maxUploads = 10_000

// An Upload is an accepted upload or edit.
type Upload struct {
	Key         string            `json:"key"`
	Bytes       int64             `json:"bytes"`  // of the audio file; 0 for an edit
	SHA256      string            `json:"sha256"` // of the audio file, in hexadecimal digits; "" for an edit
	Filename    string            `json:"filename"`
	ContentType string            `json:"contentType"` // of the audio file's part
	Picture     *UploadedPicture  `json:"picture,omitempty"`
	Fields      map[string]string `json:"fields"` // all fields except files, as sent
}

// An UploadedPicture is the picture of an upload or an edit.
type UploadedPicture struct {
	Bytes       int64  `json:"bytes"`
	SHA256      string `json:"sha256"`
	Filename    string `json:"filename"`
	ContentType string `json:"contentType"`
}

// An ActiveUpload is an upload or an edit that is still being read.
type ActiveUpload struct {
	Path     string `json:"path"`
	Received int64  `json:"received"` // bytes of the body read so far
}

// An uploadLog contains the uploads whose body is being read, and the accepted
// ones.
type uploadLog struct {
	mu     sync.Mutex
	active []*incomingUpload // in the order of their arrival
	done   []Upload
	edits  []Upload
}

// An incomingUpload is an upload whose body is being read.
type incomingUpload struct {
	path     string
	received atomic.Int64
}

func (l *uploadLog) begin(path string) *incomingUpload {
	f := &incomingUpload{path: path}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active = append(l.active, f)
	return f
}

func (l *uploadLog) end(f *incomingUpload) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, other := range l.active {
		if other == f {
			l.active = append(l.active[:i], l.active[i+1:]...)
			return
		}
	}
}

// add adds an upload or an edit to its list.
func (l *uploadLog) add(list *[]Upload, u Upload) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(*list) >= maxUploads {
		*list = append((*list)[:0:0], (*list)[1:]...)
	}
	*list = append(*list, u)
}

func (l *uploadLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done, l.edits = nil, nil
}

// Uploads returns the accepted uploads, oldest first, at most the last 10,000. The
// caller must not change the maps in it.
func (e *Emulator) Uploads() []Upload { return e.uploads.list(&e.uploads.done) }

// Edits returns the accepted edits, like Uploads.
func (e *Emulator) Edits() []Upload { return e.uploads.list(&e.uploads.edits) }

func (l *uploadLog) list(of *[]Upload) []Upload {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Upload{}, *of...)
}

// ActiveUploads returns the uploads and edits whose body is still being read, with
// their progress.
func (e *Emulator) ActiveUploads() []ActiveUpload {
	l := &e.uploads
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]ActiveUpload, 0, len(l.active))
	for _, f := range l.active {
		list = append(list, ActiveUpload{f.path, f.received.Load()})
	}
	return list
}
