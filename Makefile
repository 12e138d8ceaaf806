# `make test` is the one test command: it installs what it needs and runs everything that CI runs.
# Needed beforehand: Rust with rustfmt and clippy, Python 3 with venv and pip, and a C compiler.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# The stages of `make test` run in their order, one at a time; cargo uses the cores.
.NOTPARALLEL:

PYTHON ?= python3
VENV := .venv
# The interpreter with the programs that the tests compare with.
export AURA_PYTHON ?= $(CURDIR)/$(VENV)/bin/python
# Property tests draw the same cases in every run, so that a failure is of the change and not of the day. Look for new
# ones with another number: `make unit PROPTEST_RNG_SEED=2`.
export PROPTEST_RNG_SEED ?= 1
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

FEATURES ?= git
# Feature sets that must compile by themselves: none, and each alone.
FEATURE_SETS ?= none $(FEATURES)
FUZZ_TARGETS ?= csv ndjson json_array parquet ipc contract metric
FUZZ_SECONDS ?= 60
BENCH_ARGS ?=

STAGE := .ci/stage
# Clippy and rustdoc share one build of the dependencies, nextest and the doctests another: all of them
# use the dev profile and the same features.
WITH := --locked --workspace --features "$(FEATURES)"

.PHONY: help test fmt fmt-check lint unit doctest docs deny features fuzz bench bench-metrics clean

help: ## Show the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

test: fmt-check $(VENV)/.tests $(VENV)/.tools lint features docs unit doctest deny ## Run everything that CI runs.
	@echo; echo "make test: all stages passed"

fmt: ## Format the sources.
	cargo fmt --all
	cargo fmt --manifest-path aura-core/fuzz/Cargo.toml

fmt-check:
	@$(STAGE) fmt cargo fmt --all --check
	@$(STAGE) fmt-fuzz cargo fmt --manifest-path aura-core/fuzz/Cargo.toml --check

lint: ## Check with clippy; a warning is an error.
	@$(STAGE) clippy cargo clippy $(WITH) --all-targets -- -D warnings

# Clippy compiles like `cargo check`, and one tool shares its build of the dependencies with the stage before.
features: ## Check that each feature compiles alone.
	@for set in $(FEATURE_SETS); do \
	    $(STAGE) "feature $$set alone" cargo clippy --locked --package aura-core --no-default-features \
	        --features "$${set#none}" -- -D warnings || exit 1; \
	done

docs: ## Build the reference; a warning is an error.
	@RUSTDOCFLAGS="-D warnings" $(STAGE) docs cargo doc $(WITH) --no-deps

unit: $(VENV)/.tests $(VENV)/.tools ## Run the tests, without the examples in the documentation.
	@$(STAGE) tests cargo nextest run --config-file .ci/nextest.toml $(WITH)

doctest: ## Run the examples in the documentation.
	@$(STAGE) doctests cargo test --doc $(WITH)

deny: $(VENV)/.tools ## Check licences, sources, barred crates and, with a network, advisories.
	@$(STAGE) dependencies cargo deny --locked check --hide-inclusion-graph bans licenses sources
	@$(STAGE) advisories .ci/advisories

fuzz: $(VENV)/.tools ## Fuzz each target for FUZZ_SECONDS.
	@cp Cargo.lock aura-core/fuzz/Cargo.lock
	@for target in $(FUZZ_TARGETS); do \
	    $(STAGE) "fuzz $$target" aura-core/fuzz/run "$$target" "$(FUZZ_SECONDS)" || exit 1; \
	done

bench: $(VENV)/.benches ## Measure beside the peers and write docs/benchmarks/store.md.
	@$(VENV)/bin/python benches/run.py --date "$$(date -u +%F)" $(BENCH_ARGS)

bench-metrics: $(VENV)/.benches ## Ask AURA and its peers the same questions and write docs/benchmarks/metrics.md.
	@$(VENV)/bin/python benches/questions.py --date "$$(date -u +%F)" $(BENCH_ARGS)

clean: ## Remove what was built and installed.
	cargo clean
	rm -rf $(VENV)

$(VENV)/bin/python:
	@$(STAGE) venv $(PYTHON) -m venv $(VENV)

# A stamp per list of packages: installed again when the list changes.
$(VENV)/.tests: aura-core/tests/requirements.txt | $(VENV)/bin/python
	@$(STAGE) "install test peers" $(VENV)/bin/python -m pip install --quiet -r $<
	@touch $@

$(VENV)/.benches: benches/requirements.txt | $(VENV)/bin/python
	@$(STAGE) "install bench peers" $(VENV)/bin/python -m pip install --quiet -r $<
	@touch $@

$(VENV)/.tools: .ci/tools.txt | $(VENV)/bin/python
	@$(STAGE) "install tools" $(VENV)/bin/python -m pip install --quiet -r $< || \
	    $(STAGE) "build tools" cargo install --locked --root $(VENV) \
	        $$(sed -n 's/^astral-dev-toolchain-\(.*\)==/\1@/p' $<)
	@touch $@
