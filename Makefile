# amint: everyday commands. `make demo` and `make test` set up everything they need themselves.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
AMINT = $(CARGO_TARGET_DIR)/release/amint
# The clients of AWS that `scripts/setup.sh test` installs.
export PATH := $(HOME)/.cache/amint/python/bin:$(PATH)

.PHONY: help
help: ## show these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## build, harden, boot-test and store the example web server
	@scripts/setup.sh run
	@echo "demo: compiling amint" >&2
	@cargo build --release --locked --quiet -p amint
	@scripts/demo.sh "$(AMINT)"

.PHONY: build
build: ## compile the release binary
	cargo build --release --locked -p amint

.PHONY: test
test: ## run all tests (boots machines; AMINT_SKIP_BOOTS=1 leaves those out)
	@scripts/setup.sh test
	cargo nextest run --workspace --locked
	cargo test --workspace --locked --doc --quiet

.PHONY: lint
lint: ## format, clippy, licences, generated files
	@scripts/setup.sh lint
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo deny check bans licenses sources
	cargo run --quiet --locked -p xtask -- generate --check

.PHONY: generate
generate: ## make the generated files anew
	cargo run --quiet --locked -p xtask -- generate

.PHONY: bench
bench: ## compare with peers on the same work, in the same run
	@scripts/setup.sh test
	cargo build --release --locked --quiet -p amint
	bench/build/run.sh "$(AMINT)"
	bench/scan/run.sh "$(AMINT)"
	bench/publish/run.sh "$(AMINT)"
	bench/judge/run.sh
	bench/secrets/run.sh "$(AMINT)"
	bench/cloud/run.sh "$(AMINT)"
	bench/identity/run.sh
