package emulator

import (
	"sync"
	"sync/atomic"
)

// maxUploads is how many uploads, and as many edits, the emulator remembers; the
// oldest go first.
const maxUploads = 10_000

// An Upload is what is known of an upload or an edit that was taken.
type Upload struct {
	Key         string            `json:"key"`
	Bytes       int64             `json:"bytes"`  // of the audio file; 0 for an edit
	SHA256      string            `json:"sha256"` // of the audio file, in hexadecimal digits; "" for an edit
	Filename    string            `json:"filename"`
	ContentType string            `json:"contentType"` // as the audio file's part has it
	Picture     *UploadedPicture  `json:"picture,omitempty"`
	Fields      map[string]string `json:"fields"` // everything that is no file, as sent
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
	Received int64  `json:"received"` // bytes of the body that were read so far
}

// flights are the uploads under way, and what came of them.
type flights struct {
	mu     sync.Mutex
	active []*flight // in the order of their arrival
	done   []Upload
	edits  []Upload
}

// A flight is an upload under way.
type flight struct {
	path     string
	received atomic.Int64
}

func (l *flights) begin(path string) *flight {
	f := &flight{path: path}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active = append(l.active, f)
	return f
}

func (l *flights) land(f *flight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, other := range l.active {
		if other == f {
			l.active = append(l.active[:i], l.active[i+1:]...)
			return
		}
	}
}

// record remembers an upload, or an edit.
func (l *flights) record(list *[]Upload, u Upload) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(*list) >= maxUploads {
		*list = append((*list)[:0:0], (*list)[1:]...)
	}
	*list = append(*list, u)
}

func (l *flights) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done, l.edits = nil, nil
}

// Uploads returns the uploads that were taken, oldest first, at most the last
// 10,000. The maps in it are shared and not to be changed.
func (e *Emulator) Uploads() []Upload { return e.uploads.list(&e.uploads.done) }

// Edits returns the edits that were taken, in the same form.
func (e *Emulator) Edits() []Upload { return e.uploads.list(&e.uploads.edits) }

func (l *flights) list(of *[]Upload) []Upload {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Upload{}, *of...)
}

// ActiveUploads returns the uploads and edits whose body is still being read, and
// how far each is.
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
