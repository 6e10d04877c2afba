package upload

import (
	"context"
	"strings"
	"testing"
)

func TestFile(t *testing.T) {
	t.Parallel()
	want := File{Part: "0", Path: "variables.file"}
	var got File
	if err := got.UnmarshalGQL(want); err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
	for _, v := range []any{nil, "text", 7, map[string]any{"Part": "0"}, &want} {
		if err := new(File).UnmarshalGQL(v); err == nil {
			t.Errorf("%v is taken for a file", v)
		}
	}
	var out strings.Builder
	if want.MarshalGQL(&out); out.String() != "null" {
		t.Errorf("written as %s", out.String())
	}
}

type noSource struct{ Source }

func TestFrom(t *testing.T) {
	t.Parallel()
	if src, ok := From(context.Background()); ok || src != nil {
		t.Error("there are files out of nowhere")
	}
	want := noSource{}
	if src, ok := From(Into(context.Background(), want)); !ok || src != want {
		t.Errorf("got %v", src)
	}
}
