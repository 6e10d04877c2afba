package redis

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"mixcloud-graphql/internal/redistest"
	"mixcloud-graphql/internal/redisurl"
	"mixcloud-graphql/internal/upstream"
)

func must(t *testing.T, results ...rueidis.RedisResult) {
	t.Helper()
	for _, r := range results {
		if err := r.Error(); err != nil {
			t.Fatal(err)
		}
	}
}

// startCluster starts three masters that share the slots.
func startCluster(t *testing.T) []*redistest.Server {
	t.Helper()
	var nodes []*redistest.Server
	for range 3 {
		nodes = append(nodes, redistest.Start(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000"))
	}
	first := nodes[0].Client(t)
	for i, node := range nodes {
		c := node.Client(t)
		must(t, c.Do(t.Context(), c.B().ClusterAddslotsrange().StartSlotEndSlot().StartSlotEndSlot(int64(i*16384/3), int64((i+1)*16384/3-1)).Build()))
		if i > 0 {
			must(t, first.Do(t.Context(), first.B().ClusterMeet().Ip("127.0.0.1").Port(int64(node.Port())).Build()))
		}
	}
	for _, node := range nodes {
		c := node.Client(t)
		eventually(t, func() bool {
			text, err := c.Do(t.Context(), c.B().ClusterInfo().Build()).ToString()
			return err == nil && strings.Contains(text, "cluster_state:ok") && strings.Contains(text, "cluster_known_nodes:3")
		})
	}
	return nodes
}

func TestCluster(t *testing.T) {
	t.Parallel()
	nodes := startCluster(t)
	a := ready(t, nodes[0].URL())
	b := ready(t, redisurl.URL("redis://"+nodes[1].Addr()+","+nodes[2].Addr()))
	if mode := (*a.conn.client.Load()).Mode(); mode != rueidis.ClientModeCluster {
		t.Fatalf("client mode = %s, want cluster", mode)
	}
	eventually(t, func() bool {
		var n int64
		for _, node := range nodes {
			n += subscribers(t, node)
		}
		return n == 2
	})
	for i := range 30 {
		a.useAll(t, i)
		for _, principal := range []string{"", alice, bob} {
			at := upstream.Address{Principal: principal, ID: fmt.Sprint("page ", i)}
			a.put(t, at, []byte(at.ID))
			eventually(t, func() bool { return b.get(t, at) == at.ID })
		}
	}
	for _, node := range nodes {
		c := node.Client(t)
		if n, err := c.Do(t.Context(), c.B().Dbsize().Build()).AsInt64(); err != nil || n < 5 {
			t.Errorf("DBSIZE of a node = %d (error %v), want at least 5: keys are not distributed", n, err)
		}
	}
	others := upstream.Address{Principal: bob, ID: "page"}
	a.put(t, others, []byte("page"))
	a.Cache().Drop(t.Context(), alice)
	eventually(t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return slices.Contains(b.invalidated, alice)
	})
	if got := b.get(t, upstream.Address{Principal: alice, ID: "page 1"}); got != "miss" {
		t.Errorf("get after the write = %s, want miss", got)
	}
	eventually(t, func() bool { return b.get(t, others) == "page" }) // a read may time out on a busy machine
	if n := a.Stats().Failed; n > 0 {
		t.Errorf("%d commands failed, want 0:\n%s", n, a.log)
	}
	c := ready(t, nodes[0].URL(), realTimeout)
	nodes[2].Kill() // a third of the slots are unavailable, without errors for clients
	for i := range 30 {
		c.useAll(t, 100+i)
	}
}

func TestSentinel(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t)
	replica := redistest.Start(t, "--replicaof", "127.0.0.1", fmt.Sprint(master.Port()))
	config := filepath.Join(t.TempDir(), "sentinel.conf")
	text := fmt.Sprintf("sentinel monitor shows 127.0.0.1 %d 1\nsentinel down-after-milliseconds shows 300\nsentinel failover-timeout shows 2000\n", master.Port())
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := redistest.Start(t, config, "--sentinel")
	c, follower := sentinel.Client(t), replica.Client(t)
	eventually(t, func() bool {
		text, err := c.Do(t.Context(), c.B().Info().Section("sentinel").Build()).ToString()
		return err == nil && strings.Contains(text, "status=ok") && strings.Contains(text, "slaves=1")
	})
	eventually(t, func() bool {
		text, err := follower.Do(t.Context(), follower.B().Info().Section("replication").Build()).ToString()
		return err == nil && strings.Contains(text, "master_link_status:up")
	})
	r := ready(t, redisurl.URL("redis-sentinel://"+sentinel.Addr()+"?master_set=shows"), realTimeout)
	r.put(t, upstream.Address{ID: "x"}, []byte("x"))
	m := master.Client(t)
	must(t, m.Do(t.Context(), m.B().Wait().Numreplicas(1).Timeout(5000).Build()))
	master.Kill()
	deadline := time.Now().Add(20 * time.Second)
	for n := 0; ; n++ {
		r.useAll(t, n)
		if r.get(t, upstream.Address{ID: "x"}) == "x" && r.usable(t) {
			break // from the promoted replica
		}
		if time.Now().After(deadline) {
			t.Fatalf("the client does not use the promoted replica:\n%s", r.log)
		}
	}
}

