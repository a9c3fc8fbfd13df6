# `make` alone says what there is.

FUZZTIME ?= 30s

.DEFAULT_GOAL := help
.PHONY: help test race vet lint generate fuzz bench demo build ci

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: ## run every test
	go test ./...

race: ## run every test in random order under the race detector
	go test -race -shuffle=on ./...

vet: ## run go vet
	go vet ./...

lint: ## run golangci-lint (installs the right version into GOPATH/bin)
	.ci/run lint

generate: ## write the generated files anew
	go generate ./...

fuzz: ## run every fuzz target for 30 s each (FUZZTIME=5m make fuzz)
	FUZZTIME=$(FUZZTIME) .ci/run fuzz

bench: ## run every benchmark
	go test -run='^$$' -bench=. -benchmem ./...

demo: ## send a signed document through two nodes and an axis, and watch
	go run ./cmd/lienthong demo

build: ## build ./bin/lienthong, without cgo
	CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/...

ci: ## run everything that is checked before a change is taken
	.ci/run
