package upstream

import (
	"context"
	"errors"
	"testing"

	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/mixcloud"
)

// A write is marked as sent once it may have reached Mixcloud, and only then: after that it is
// never repeated for the same key.
func TestWrite_MarksSent(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err    error
		budget int
		want   bool
	}{
		"done":                    {nil, 5, true},
		"refused token":           {&mixcloud.Error{Kind: mixcloud.ErrUnauthenticated}, 5, false},
		"refused":                 {&mixcloud.Error{Kind: mixcloud.ErrRateLimited}, 5, true},
		"no response":             {&mixcloud.Error{Kind: mixcloud.ErrTimeout}, 5, true},
		"client left":             {errors.New("the client is gone"), 5, true},
		"never sent":              {&mixcloud.Error{Kind: mixcloud.ErrUnavailable, NeverSent: true}, 5, false},
		"invalid argument":        {&mixcloud.InvalidError{Arg: "key", Reason: "is bad"}, 5, false},
		"budget used up":          {nil, 0, false},
		"panic while sending":     {errPanics, 5, true},
		"wrapped, but never sent": {errors.Join(&mixcloud.Error{Kind: mixcloud.ErrUnavailable, NeverSent: true}), 5, false},
	}
	type sender = func(context.Context, *Session, string, func(context.Context, *mixcloud.Client) (int, error)) (int, error)
	upload := func(ctx context.Context, s *Session, address string, call func(context.Context, *mixcloud.Client) (int, error)) (int, error) {
		return Stream(ctx, s, KindUpload, address, call)
	}
	for name, tt := range tests {
		for how, write := range map[string]sender{"write": Write[int], "stream": upload} {
			t.Run(name+"/"+how, func(t *testing.T) {
				t.Parallel()
				s, _ := newTestStore(t, Options{Budget: max(tt.budget, 1)}, latest)
				session := s.Session("token")
				if tt.budget == 0 {
					_ = session.spend()
				}
				ctx, sent := idempotency.TrackSent(t.Context())
				func() {
					defer func() { _ = recover() }()
					_, _ = write(ctx, session, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) {
						if errors.Is(tt.err, errPanics) {
							panic("in the middle")
						}
						return 0, tt.err
					})
				}()
				if sent() != tt.want {
					t.Errorf("sent() = %v, want %v", sent(), tt.want)
				}
			})
		}
	}
}

var errPanics = errors.New("panics")
