package upstream

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/mixcloud"
)

// While an operation waits for Mixcloud it releases its admission slot to another one, and it
// reacquires a slot before it continues.
func TestAdmission_WaitsWithoutSlot(t *testing.T) {
	t.Parallel()
	slow := func(ctx context.Context, _ *mixcloud.Client) (int, error) {
		time.Sleep(time.Minute)
		return 0, ctx.Err()
	}
	for name, wait := range map[string]func(context.Context, *Session){
		"read":          func(ctx context.Context, s *Session) { _ = fetchName(ctx, s, "/a/") },
		"write":         func(ctx context.Context, s *Session) { _, _ = Write(ctx, s, "/a/follow/", slow) },
		"sign-in":       func(ctx context.Context, s *Session) { _, _ = WriteNoReplay(ctx, s, "/a/follow/", slow) },
		"streamed body": func(ctx context.Context, s *Session) { _, _ = Stream(ctx, s, KindUpload, "/a/follow/", slow) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, _ := newTestStore(t, Options{Timeout: time.Hour}, func(call) reply { return reply{delay: time.Minute} })
				gate := admission.New(1, time.Second)
				slot, err := gate.Admit(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				began, ended := time.Now(), time.Duration(0)
				go func() {
					wait(admission.NewContext(t.Context(), slot), s.Session(""))
					ended = time.Since(began)
				}()
				time.Sleep(time.Second)
				other, err := gate.Admit(t.Context())
				if err != nil {
					t.Fatalf("a waiting operation occupies its slot: %v", err)
				}
				time.Sleep(time.Hour)
				if ended != 0 {
					t.Errorf("operation continued without a slot after %v", ended)
				}
				other.Close()
				synctest.Wait()
				if ended != time.Hour+time.Second {
					t.Errorf("operation continued after %v, want 1h0m1s", ended)
				}
				slot.Close()
			})
		})
	}
}
