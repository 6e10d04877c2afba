package redis

import (
	"testing"

	"mixcloud-graphql/internal/redistest"
)

func TestMain(m *testing.M) { redistest.Main(m) }
