# `make` prints what there is. Caches live in the user's cache folder, so that a second checkout is fast.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-builtin-variables

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/blabber-hive
VERSION := $(or $(shell git describe --tags --always --dirty 2>/dev/null),unknown)
FUZZTIME ?= 30s
# How long the tests of one package may take: real services on a small machine that does other things too.
PATIENCE ?= 40m
SEEDS ?= 500
# What decides which faults make torture injects, and for how long.
SEED ?= 1
DURATION ?= 10m
BENCH ?= .

# -race needs a C compiler; scripts/deps.sh says so where there is none. SQLite's own code, translated from C, is left out
# of it: watching its every load made the store's tests compute 2.4 times as long, for races that are not ours. Its driver
# is watched, as all of our code.
RACE := $(if $(shell command -v cc),-race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc/...=-race=false)

# The tools of tools/go.mod are built once for each version of them and of Go.
TOOLS := $(CACHE)/tools-$(shell (go env GOVERSION; cat tools/go.mod) | sha256sum | cut -c1-16)
LINT := $(TOOLS)/golangci-lint
GOTESTSUM := $(TOOLS)/gotestsum
# What the backups of deploy/k8s/backup are made with; a module of its own, as it has a cloud's worth of others.
RESTIC := $(CACHE)/restic-$(shell (go env GOVERSION; cat tools/restic/go.mod) | sha256sum | cut -c1-16)/restic

# What converts compose.yaml to manifests, and what renders and looks through those of deploy/k8s; modules of their own likewise.
KOMPOSE := $(CACHE)/kompose-$(shell (go env GOVERSION; cat tools/kompose/go.mod) | sha256sum | cut -c1-16)/kompose
MANIFEST_TOOLS := $(CACHE)/manifests-$(shell (go env GOVERSION; cat tools/manifests/go.mod) | sha256sum | cut -c1-16)
KUBE_SCORE := $(MANIFEST_TOOLS)/kube-score

# Folders are listed with their files: their time changes when a file is deleted.
CLIENT := web/dist/client/index.html
CLIENT_SOURCES := $(shell find web -name node_modules -prune -o -path web/dist -prune -o -path web/dev-dist -prune \
	-o -path web/e2e -prune -o -path web -o -name '.*' -o -name '*.go' -o -print)
MODULES := web/node_modules/.package-lock.json

.PHONY: help
help: ## print this
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

## Build and run

.PHONY: run
run: build ## build what is stale and serve http://localhost:8080 with data in ./data
	bin/blabber-hive $(ARGS)

# Without gin's MessagePack, which nobody speaks here, the binary is 6 MB smaller. The Dockerfile builds likewise.
.PHONY: build
build: web ## build bin/blabber-hive with the web client inside
	CGO_ENABLED=0 go build -tags nomsgpack -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)' -o bin/blabber-hive ./cmd/blabber-hive

.PHONY: web
web: $(CLIENT) ## build the web client, if anything of it changed

$(CLIENT): $(MODULES) $(CLIENT_SOURCES)
	cd web && npx --no-install vite build
	@touch $@

.PHONY: web-static
web-static: $(CLIENT) ## the web client for a static host, in web/dist/static: API=https://api.example.com (docs/hosting.md)
	@node scripts/web-static.mjs web/dist/static $(API) $(CONNECT)

$(MODULES): web/package-lock.json
	scripts/web-deps.sh

.PHONY: dev
dev: $(MODULES) ## serve with reloading: the client on vite's port, the server behind it
	scripts/dev.sh

.PHONY: up-local
up-local: ## the chat in a Kubernetes on this machine: kubectl's current one, or one that kind makes (docs/deploy.md)
	@scripts/up-local.sh

.PHONY: down-local
down-local: ## take it away again, with what was said in it
	@scripts/up-local.sh --down

.PHONY: sentiment
sentiment: ## the model server that reads moods, on http://localhost:8000
	@scripts/sentiment.sh $(ARGS)

.PHONY: services
services: ## PostgreSQL, Redis and Kafka for yourself until Ctrl-C, and the variables that name them
	@$(SERVICES) $(ARGS)

.PHONY: up
up: ## a chat in AWS, from nothing or from the commit before: ENV=staging or ENV=production (docs/deploy.md)
	@scripts/up.sh $(ENV)

.PHONY: down
down: ## take it away again, but for its backups
	@scripts/up.sh --down $(ENV)

## Test

.PHONY: test
test: deps ## everything: check, Go with -race, web, sentiment, build, end to end, manifests, Terraform, images, short fuzzing, simulation
	@FUZZTIME=$(if $(filter file,$(origin FUZZTIME)),5s,$(FUZZTIME)) scripts/test.sh check test-go test-web test-sentiment build test-e2e test-compose test-k8s-data test-k8s test-terraform test-images fuzz sim

