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
		t.Errorf("UnmarshalGQL = %v, %v, want %v", got, err, want)
	}
	for _, v := range []any{nil, "text", 7, map[string]any{"Part": "0"}, &want} {
		if err := new(File).UnmarshalGQL(v); err == nil {
			t.Errorf("UnmarshalGQL(%v) returned no error", v)
		}
	}
	var out strings.Builder
	if want.MarshalGQL(&out); out.String() != "null" {
		t.Errorf("MarshalGQL wrote %s, want null", out.String())
	}
}

type noSource struct{ Source }

func TestFromContext(t *testing.T) {
	t.Parallel()
	if src, ok := FromContext(context.Background()); ok || src != nil {
		t.Errorf("FromContext without files = %v, %v, want nil, false", src, ok)
	}
	want := noSource{}
	if src, ok := FromContext(NewContext(context.Background(), want)); !ok || src != want {
		t.Errorf("FromContext = %v, %v, want the source", src, ok)
	}
}
