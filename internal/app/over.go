package app

import (
	"log/slog"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/mixcloud"
)

// Over is [New] over a client that is there already: cfg's addresses and
// cfg.Demo do not count. It serves who brings a Mixcloud of their own, such as
// an emulator without a socket.
func Over(cfg config.Serve, client *mixcloud.Client, log *slog.Logger) (*App, error) {
	return newOver(cfg, client, nil, log)
}