// A server that rejects the password counts as unreachable. The correct password works, also over a Unix socket.
func TestCredentials(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "redis.sock")
	s := redistest.Start(t, "--requirepass", "hunter2", "--unixsocket", socket)
	for _, url := range []redisurl.URL{
		redisurl.URL("redis://:hunter2@" + s.Addr()), redisurl.URL("redis://default:hunter2@" + s.Addr()), redisurl.URL("unix://:hunter2@" + socket),
	} {
		r := ready(t, url)
		r.put(t, upstream.Address{ID: "x"}, []byte("x"))
		if got := r.get(t, upstream.Address{ID: "x"}); got != "x" {
			t.Errorf("get = %s, want x", got)
		}
	}
	wrong := open(t, redisurl.URL("redis://:hunter3@"+s.Addr()))
	eventually(t, func() bool { return strings.Contains(wrong.log.String(), "WRONGPASS") })
	wrong.useAll(t, 0)
	if text := wrong.log.String(); strings.Contains(text, "hunter") {
		t.Errorf("log contains a password:\n%s", text)
	}
}

// The ACL in docs/redis.md permits all commands that the server sends, and no others.
func TestAccessList(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\nACL SETUSER ")
	line, _, _ := strings.Cut(rest, "\n")
	words := strings.Fields(line)
	if len(words) < 5 {
		t.Fatalf("docs/redis.md has no ACL line with at least 5 words: %q", line)
	}
	s := redistest.Start(t)
	admin := s.Client(t)
	must(t, admin.Do(t.Context(), admin.B().AclSetuser().Username(words[0]).Rule(words[1:]...).Build()))
	r := ready(t, redisurl.URL("redis://mixcloud:password@"+s.Addr()))
	eventually(t, func() bool { return subscribers(t, s) == 1 })
	for i := range 5 {
		r.useAll(t, i)
	}
	r.put(t, upstream.Address{Principal: alice, ID: "x"}, []byte("x"))
	r.drain(t)
	if st := r.Stats(); st.Failed > 0 || r.Limiter().Replicas() != 1 {
		t.Errorf("stats %+v, want no failures and 1 replica\n%s", st, r.log)
	}
	for _, forbidden := range []rueidis.Completed{
		admin.B().Get().Key("another program's key").Build(), admin.B().Flushall().Build(), admin.B().ConfigGet().Parameter("*").Build(), admin.B().Keys().Pattern("*").Build(),
	} {
		name := forbidden.Commands()[0]
		if err := (*r.conn.client.Load()).Do(t.Context(), forbidden).Error(); err == nil || !strings.Contains(err.Error(), "NOPERM") {
			t.Errorf("%s: error %v, want NOPERM", name, err)
		}
	}
}

// Without client-side caching, each read is a round trip.
func TestWithoutClientSideCaching(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	admin := s.Client(t)
	must(t, admin.Do(t.Context(), admin.B().AclSetuser().Username("default").Rule("-client|tracking").Build()))
	one, two := ready(t, s.URL()), ready(t, s.URL())
	for _, at := range []upstream.Address{{ID: "x"}, {Principal: alice, ID: "x"}} {
		for _, body := range []string{"first", "second"} {
			one.put(t, at, []byte(body))
			if got := two.get(t, at); got != body {
				t.Errorf("%+v is %s, want %s", at, got, body)
			}
		}
	}
	if st := two.Stats(); st.LocalHits > 0 || st.Failed > 0 {
		t.Errorf("stats %+v, want no local hits and no failures", st)
	}
	if !strings.Contains(one.log.String(), "no server-assisted client-side caching") {
		t.Errorf("log lacks \"no server-assisted client-side caching\":\n%s", one.log)
	}
}
