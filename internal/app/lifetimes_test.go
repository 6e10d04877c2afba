package app

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/upstream"
)

// Every class of responses can be configured by its name.
func TestLifetimes(t *testing.T) {
	t.Parallel()
	for _, class := range upstream.Classes() {
		command, err := config.Parse([]string{"--fresh-for=" + class.String() + "=7m"}, nil, io.Discard)
		if err != nil {
			t.Errorf("Parse(--fresh-for=%v=7m) returned the error %v", class, err)
			continue
		}
		rows := lifetimes(command.(*config.Serve).FreshFor)
		want := class.Lifetime()
		want.Fresh = 7 * time.Minute
		if len(rows) != 1 || rows[class] != want {
			t.Errorf("lifetimes of %v = %v, want %v", class, rows, want)
		}
	}
}

// The server uses the configured lifetimes.
func TestLifetimes_Configured(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, serverOptions{config: config.Serve{FreshFor: config.Lifetimes{"user": time.Hour}}})
		const query = `{ user(username: "demo") { name } category(slug: "ambient") { name } }`
		s.execute(t, "", query, nil)
		s.takeCalls()
		time.Sleep(time.Hour - time.Second)
		s.execute(t, "", query, nil)
		synctest.Wait() // for the revalidation in the background
		if calls := s.takeCalls(); len(calls) != 0 {
			t.Errorf("calls for fresh resources = %q, want none", calls)
		}
	})
}
