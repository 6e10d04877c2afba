package world

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"
)

// TestLoop_IsDeterministic checks that the loop of a key never changes and is
// the same on every machine.
func TestLoop_IsDeterministic(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256(Loop("/spartacus/party-time/"))
	if got, want := hex.EncodeToString(sum[:8]), "0980fe5168c2b6ff"; got != want {
		t.Errorf("hash of the loop = %s, want %s", got, want)
	}
}

// TestLoop_IsAudible checks that loops are valid WAV files, audible and hardly
// clipped.
func TestLoop_IsAudible(t *testing.T) {
	t.Parallel()
	sizes := map[int]bool{}
	for _, key := range []string{"", "/a/b/", "/demo/night-bus/", "/x/夜の水路/", "/y/z/", "/p/q/"} {
		file := Loop(key)
		sizes[len(file)] = true
		if string(file[:4]) != "RIFF" || string(file[8:16]) != "WAVEfmt " || int(binary.LittleEndian.Uint32(file[4:])) != len(file)-8 || int(binary.LittleEndian.Uint32(file[40:])) != len(file)-44 {
			t.Errorf("%s: header % x of a file of %d bytes, want a RIFF header of WAVE data with these sizes", key, file[:44], len(file))
		}
		if seconds := float64(len(file)-44) / loopRate; seconds < 5 || seconds > 12 {
			t.Errorf("%s: the loop has %.1f seconds, want 5 to 12", key, seconds)
		}
		loud, clipped := 0, 0
		for _, s := range file[44:] {
			if s < 112 || s > 144 {
				loud++
			}
			if s == 1 || s == 255 {
				clipped++
			}
		}
		if total := len(file) - 44; loud < total/6 || clipped > total/100 {
			t.Errorf("%s: of %d samples %d are loud, %d clipped; want at least 1/6 and at most 1/100", key, total, loud, clipped)
		}
	}
	if len(sizes) < 3 {
		t.Errorf("the loops have %d different lengths, want at least 3", len(sizes))
	}
}
