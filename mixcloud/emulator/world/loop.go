package world

import "encoding/binary"

// The format of loops: mono, 8 bits, at this rate.
const (
	loopRate  = 22050
	loopBeats = 16
)

// Loop returns a WAV file of about 8 seconds that can be repeated without a gap: a kick drum, a
// hi-hat and a bass line, in a tempo and a pattern that depend on the key of the cloudcast. It is
// computed with integers, so it has the same bytes on every machine.
func Loop(key string) []byte {
	random := uint32(2166136261)
	for i := range len(key) {
		random = (random ^ uint32(key[i])) * 16777619
	}
	next := func(n uint32) int {
		random = random*1664525 + 1013904223
		return int((random >> 8) % n)
	}
	beat := loopRate * 60 / (96 + next(36)) // samples
	samples := make([]int, beat*loopBeats)
	scale := [...]int{0, 3, 5, 7, 10, 12}
	root := next(8)
	for n := range loopBeats * 2 { // half beats
		at := n * beat / 2
		if n%2 == 0 && (n%8 != 6 || next(2) == 0) {
			addKick(samples[at:])
		}
		if n%2 == 1 || next(4) == 0 {
			addHat(samples[at:], &random)
		}
		if next(3) > 0 {
			addBass(samples[at:], root+scale[next(uint32(len(scale)))], beat/2)
		}
	}
	return wav(samples)
}

// addKick adds a triangle wave whose pitch and volume fall.
func addKick(out []int) {
	const length = loopRate / 6
	phase := 0
	for i := range min(length, len(out)) {
		phase += 200 - 150*i/length // 1/16384 of a period per sample and unit
		out[i] += triangle(phase*3) * 78 * (length - i) / length / 128
	}
}

// addHat adds noise whose volume falls fast.
func addHat(out []int, random *uint32) {
	const length = loopRate / 24
	for i := range min(length, len(out)) {
		*random = *random*1664525 + 1013904223
		out[i] += (int(*random>>24) - 128) * 20 * (length - i) / length / 128
	}
}

// semitones are the frequencies of an octave from A, in hundredths of a hertz at 55 Hz.
var semitones = [...]int{5500, 5827, 6174, 6541, 6930, 7342, 7778, 8241, 8731, 9250, 9800, 10383}

// addBass adds a note, in semitones above 55 Hz.
func addBass(out []int, note, length int) {
	frequency := semitones[note%12] << (note / 12)
	for i := range min(length, len(out)) {
		phase := int(int64(i*frequency/100) * 16384 / loopRate)
		out[i] += triangle(phase) * 56 * (length - i) / length / 128
	}
}

// triangle returns a triangle wave from -128 to 128; a period is 16384 units of phase.
func triangle(phase int) int {
	p := phase & 16383
	if p >= 8192 {
		p = 16384 - p
	}
	return p/32 - 128
}

// wav returns a WAV file of samples, which it limits to 8 bits.
func wav(samples []int) []byte {
	const header = 44
	out := make([]byte, 0, header+len(samples))
	u32 := func(n int) { out = binary.LittleEndian.AppendUint32(out, uint32(n)) } //nolint:gosec // below 1 MB
	u16 := func(n uint16) { out = binary.LittleEndian.AppendUint16(out, n) }
	out = append(out, "RIFF"...)
	u32(header - 8 + len(samples))
	out = append(out, "WAVEfmt "...)
	u32(16)
	u16(1) // PCM
	u16(1) // channel
	u32(loopRate)
	u32(loopRate) // bytes per second
	u16(1)        // bytes per sample
	u16(8)        // bits per sample
	out = append(out, "data"...)
	u32(len(samples))
	for _, s := range samples {
		out = append(out, byte(min(max(s, -127), 127)+128))
	}
	return out
}
