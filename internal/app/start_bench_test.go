package app

import (
	"log/slog"
	"testing"

	"mixcloud-graphql/internal/config"
)

// BenchmarkNew measures the part of the start that comes after the initialization of the packages.
func BenchmarkNew(b *testing.B) {
	for name, args := range map[string][]string{"live": {"serve"}, "demo": {"serve", "--demo"}} {
		b.Run(name, func(b *testing.B) {
			command, err := config.Parse(args, nil, b.Output())
			if err != nil {
				b.Fatal(err)
			}
			cfg := *command.(*config.Serve)
			cfg.PublicURL = "http://127.0.0.1:8080"
			b.ReportAllocs()
			for b.Loop() {
				a, err := New(cfg, slog.New(slog.DiscardHandler))
				if err != nil {
					b.Fatal(err)
				}
				if err := a.Close(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
