package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"

	"mixcloud-graphql/bench/ideal"
	"mixcloud-graphql/bench/queries"
)

// execute sends a query to the server at a base URL, as a client would, and returns the body of the
// response. It returns an error if the response has errors.
func execute(ctx context.Context, client *http.Client, server string, q queries.Query) ([]byte, error) {
	body, err := json.Marshal(map[string]any{"query": q.Text, "variables": q.Variables})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json")
	if q.Token != "" {
		req.Header.Set("Authorization", "Bearer "+q.Token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK || bytes.Contains(data, []byte(`"errors":[`)) {
		return nil, fmt.Errorf("%s: status %d: %s", q.Name, resp.StatusCode, excerpt(data))
	}
	return data, nil
}

// excerpt returns the beginning of the errors in a response body, or of the body.
func excerpt(body []byte) []byte {
	if i := bytes.Index(body, []byte(`"errors":[`)); i >= 0 {
		body = body[i:]
	}
	return body[:min(len(body), 500)]
}

// prepare returns a query with all variables, and its operation for the reference. Cursors and ids
// are read from a server with execute, which must not use the server that is measured.
func prepare(q queries.Query, execute func(queries.Query) ([]byte, error)) (queries.Query, ideal.Operation, error) {
	variables := maps.Clone(q.Variables)
	if variables == nil {
		variables = make(map[string]any)
	}
	op := ideal.Operation{Query: q.Text, Variables: variables, Token: q.Token}
	if q.After != "" {
		body, err := execute(q)
		if err != nil {
			return q, op, err
		}
		cursor, index, err := lastCursor(body, q.After)
		if err != nil {
			return q, op, fmt.Errorf("%s: %w", q.Name, err)
		}
		variables["after"] = cursor
		op.Cursors = map[string]int{cursor: index}
	}
	if q.IDs != nil {
		ids := make([]any, len(q.IDs))
		op.Keys = make(map[string]string)
		for i, key := range q.IDs {
			id, err := idOf(key, execute)
			if err != nil {
				return q, op, err
			}
			ids[i], op.Keys[id] = id, key
		}
		variables["ids"] = ids
	}
	q.Variables = variables
	return q, op, nil
}

// idOf returns the global id of the resource with a key.
func idOf(key string, execute func(queries.Query) ([]byte, error)) (string, error) {
	body, err := execute(queries.Query{
		Name: key, Text: "query ($key: String!) { resource(key: $key) { id } }", Variables: map[string]any{"key": key},
	})
	if err != nil {
		return "", err
	}
	var response struct {
		Data struct{ Resource struct{ ID string } }
	}
	if err := json.Unmarshal(body, &response); err != nil {
		return "", err
	}
	if response.Data.Resource.ID == "" {
		return "", fmt.Errorf("there is no resource %s", key)
	}
	return response.Data.Resource.ID, nil
}

// lastCursor returns the cursor of the last edge of the connection at path, and the index of the
// edge.
func lastCursor(body []byte, path string) (cursor string, index int, err error) {
	at := json.RawMessage(body)
	for name := range strings.SplitSeq("data."+path, ".") {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(at, &members); err != nil {
			return "", 0, fmt.Errorf("decode the response at %s: %w", name, err)
		}
		at = members[name]
	}
	var connection struct{ Edges []struct{ Cursor string } }
	if err := json.Unmarshal(at, &connection); err != nil {
		return "", 0, err
	}
	index = len(connection.Edges) - 1
	if index < 0 {
		return "", 0, fmt.Errorf("the page at %s is empty", path)
	}
	return connection.Edges[index].Cursor, index, nil
}
