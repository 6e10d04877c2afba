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
			t.Errorf("UnmarshalGQL accepted %v", v)
		}
	}
	var out strings.Builder
	if want.MarshalGQL(&out); out.String() != "null" {
		t.Errorf("MarshalGQL wrote %s", out.String())
	}
}

type noSource struct{ Source }

func TestFromContext(t *testing.T) {
	t.Parallel()
	if src, ok := FromContext(context.Background()); ok || src != nil {
		t.Error("a context without files returned files")
	}
	want := noSource{}
	if src, ok := FromContext(NewContext(context.Background(), want)); !ok || src != want {
		t.Errorf("got %v", src)
	}
}
