package show_test

import (
	"errors"
	"testing"
	"time"

	"mixcloud-graphql/internal/show"
)

type node struct {
	Name  string
	count *int
	Next  *node
	Body  []byte
}

func TestValue(t *testing.T) {
	t.Parallel()
	loop := &node{Name: "loop"}
	loop.Next = loop
	var none *node
	for _, tt := range []struct {
		value any
		want  string
	}{
		{nil, "nil"},
		{none, "nil"},
		{new(7), "7"},
		{[]*string{new("a"), nil}, `["a" nil]`},
		{&node{Name: "a", count: new(3), Body: []byte("x")}, `{Name:"a" count:3 Next:nil Body:"x"}`},
		{map[string]*bool{"k": new(true)}, `map["k":true]`},
		{time.Second, "1s"},
		{errors.New("failed"), "failed"},
		{struct{ Any any }{new(1.5)}, "{Any:1.5}"},
		{loop, `{Name:"loop" count:nil Next:{Name:"loop" count:nil Next:{Name:"loop" count:nil Next:{Name:"loop" count:nil Next:… Body:nil} Body:nil} Body:nil} Body:nil}`},
	} {
		if got := show.Value(tt.value); got != tt.want {
			t.Errorf("Value() = %s, want %s", got, tt.want)
		}
	}
}
