package upload

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
)

// Names that are made up and watched displace no upload, and nothing is kept of them.
func TestHub_InventedNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var h Hub
		own := Name{Principal: "somebody", ID: "upload"}
		h.Begin(t.Context(), own).SetPhase(Done)
		for i := range 2 * maxUploads {
			ctx, cancel := context.WithCancel(t.Context())
			steps := h.Watch(ctx, Name{ID: fmt.Sprint("invented", i)})
			<-steps
			cancel()
			synctest.Wait()
		}
		if n := len(h.uploads); n != 1 {
			t.Errorf("%d uploads are kept", n)
		}
		if step := <-h.Watch(t.Context(), own); step.Phase != Done {
			t.Errorf("the upload that was done is %v", step)
		}
	})
}
