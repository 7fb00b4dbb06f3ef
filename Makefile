# Two commands matter: make run, make test. make help lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export CGO_ENABLED ?= 0

BIN := bin/portal
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -funcalign=16 -X huoban/internal/app.Version=$(VERSION)

# Where no time is spent, functions are called instead of copied into their callers: 3 MB less of program.
# The last pattern that matches a package counts, so what reads, adds up and draws lines keeps its copies.
SMALL := google.golang.org/protobuf/... github.com/prometheus/... \
	github.com/pressly/... github.com/wneessen/... golang.org/x/text/... codeberg.org/... github.com/jackc/pgx/v5/pgtype \
	github.com/parquet-go/... github.com/andybalholm/... github.com/twpayne/... github.com/nicksnyder/... \
	github.com/crewjam/... github.com/beevik/... golang.org/x/net/... text/template html/template encoding/gob encoding/xml \
	encoding/asn1 crypto/x509 crypto/tls mime/... net/mail vendor/golang.org/x/net/... vendor/golang.org/x/text/... google.golang.org/... huoban/...
FAST := web/templates/part web/templates/layout web/templates/expview internal/expenditure internal/money internal/id \
	internal/usage internal/attribution internal/ingest/... internal/monthclose internal/bill internal/peak internal/flow \
	internal/audit internal/sso/... internal/store internal/store/lite internal/store/expenditurestore \
	internal/store/usagestore internal/store/closestore internal/store/flowstore internal/store/auditstore \
	internal/store/sessionstore
GCFLAGS := $(SMALL:%=-gcflags=%=-l) $(FAST:%=-gcflags=huoban/%=)

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: help build run demo test test-saml check gen lint quick shots sheet bench fuzz clean

build: ## build bin/portal
	@go build -trimpath $(GCFLAGS) -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/portal

run: build ## build, make the demo data if there is none, serve on http://127.0.0.1:8080
	@exec $(BIN) serve --demo --dev

demo: build ## make the demo data only
	@$(BIN) demo

test: ## everything CI runs: both engines, browser, independent recomputation, drift, lint
	@scripts/test.sh

test-saml: ## independent SAML identity providers and consoles, brought and started here
	@scripts/samlpeers.sh

quick: ## unit and SQLite tests only
	@go test ./...

gen: ## regenerate templates and documents
	@go tool templ generate -path web/templates -log-level error
	@go generate ./...

lint: ## formatting, vet, staticcheck
	@scripts/lint.sh

check: gen test ## gen and test

shots: ## pictures of every page, both widths, languages and themes, into bin/shots (and docs/tour)
	@scripts/shots.sh

sheet: ## contact sheets of the main pages from the demo, into docs/sheet
	@scripts/sheet.sh

bench: build ## measure against known things (BENCH=full, BENCH=<goal>)
	@scripts/bench.sh

fuzz: ## 100,000 hostile deliveries and every fuzz target, for hours
	@scripts/fuzz.sh

clean: ## remove what was built
	@rm -rf bin
