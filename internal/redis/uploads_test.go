package redis

import (
	"context"
	"testing"
	"time"

	"mixcloud-graphql/internal/redistest"
	"mixcloud-graphql/internal/upload"
)

func TestUploads(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a, b := ready(t, s.URL()), ready(t, s.URL())
	follow := b.Uploads().follow(t.Context(), upload.Name{Principal: alice, ID: "u"}) // before the upload begins
	others := b.Uploads().follow(t.Context(), upload.Name{Principal: bob, ID: "u"})
	var want []upload.Progress
	for sent := range int64(3) {
		u := upload.Progress{Phase: upload.Sending, Sent: sent, Total: -1}
		a.Uploads().publish(upload.Name{Principal: alice, ID: "u"}, u)
		if got := <-follow; got != u {
			t.Errorf("progress = %+v, want %+v", got, u)
		}
		want = append(want, u)
	}
	if len(want) != 3 {
		t.Fatalf("%d progress reports were published, want 3", len(want))
	}
	end := upload.Progress{Phase: upload.Done, Sent: 5, Total: 5}
	for sent := range int64(1000) {
		a.Uploads().publish(upload.Name{Principal: alice, ID: "u"}, upload.Progress{Phase: upload.Processing, Sent: sent, Total: 5})
	}
	a.Uploads().publish(upload.Name{Principal: alice, ID: "u"}, end)
	var last upload.Progress
	for last = range follow {
	}
	if last != end {
		t.Errorf("the final progress is %+v, want %+v", last, end)
	}
	for got := range b.Uploads().follow(t.Context(), upload.Name{Principal: alice, ID: "u"}) { // after the end
		if got != end {
			t.Errorf("progress after the end = %+v, want %+v", got, end)
		}
	}
	select {
	case u := <-others:
		t.Errorf("another principal's upload of the same name was followed: %+v", u)
	default:
	}
}

// If an upload ends while Redis is unreachable, its final step is published later.
func TestUploads_WhileUnreachable(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	a, b := ready(t, p.url()), ready(t, s.URL())
	follow := b.Uploads().follow(t.Context(), upload.Name{Principal: alice, ID: "u"})
	a.Uploads().publish(upload.Name{Principal: alice, ID: "u"}, upload.Progress{Phase: upload.Sending, Total: -1})
	<-follow
	p.refuse.Store(true)
	p.closeConnections()
	for range maxConsecutiveFailures {
		a.Cache().Get(t.Context(), fresh(t))
	}
	a.waitUp(t, false)
	a.Uploads().publish(upload.Name{Principal: alice, ID: "u"}, upload.Progress{Phase: upload.Processing, Total: -1})
	a.Uploads().publish(upload.Name{Principal: alice, ID: "u"}, upload.Progress{Phase: upload.Done})
	p.refuse.Store(false)
	var last upload.Progress
	for last = range follow {
	}
	if !last.Phase.Ended() {
		t.Errorf("last progress = %+v, want a final phase", last)
	}
}

func TestUploads_FollowerLeaves(t *testing.T) {
	t.Parallel()
	r := ready(t, redistest.Start(t).URL())
	ctx, cancel := context.WithCancel(t.Context())
	follow := r.Uploads().follow(ctx, upload.Name{Principal: alice, ID: "u"})
	cancel()
	if _, ok := <-follow; ok {
		t.Error("received progress of an upload that never began")
	}
}

// Watchers on each replica follow an upload to its end. While Redis is unreachable, only those on
// the replica that receives it do.
func TestUploads_Watch(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a, b := ready(t, s.URL()).Uploads(), ready(t, s.URL()).Uploads()
	last := func(store *Uploads, name upload.Name) (p upload.Progress) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		for p = range store.Watch(ctx, name) {
		}
		return p
	}
	for id, test := range map[string]struct {
		end  func(*upload.Reporter)
		want upload.Phase
	}{
		"done":   {func(u *upload.Reporter) { u.SetPhase(upload.Done) }, upload.Done},
		"failed": {(*upload.Reporter).End, upload.Failed},
	} {
		name := upload.Name{Principal: alice, ID: id}
		ctx, cancel := context.WithCancel(t.Context())
		track := a.Begin(ctx, name)
		track.SetTotal(10)
		track.SetPhase(upload.Sending)
		track.Add(10)
		test.end(track)
		cancel() // as the operation's context is
		want := upload.Progress{Phase: test.want, Sent: 10, Total: 10}
		for where, store := range map[string]*Uploads{"the same replica": a, "another replica": b} {
			if got := last(store, name); got != want {
				t.Errorf("%s, on %s: got %+v, want %+v", id, where, got, want)
			}
		}
	}
	eventually(t, func() bool { return !a.isLocal(upload.Name{Principal: alice, ID: "done"}) })
	s.Kill()
	name := upload.Name{Principal: alice, ID: "while unreachable"}
	a.Begin(t.Context(), name).End()
	if got := last(a, name); got.Phase != upload.Failed {
		t.Errorf("without Redis: progress = %+v, want failed", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	for p := range b.Watch(ctx, name) {
		if p.Phase.Ended() {
			t.Errorf("without Redis: progress on another replica = %+v, want no final phase", p)
		}
	}
}

// A watcher on the replica that receives the upload gets the progress of that process, because the
// progress in Redis may be older.
func TestUploads_OwnProgress(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a, b := ready(t, s.URL()).Uploads(), ready(t, s.URL()).Uploads()
	name := upload.Name{Principal: alice, ID: "u"}
	published := func(store *Uploads, want upload.Progress) {
		eventually(t, func() bool {
			p, _, ok := store.read(t.Context(), store.keys.upload(name))
			return ok && p == want
		})
	}
	track := a.Begin(t.Context(), name)
	defer track.End()
	track.SetPhase(upload.Sending)
	own := upload.Progress{Phase: upload.Sending, Total: -1}
	published(b, own)
	other := upload.Progress{Phase: upload.Processing, Sent: 3, Total: 3}
	b.publish(name, other)
	published(a, other)
	ctx, cancel := context.WithTimeout(t.Context(), 3*pollInterval)
	defer cancel()
	for p := range a.Watch(ctx, name) {
		if p != own {
			t.Errorf("progress = %+v, want this process's own %+v", p, own)
		}
	}
}
