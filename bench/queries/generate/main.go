// Command generate writes the generated queries of the benchmarks: 8 files of 30 queries in
// bench/queries/generated, for the schema and the emulator's data. Run it in the root of the
// repository.
//
// It is not part of "make generate": for a schema with a new field it generates different queries,
// while the old ones stay valid. Run it if a field that they select was removed from the schema, or
// to include new fields.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"mixcloud-graphql/bench/queries"
	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/mixcloud/emulator/world"
)

const (
	files = 8
	each  = 30 // queries in a file
)

func main() {
	if err := run(filepath.Join("bench", "queries", "generated")); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// run writes the files to a directory that exists. The seed of a file is its number.
func run(dir string) error {
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	w := world.New(1)
	for seed := range uint64(files) {
		text := queries.NewGenerator(schema, w, seed).Write(each)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("seed-%d.graphql", seed)), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
