package resolvers

import (
	"context"
	"sync"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// maxPending is the maximum number of loads of [ownCount]. If more writes are
// pending, only the latest are considered.
const maxPending = 20

// ownCount returns a count that a user's own writes change. The viewer's count is corrected for the
// writes that Mixcloud does not show yet. To find out whether Mixcloud shows a write, ownCount
// loads the target.
func ownCount(ctx context.Context, u *model.User, flag upstream.Flag, member func(*mixcloud.FullUser) *int) (*int, error) {
	full, err := loadFull(ctx, u.Full(), loaders.Users, u.Key)
	if err != nil {
		return nil, err
	}
	count := member(full)
	if count == nil || !u.IsKnownViewer() && !isTrue(full.IsCurrentUser) {
		return count, nil
	}
	l := loaders.From(ctx)
	pending := l.Session().Pending(flag)
	pending = pending[max(0, len(pending)-maxPending):]
	var group sync.WaitGroup
	for _, key := range pending {
		group.Go(func() { // after an error the count is not corrected for this write
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
