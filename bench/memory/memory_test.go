package main

import (
	"bytes"
	"net/url"
	"os"
	"regexp"
	"testing"

	realmixcloud "mixcloud-graphql/mixcloud"
)

// TestMain runs main if the bench starts the test binary as its server.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestRun measures each figure with small sizes. It does not check times and memory, which depend on the machine.
func TestRun(t *testing.T) {
	t.Parallel()
	for figure, test := range map[string]struct{ args, want []string }{
		"start":  {[]string{"-starts", "1"}, []string{`(?m)^\| time from start to first response, live \| 30 ms \| [\d.]+ ms`, `(?m)^\| resident memory of an idle server, demo \|  \| [\d.]+ MiB \|$`}},
		"peak":   {[]string{"-cache", "1", "-duration", "1s", "-connections", "2"}, []string{`(?m)^\| peak .*, 2 connections, cache of 1 MiB \| 66 MiB \| \d+ MiB; \d+ requests, 0 failed, `}},
		"values": {[]string{"-values", "2000", "-connections", "2"}, []string{`(?m)^\| peak .* 2000 small values, cache of 256 MiB \| 576 MiB \| \d+ MiB, 0 requests failed \|$`}},
	} {
		t.Run(figure, func(t *testing.T) {
			t.Parallel()
			var out, log bytes.Buffer
			if err := run(t.Context(), append(test.args, "-figure", figure), &out, &log); err != nil {
				t.Fatalf("%v\n%s", err, &log)
			}
			for _, want := range test.want {
				if !regexp.MustCompile(want).Match(out.Bytes()) {
					t.Errorf("got\n%s\nwant a line that matches %s", &out, want)
				}
			}
		})
	}
}

func TestRun_InvalidFlags(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-cache", "x"}, {"-duration", "0"}, {"-figure", "other"}, {"argument"}} {
		var out, log bytes.Buffer
		if err := run(t.Context(), args, &out, &log); err == nil {
			t.Errorf("run(%v) succeeded, want an error: %s", args, &out)
		}
	}
}

// TestRespond decodes the responses of the simulated Mixcloud with the client's decoders.
func TestRespond(t *testing.T) {
	t.Parallel()
	user, err := realmixcloud.Decode[realmixcloud.FullUser](respond("/a/", nil))
	if err != nil || user.Key.String() != "/a/" {
		t.Errorf("user: got %+v, %v, want key /a/", user, err)
	}
	show, err := realmixcloud.Decode[realmixcloud.FullCloudcast](respond("/a/b/", nil))
	if err != nil || show.Key.String() != "/a/b/" {
		t.Errorf("cloudcast: got %+v, %v, want key /a/b/", show, err)
	}
	small, err := realmixcloud.Decode[realmixcloud.User](respond("/small7/", nil))
	if err != nil || small.Key.String() != "/small7/" {
		t.Errorf("small user: got %+v, %v, want key /small7/", small, err)
	}
	query := url.Values{"limit": {"100"}, "offset": {"50"}}
	if page, err := realmixcloud.DecodePage[realmixcloud.Cloudcast](respond("/a/cloudcasts/", query)); err != nil || len(page.Items) != 100 {
		t.Errorf("page of cloudcasts: got %+v, %v, want 100 items", page, err)
	}
	if page, err := realmixcloud.DecodePage[realmixcloud.User](respond("/a/followers/", query)); err != nil || len(page.Items) != 100 {
		t.Errorf("page of users: got %+v, %v, want 100 items", page, err)
	}
}
