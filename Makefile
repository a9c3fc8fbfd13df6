# `make` alone says what there is.

FUZZTIME ?= 30s
BENCH ?= .
BENCHTIME ?= 1s
KILL ?= 1000
SOAK ?= 10m

# A row for each benchmark: what it reaches (ours-UNIT), what the floor reaches
# in the same run (floor-UNIT), their ratio, the time of one round, and whatever
# else it reports. CONTRIBUTING.md says how to write one.
define BENCH_TABLE
BEGIN {
	row = "%-48s %14s %14s %7s %14s  %s\n"
	printf row, "benchmark", "ours", "floor", "ratio", "ns/op", ""
}
/^pkg: / { sub(/^.*\/lienthong\/lienthong\/?/, ""); printf "\n%s\n", $$0 == "" ? "." : $$0; next }
/^Benchmark/ && NF > 3 {
	name = $$1; sub(/^Benchmark/, "", name); sub(/-[0-9]+$$/, "", name)
	ours = floor = ratio = "-"; time = rest = ""
	for (i = 3; i < NF; i += 2) {
		if ($$(i+1) ~ /^ours-/) ours = $$i " " substr($$(i+1), 6)
		else if ($$(i+1) ~ /^floor-/) floor = $$i " " substr($$(i+1), 7)
		else if ($$(i+1) == "ratio") ratio = sprintf("%.2f", $$i)
		else if ($$(i+1) == "ns/op") time = $$i
		else rest = rest $$i " " $$(i+1) "  "
	}
	printf row, "  " name, ours, floor, ratio, time, rest
	next
}
/^(ok|PASS|goos|goarch|cpu|\?)/ { next }
/./ { print; if (/^(FAIL|--- FAIL|panic)/) failed = 1 }
END { exit failed }
endef
export BENCH_TABLE

.DEFAULT_GOAL := help
.PHONY: help test race vet lint generate fuzz bench large cluster demo examples e2e e2e-hub build ci

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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

.PHONY: crash
crash: ## kill nodes 1,000 times, at every named point in turn and at random (KILL=200 make crash)
	go run ./cmd/lienthong selftest --kill $(KILL)

bench: ## run every benchmark and print it beside its floor (BENCH=Read BENCHTIME=3s make bench)
	@go test -run='^$$' -bench='$(BENCH)' -benchtime=$(BENCHTIME) -benchmem ./... | awk "$$BENCH_TABLE"

large: ## move 1 GB and hold 1,000 connections between processes, and look at their memory
	LIENTHONG_LARGE=1 go test ./transport/edoc ./transport/vxp ./cmd/lienthong -run='TestGigabyte|TestIdleConnections' -count=1 -v

.PHONY: bench-node
bench-node: ## a document through node, hub and node, beside the barest durable relay, on this disk and one of 2 ms
	@go test -run='^$$' -bench='Chain|FirstAttempt' -benchtime=$(BENCHTIME) ./node/hub | awk "$$BENCH_TABLE"

.PHONY: bench-pages
bench-pages: ## pages and lists with 1,000,000 records in the store beside the same with 1,000 (filling takes minutes)
	@LIENTHONG_BENCH_RECORDS=1000000 go test -run='^$$' -bench=Pages -benchtime=1x -timeout=60m ./cmd/lienthong | awk "$$BENCH_TABLE"

examples: ## run the clients of docs/examples against a node (needs curl, jq, a JDK, npm)
	LIENTHONG_EXAMPLES=1 go test ./cmd/lienthong -run='TestScript/example-' -count=1

e2e-hub: ## a document over three hubs and both wires, every process killed once
	go test ./cmd/lienthong -run 'TestScript/e2e-hub' -count=1 -v

.PHONY: soak
soak: ## 50 documents a second for 10 minutes over an axis with bad manners (SOAK=1m make soak)
	LIENTHONG_SOAK=$(SOAK) go test ./cmd/lienthong -run='^TestSoak$$' -count=1 -timeout=0 -v

cluster: ## kill -9 one of three hubs on one PostgreSQL 100 times under load, take it away for a minute, lose its primary; and count
	LIENTHONG_CLUSTER=100 go test ./cmd/lienthong -run='^Test(Outage|Failover|Cluster)$$' -count=1 -timeout=30m -v

e2e: ## have a headless Chromium walk through the pages; screenshots in bin/e2e
	LIENTHONG_E2E=$(CURDIR)/bin/e2e go test ./cmd/lienthong -run=TestPages -count=1 -v

demo: ## send a signed document through two nodes and an axis, and watch
	go run ./cmd/lienthong demo

build: ## build ./bin/lienthong, without cgo
	CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/...

ci: ## run everything that is checked before a change is taken
	.ci/run
