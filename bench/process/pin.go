package process

import (
	"fmt"
	"os/exec"
	"strconv"
)

// Pin pins a process, with all its threads, to one processor. It returns false if taskset is not installed, or if the
// processor does not exist.
func Pin(pid, processor int) (bool, error) {
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return false, nil //nolint:nilerr // not installed
	}
	out, err := exec.Command(taskset, "-acp", strconv.Itoa(processor), strconv.Itoa(pid)).CombinedOutput() //nolint:gosec // numbers
	if err != nil && processor > 0 {
		return false, nil // the machine has only one processor
	}
	if err != nil {
		return false, fmt.Errorf("taskset: %w: %s", err, out)
	}
	return true, nil
}
