package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"mixcloud-graphql/bench/queries"
	"mixcloud-graphql/bench/soak/malformed"
)

// errDone is returned by a client that has sent all its requests.
var errDone = errors.New("done")

// errServerFault is the error of a status that reports a fault of the server.
var errServerFault = errors.New("server fault")

// token is a token of the demo.
const token = "demo-token"

// otherClients returns the clients that send no malformed requests. Each function sends one request,
// and returns the status of the response.
func (s *soak) otherClients() []func(context.Context) (int, error) {
	return []func(context.Context) (int, error){s.reader(1), s.reader(2), s.writer(), s.uploader(), s.disconnector(), s.eventStreamReader()}
}

// sender sends malformed requests.
func (s *soak) sender(seed uint64) func(context.Context) (int, error) {
	corpus := malformed.New(seed)
	address := strings.TrimPrefix(s.base, "http://")
	return func(ctx context.Context) (int, error) {
		if s.remaining.Add(-1) < 0 {
			return 0, errDone
		}
		r := corpus.Next()
		status, err := malformed.Send(ctx, address, r)
		if err == nil && !malformed.Allowed(status) {
			err = errServerFault
		}
		if err != nil {
			err = fmt.Errorf("malformed request %d of seed %d (%s): status %d: %w: %.300q", r.Number, seed, r.Mutations, status, err, r.Raw)
		}
		return status, err
	}
}

// reader sends the named queries.
func (s *soak) reader(seed uint64) func(context.Context) (int, error) {
	all, err := queries.Named()
	client := new(http.Client)
	random := rand.New(rand.NewPCG(s.seed, seed)) //nolint:gosec // deterministic
	return func(ctx context.Context) (int, error) {
		if err != nil {
			return 0, err
		}
		q := all[random.IntN(len(all))]
		return s.post(ctx, client, q.Text, q.Variables, q.Token)
	}
}

// writer follows and unfollows a user.
func (s *soak) writer() func(context.Context) (int, error) {
	client := new(http.Client)
	turn := 0
	return func(ctx context.Context) (int, error) {
		turn++
		field := []string{"follow", "unfollow"}[turn%2]
		return s.post(ctx, client, `mutation { `+field+`(input: {username: "spartacus"}) { changed userErrors { message } } }`, nil, token)
	}
}

// uploader uploads a file without a name, which Mixcloud refuses, so that its data does not grow.
func (s *soak) uploader() func(context.Context) (int, error) {
	client := new(http.Client)
	return func(ctx context.Context) (int, error) {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		const operations = `{"query":"mutation($in: UploadCloudcastInput!) { uploadCloudcast(input: $in) { changed userErrors { message } } }","variables":{"in":{"name":"","mp3":null}}}`
		err := errors.Join(form.WriteField("operations", operations), form.WriteField("map", `{"0":["variables.in.mp3"]}`))
		file, fileErr := form.CreateFormFile("0", "a.mp3")
		if err := errors.Join(err, fileErr); err != nil {
			return 0, err
		}
		_, _ = file.Write(bytes.Repeat([]byte("audio"), 20_000)) // to memory
		_ = form.Close()
		return s.send(ctx, client, &body, form.FormDataContentType(), token)
	}
}

// disconnector closes its connection while the server computes a response.
func (s *soak) disconnector() func(context.Context) (int, error) {
	client := new(http.Client)
	return func(ctx context.Context) (int, error) {
		ctx, cancel := context.WithTimeout(ctx, time.Duration(rand.IntN(5))*time.Millisecond) //nolint:gosec // not for secrets
		defer cancel()
		status, err := s.post(ctx, client, `{ popular(first: 50) { nodes { name description user { biog } } } }`, nil, "")
		if errors.Is(err, context.DeadlineExceeded) {
			return 0, nil
		}
		return status, err
	}
}

// eventStreamReader reads responses as event streams.
func (s *soak) eventStreamReader() func(context.Context) (int, error) {
	client := new(http.Client)
	return func(ctx context.Context) (int, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/graphql", strings.NewReader(`{"query":"{ popular(first: 2) { nodes { name } } }"}`))
		if err != nil {
			return 0, err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "text/event-stream")
		return do(client, req)
	}
}

func (s *soak) post(ctx context.Context, client *http.Client, query string, variables map[string]any, token string) (int, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return 0, err
	}
	return s.send(ctx, client, bytes.NewReader(body), "application/json", token)
}

func (s *soak) send(ctx context.Context, client *http.Client, body io.Reader, contentType, token string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/graphql", body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", contentType)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return do(client, req)
}

// do sends a request and reads the whole response.
func do(client *http.Client, req *http.Request) (int, error) {
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}