.PHONY: check
check: ## formats, linters, layout, types: what needs no running
	@$(MAKE) --no-print-directory --keep-going lint-go arch tidy lint-web types-web lint-sentiment types-sentiment lint-deploy lint-k8s lint-terraform

.PHONY: lint-go
lint-go: $(LINT)
	$(LINT) run ./...
	cd deploy/compose/composetest && $(LINT) run ./...
	cd deploy/compose/grafana/generate && $(LINT) run ./...
	cd deploy/k8s/k8stest && $(LINT) run ./...

.PHONY: arch
arch:
	go test ./internal/archtest

.PHONY: tidy
tidy:
	go mod tidy -diff
	cd deploy/compose/composetest && go mod tidy -diff
	cd deploy/compose/grafana/generate && go mod tidy -diff
	cd deploy/k8s/k8stest && go mod tidy -diff

.PHONY: lint-web
lint-web: $(MODULES)
	cd web && npm run --silent lint

.PHONY: lint-deploy
lint-deploy: ## Dockerfiles and YAML
	scripts/lint-deploy.sh

.PHONY: lint-k8s
lint-k8s: $(KUBE_SCORE) ## what the overlays of deploy/k8s render to, by kube-score
	scripts/lint-k8s.sh $(MANIFEST_TOOLS)

.PHONY: types-web
types-web: $(MODULES)
	cd web && npm run --silent typecheck

.PHONY: lint-terraform
lint-terraform:
	@terraform fmt -check -recursive -diff deploy/terraform

# The sentiment service's tools and tests run in an environment of its lock file, kept in the cache.
SENTIMENT = cd sentiment && export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=src:train && python=$$(../scripts/sentiment-env.sh dev)/bin/python

.PHONY: lint-sentiment
lint-sentiment:
	@$(SENTIMENT) && $$python -m ruff check --quiet . && $$python -m ruff format --quiet --check .

.PHONY: types-sentiment
types-sentiment:
	@$(SENTIMENT) && $$python -m mypy

# All packages share one set of services, which takes longer to start than most of them to test.
SERVICES := go run ./test/services

.PHONY: test-go
test-go: $(GOTESTSUM) ## Go tests, all but end to end
	$(SERVICES) -- $(GOTESTSUM) --format pkgname --hide-summary skipped -- -timeout $(PATIENCE) $(RACE) $$(go list ./... | grep -vE '/test/(e2e|k8s)')

.PHONY: test-web
test-web: $(MODULES) ## the web client's tests
	cd web && npm test

.PHONY: test-sentiment
test-sentiment: ## the sentiment service's tests, and its model's figures
	@$(SENTIMENT) && $$python train/rated.py && $$python -m pytest && $$python train/evaluate.py --check

