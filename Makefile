# "make" alone lists the targets. Their commands are short, so that they can be typed
# without make.
LINT = go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GENERATED = graph/generated/*.go graph/model/models_gen.go

# A property test that fails prints its seed, and saves no file.
export RAPID_NOFAILFILE = 1

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## serve an emulated Mixcloud in memory: http://127.0.0.1:8080
	go run . --demo

run: ## serve the live Mixcloud
	go run .

test: ## run the tests
	go test ./...

race: ## run the tests with the race detector, in a random order
	RAPID_CHECKS=20 GORACE=atexit_sleep_ms=50 go test -race -shuffle=on ./...

fuzz: ## run each fuzz target for FUZZTIME (default 30s)
	.ci/fuzz $(or $(FUZZTIME),30s)

golden: ## rewrite golden files, and the responses and tables of the documents; then read the diff
	go test ./internal/app ./internal/config ./internal/conformance ./internal/layering ./mixcloud ./mixcloud/emulator/world -update
	go test ./internal/app -update-readme

generate: ## generate the GraphQL code after a change of the schema
	rm -f $(GENERATED)
	go generate .

playground: ## build the playground's bundle from web/playground (needs Node 20)
	npm ci --prefix web/playground --no-audit --no-fund --ignore-scripts
	npm run --prefix web/playground build

lint: ## run the linters
	go vet ./...
	$(LINT) run ./...

fmt: ## format the Go code
	$(LINT) fmt ./...

check: ## run all checks of CI, in the same order
	.ci/run

release: ## build the release into dist/: programs, SBOMs and SHA256SUMS
	.ci/release $(VERSION)

bench: ## run the benchmarks
	go test -run '^$$' -bench . -benchmem ./...

soak: ## test the server for 10 minutes with valid and 1,000,000 malformed requests
	go run ./bench/soak

.PHONY: help demo run test race fuzz golden generate playground lint fmt check release bench soak
