package resolvers

import (
	"context"
	"sync"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// maxPending bounds the loads of [ownCount]. Of more writes than that within a
// minute the latest are looked at.
const maxPending = 20

// ownCount gives a count that a user's own writes change. The viewer's is
// corrected for writes that reads do not show yet: by as much as the counts of
// what was written to are behind.
func ownCount(ctx context.Context, u *model.User, flag upstream.Flag, member func(*mixcloud.FullUser) *int) (*int, error) {
	loaded, err := full(ctx, u.Full(), loaders.Users, u.Key)
	if err != nil {
		return nil, err
	}
	count := member(loaded)
	if count == nil || !u.KnownViewer() && !isTrue(loaded.IsCurrentUser) {
		return count, nil
	}
	l := loaders.From(ctx)
	pending := l.Session().Pending(flag)
	pending = pending[max(0, len(pending)-maxPending):]
	var group sync.WaitGroup
	for _, key := range pending {
		group.Go(func() { // one that cannot be read corrects nothing
			if flag == upstream.Following {
				_, _ = loaders.Users.Load(ctx, key.Key())
			} else {
				_, _ = loaders.Cloudcasts.Load(ctx, key.Key())
			}
		})
	}
	group.Wait()
	corrected := *count
	for _, key := range pending {
		corrected += l.Session().CountDelta(flag, key)
	}
	corrected = max(corrected, 0)
	return &corrected, nil
}

func isTrue(b *bool) bool { return b != nil && *b }
