package layering

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// recordings is the folder of the recorded responses of Mixcloud.
const recordings = "mixcloud/testdata/recorded"

// TestRecordingsAreStoredOnce fails if another file of the repository is a copy of a recording.
// All tests must read the recordings from one folder.
func TestRecordingsAreStoredOnce(t *testing.T) {
	t.Parallel()
	root := os.DirFS("../..")
	copies := map[[sha256.Size]byte][]string{}
	recorded := 0
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if name != "." && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".")) {
				return fs.SkipDir
			}
			return nil
		case !strings.HasSuffix(name, ".json"):
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		hash := sha256.Sum256(text)
		copies[hash] = append(copies[hash], name)
		if path.Dir(name) == recordings {
			recorded++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if recorded < 20 {
		t.Fatalf("%s has %d recordings, want at least 20", recordings, recorded)
	}
	for _, names := range copies {
		for _, name := range names {
			if path.Dir(name) == recordings && len(names) > 1 {
				t.Errorf("recording is stored %d times, want once: %q", len(names), names)
				break
			}
		}
	}
}
