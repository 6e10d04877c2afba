package app

import (
	"context"
	"sync"

	"mixcloud-graphql/internal/redis"
	"mixcloud-graphql/internal/upload"
)

// sharedProgress is an upload.Hub whose uploads other replicas can watch.
type sharedProgress struct {
	upload.Hub
	shared *redis.Progress // nil: this process alone

	mu    sync.Mutex
	begun map[upload.Name]int // uploads of this process that go on
}

// Begin is that of the hub, and tells the other replicas until the upload ends:
// its end must be reported, whatever becomes of it.
func (s *sharedProgress) Begin(ctx context.Context, name upload.Name) *upload.Track {
	track := s.Hub.Begin(name)
	if s.shared == nil {
		return track
	}
	s.count(name, 1)
	go func() {
		defer s.count(name, -1)
		// The operation's context ends as soon as the upload has: too soon to
		// tell the end.
		for step := range s.Hub.Watch(context.WithoutCancel(ctx), name) {
			s.tell(name, step)
		}
	}()
	return track
}

func (s *sharedProgress) tell(name upload.Name, p upload.Progress) {
	s.shared.Publish(name.Audience, name.ID, redis.Upload{Phase: int(p.Phase), Ended: p.Phase.Ended(), Sent: p.Sent, Total: p.Total})
}

func (s *sharedProgress) count(name upload.Name, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun == nil {
		s.begun = map[upload.Name]int{}
	}
	if s.begun[name] += n; s.begun[name] == 0 {
		delete(s.begun, name)
	}
}

// Watch tells of an upload wherever it is: what happens first on this process or
// on another one decides which.
func (s *sharedProgress) Watch(ctx context.Context, name upload.Name) <-chan upload.Progress {
	if s.shared == nil {
		return s.Hub.Watch(ctx, name)
	}
	ctx, cancel := context.WithCancel(ctx)
	own := s.Hub.Watch(ctx, name)
	out := make(chan upload.Progress)
	go func() {
		defer close(out)
		defer cancel()
		elsewhere := s.shared.Follow(ctx, name.Audience, name.ID)
		for {
			var p upload.Progress
			var ok bool
			select {
			case p, ok = <-own:
				if !ok {
					return
				}
			case u, more := <-elsewhere:
				if !more {
					elsewhere = nil
					continue
				}
				s.mu.Lock()
				here := s.begun[name] > 0
				s.mu.Unlock()
				if here { // its own news are newer
					continue
				}
				p = upload.Progress{Phase: upload.Phase(u.Phase), Sent: u.Sent, Total: u.Total}
			}
			select {
			case out <- p:
			case <-ctx.Done():
				return
			}
			if p.Phase.Ended() {
				return
			}
		}
	}()
	return out
}
