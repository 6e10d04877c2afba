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

// ask sends a query to the server at an address as a client would, reads the
// whole answer, and gives it if it is without errors.
func ask(ctx context.Context, client *http.Client, server string, q queries.Query) ([]byte, error) {
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
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK || bytes.Contains(answer, []byte(`"errors":[`)) {
		return nil, fmt.Errorf("%s: status %d: %s", q.Name, resp.StatusCode, excerpt(answer))
	}
	return answer, nil
}

// excerpt is the part of an answer that says what went wrong.
func excerpt(answer []byte) []byte {
	if i := bytes.Index(answer, []byte(`"errors":[`)); i >= 0 {
		answer = answer[i:]
	}
	return answer[:min(len(answer), 500)]
}

// question makes a query ready to be asked and planned: variables that only a
// server can tell, cursors and ids, are got by ask, which should not be answered
// by the server that is to be measured.
func question(q queries.Query, ask func(queries.Query) ([]byte, error)) (queries.Query, ideal.Question, error) {
	variables := maps.Clone(q.Variables)
	if variables == nil {
		variables = make(map[string]any)
	}
	plain := ideal.Question{Query: q.Text, Variables: variables, Token: q.Token}
	if q.After != "" {
		answer, err := ask(q)
		if err != nil {
			return q, plain, err
		}
		cursor, place, err := lastCursor(answer, q.After)
		if err != nil {
			return q, plain, fmt.Errorf("%s: %w", q.Name, err)
		}
		variables["after"] = cursor
		plain.Cursors = map[string]int{cursor: place}
	}
	if q.IDs != nil {
		ids := make([]any, len(q.IDs))
		plain.Keys = make(map[string]string)
		for i, key := range q.IDs {
			id, err := idOf(key, ask)
			if err != nil {
				return q, plain, err
			}
			ids[i], plain.Keys[id] = id, key
		}
		variables["ids"] = ids
	}
	q.Variables = variables
	return q, plain, nil
}

// idOf is the global id of the resource that has a key.
func idOf(key string, ask func(queries.Query) ([]byte, error)) (string, error) {
	answer, err := ask(queries.Query{
		Name: key, Text: "query ($key: String!) { resource(key: $key) { id } }", Variables: map[string]any{"key": key},
	})
	if err != nil {
		return "", err
	}
	var whole struct {
		Data struct{ Resource struct{ ID string } }
	}
	if err := json.Unmarshal(answer, &whole); err != nil {
		return "", err
	}
	if whole.Data.Resource.ID == "" {
		return "", fmt.Errorf("there is nothing at %s", key)
	}
	return whole.Data.Resource.ID, nil
}

// lastCursor is the cursor of the last edge of the connection at path, and how
// many edges are before it.
func lastCursor(answer []byte, path string) (cursor string, place int, err error) {
	at := json.RawMessage(answer)
	for name := range strings.SplitSeq("data."+path, ".") {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(at, &members); err != nil {
			return "", 0, fmt.Errorf("at %s: %w", name, err)
		}
		at = members[name]
	}
	var connection struct{ Edges []struct{ Cursor string } }
	if err := json.Unmarshal(at, &connection); err != nil {
		return "", 0, err
	}
	place = len(connection.Edges) - 1
	if place < 0 {
		return "", 0, fmt.Errorf("the page at %s is empty", path)
	}
	return connection.Edges[place].Cursor, place, nil
}
