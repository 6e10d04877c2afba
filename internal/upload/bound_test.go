package upload

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
)

// Watching names that do not exist removes no upload, and leaves nothing in the hub.
func TestHub_UnknownNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h Hub
		own := Name{Principal: "me", ID: "upload"}
		h.Begin(t.Context(), own).SetPhase(Done)
		for i := range 2 * maxUploads {
			ctx, cancel := context.WithCancel(t.Context())
			steps := h.Watch(ctx, Name{ID: fmt.Sprint("unknown", i)})
			<-steps
			cancel()
			synctest.Wait()
		}
		if n := len(h.uploads); n != 1 {
			t.Errorf("the hub has %d uploads, want 1", n)
		}
		if step := <-h.Watch(t.Context(), own); step.Phase != Done {
			t.Errorf("progress = %v, want Done", step)
		}
	})
}