# The binary is tested as it is shipped, crash tests from Go, screens in a browser.
.PHONY: test-e2e
test-e2e: $(GOTESTSUM) $(RESTIC) build ## end to end: crashes (test/e2e) and a browser (web/e2e)
	$(if $(wildcard test/e2e/*.go),BLABBER_HIVE_BINARY=$(CURDIR)/bin/blabber-hive RESTIC=$(RESTIC) $(GOTESTSUM) --format testname -- -count=1 -timeout $(PATIENCE) ./test/e2e/...)
	$(if $(wildcard web/e2e/*.mjs),scripts/browser.sh)

.PHONY: torture
torture: build ## all faults at random in a cluster, for DURATION (10m) from SEED (1)
	BLABBER_HIVE_BINARY=$(CURDIR)/bin/blabber-hive go test -count=1 -v -timeout 0 -run '^TestTorture$$' ./test/e2e \
		-torture=$(DURATION) -torture-seed=$(SEED) $(ARGS)

# Modules of their own, for Docker's parser of compose files and for Grafana's types.
.PHONY: test-compose
test-compose: $(GOTESTSUM) ## what compose.yaml means, by Docker's own parser; dashboards by Grafana's schema
	cd deploy/compose/composetest && $(GOTESTSUM) --format testname -- -count=1 ./...
	cd deploy/compose/grafana/generate && $(GOTESTSUM) --format testname -- -count=1 ./...

# The control plane is built from Go modules: 15 minutes the first time, then it lies in the user's cache. Its tests mostly wait.
.PHONY: test-k8s
test-k8s: $(GOTESTSUM) ## the manifests of deploy/k8s on a real API server, with Kubernetes' controllers and played nodes
	KUBERNETES_TOOLS=$$(scripts/k8s-tools.sh) $(GOTESTSUM) --format testname -- -count=1 -parallel 5 -timeout $(PATIENCE) ./test/k8s

.PHONY: test-k8s-data
test-k8s-data: $(GOTESTSUM) $(KOMPOSE) ## what the manifests of deploy/k8s mean, and that nothing of compose.yaml is missing
	cd deploy/k8s/k8stest && KOMPOSE=$(KOMPOSE) $(GOTESTSUM) --format testname -- -count=1 .

.PHONY: kompose
kompose: $(KOMPOSE) ## what Kompose makes of compose.yaml, in build/kompose, to compare with deploy/k8s
	@rm -rf build/kompose && mkdir -p build/kompose
	POSTGRES_PASSWORD=secret REDIS_PASSWORD=secret GRAFANA_PASSWORD=secret \
		$(KOMPOSE) --suppress-warnings convert --profile supabase --volumes hostPath --file compose.yaml --out build/kompose/

.PHONY: images
images: ## build the images with Docker, podman or buildah; STAND_INS=1 where no registry can be reached
	scripts/images.sh $(ARGS)

.PHONY: test-images
test-images: ## build the images on stand-ins for their bases (root on Debian), start the server's, hold it to what it promises
	scripts/test-images.sh

.PHONY: test-terraform
test-terraform: ## deploy/terraform without an account: plans, refusals, the layer, the order of up (TERRAFORM_CHECK: without a registry)
	@scripts/test-terraform.sh

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (30s)
	@scripts/fuzz.sh $(FUZZTIME)

.PHONY: sim
sim: $(GOTESTSUM) ## simulate SEEDS (500) runs of a server or a cluster that lose, crash and repeat
	$(GOTESTSUM) --format testname -- -count=1 -run TestSimulation ./internal/sim -args -seeds=$(SEEDS)

.PHONY: bench
bench: build ## the built server beside what this machine can do without it (docs/benchmarks.md)
	go run ./test/bench -binary bin/blabber-hive $(ARGS)

.PHONY: bench-sentiment
bench-sentiment: ## texts a second on one core: the sentiment model, and VADER
	@$(SENTIMENT) && $$python train/bench.py

.PHONY: measure
measure: build ## the built client in Chromium: size, Lighthouse, keys and rooms (docs/benchmarks.md)
	cd web && node e2e/measure.mjs

.PHONY: bench-go
bench-go: ## Go benchmarks that match BENCH
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./...

.PHONY: vuln
vuln: $(LINT) ## known vulnerabilities in what we build on; asks the Go vulnerability database
	$(TOOLS)/govulncheck ./...

.PHONY: restic
restic: $(RESTIC) ## build restic, which tests of backups need, and say where it is
	@echo $(RESTIC)

## Housekeeping

.PHONY: fmt
fmt: $(LINT) $(MODULES) ## format everything
	$(LINT) fmt
	cd web && npm run --silent format
	$(SENTIMENT) && $$python -m ruff check --fix-only --quiet . && $$python -m ruff format --quiet .

.PHONY: dashboards
dashboards: ## write Grafana's dashboards anew from deploy/compose/grafana/generate
	cd deploy/compose/grafana/generate && go run . ../dashboards

.PHONY: sentiment-model
sentiment-model: ## train the sentiment model again and write its figures
	@$(SENTIMENT) && $$python train/train.py && $$python train/evaluate.py

.PHONY: sentiment-lock
sentiment-lock: ## lock the newest versions that sentiment/pyproject.toml allows
	@scripts/sentiment-lock.sh

.PHONY: deps
deps: ## check that this machine has what is needed, install what may be
	@scripts/deps.sh

.PHONY: clean
clean: ## delete what was built; data stays
	rm -rf bin build coverage web/dist/client web/dist/static web/coverage
	go clean -testcache

$(LINT) $(GOTESTSUM) &: tools/go.mod tools/go.sum
	@mkdir -p $(TOOLS)
	cd tools && go build -o $(TOOLS)/ tool
	@touch $(LINT) $(GOTESTSUM)

$(RESTIC): tools/restic/go.mod tools/restic/go.sum
	@mkdir -p $(@D)
	cd tools/restic && CGO_ENABLED=0 go build -trimpath -o $@ github.com/restic/restic/cmd/restic
	@touch $@

$(KOMPOSE): tools/kompose/go.mod tools/kompose/go.sum
	@mkdir -p $(@D)
	cd tools/kompose && CGO_ENABLED=0 go build -trimpath -o $@ github.com/kubernetes/kompose
	@touch $@

$(KUBE_SCORE): tools/manifests/go.mod tools/manifests/go.sum
	@mkdir -p $(MANIFEST_TOOLS)
	cd tools/manifests && CGO_ENABLED=0 go build -trimpath -o $(MANIFEST_TOOLS)/ tool
	@touch $@
