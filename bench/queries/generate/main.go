// Command generate writes the generated queries of the bench: 8 files of 30
// queries in bench/queries/generated, drawn from the schema and from the world of
// the emulator. Run it from the root of the repository.
//
// It is not part of "make generate": a schema with a new field gives other queries,
// and the old ones stay valid. Run it when the schema lost something that they ask
// for, or when new fields are to be among them.
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

// run writes the files to a folder that exists. The seed of a file is its number.
func run(folder string) error {
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	w := world.New(1)
	for seed := range uint64(files) {
		text := queries.NewGenerator(schema, w, seed).Write(each)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("seed-%d.graphql", seed)), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
