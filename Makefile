# `make test` is the one test command: it installs what it needs and runs everything that CI runs.
# Needed beforehand: Rust with rustfmt and clippy, Python 3 with venv and pip, Node 20 with npm, and compilers for C and C++.
# What the tests of the C library run beside them (valgrind, Ruby), `make` installs where it may, and names where it may not.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# The stages of `make test` run in their order, one at a time; cargo uses the cores.
.NOTPARALLEL:

PYTHON ?= python3
VENV := .venv
NODE := aura-node/node_modules
# The interpreter with the programs that the tests compare with.
export AURA_PYTHON ?= $(CURDIR)/$(VENV)/bin/python
# Property tests draw the same cases in every run, so that a failure is of the change and not of the day. Look for new
# ones with another number: `make unit PROPTEST_RNG_SEED=2`.
export PROPTEST_RNG_SEED ?= 1
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

FEATURES ?= git pdf postgres xlsx
# Feature sets that `make features` compiles by themselves: none, and each alone. They change features of crates below
# DataFusion, which is then compiled again: `make test` looks at the one without any.
FEATURE_SETS ?= none $(FEATURES)
FUZZ_TARGETS ?= csv ndjson json_array preset parquet ipc contract metric
FUZZ_SECONDS ?= 60
BENCH_ARGS ?=
TARGET := $(or $(CARGO_TARGET_DIR),target)
# Where the C library is put together for its tests, and installed on demand.
FFI_BUILD := $(abspath $(TARGET))/ffi-build
PREFIX ?= /usr/local

STAGE := .ci/stage
# Clippy and rustdoc share one build of the dependencies, nextest and the doctests another: all of them
# use the dev profile and the same features.
WITH := --locked --workspace --features "$(FEATURES)"

.PHONY: help test fmt fmt-check lint unit doctest docs python wheel node same npm-package ffi ffi-header ffi-bindings ffi-install deny features features-none fuzz bench bench-metrics bench-behavior bench-ffi clean

help: ## Show the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

test: fmt-check $(VENV)/.tests $(VENV)/.tools lint features-none docs unit doctest python node same ffi deny ## Run everything that CI runs.
	@echo; echo "make test: all stages passed"

fmt: ## Format the sources.
	cargo fmt --all
	cargo fmt --manifest-path aura-core/fuzz/Cargo.toml
	cargo fmt --manifest-path aura-ffi/tools/Cargo.toml

fmt-check:
	@$(STAGE) fmt cargo fmt --all --check
	@$(STAGE) fmt-fuzz cargo fmt --manifest-path aura-core/fuzz/Cargo.toml --check
	@$(STAGE) fmt-ffi cargo fmt --manifest-path aura-ffi/tools/Cargo.toml --check

lint: ## Check with clippy; a warning is an error.
	@$(STAGE) clippy cargo clippy $(WITH) --all-targets -- -D warnings

# Clippy compiles like `cargo check`, and one tool shares its build of the dependencies with the stage before.
features-none:
	@$(MAKE) --no-print-directory features FEATURE_SETS=none

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

# maturin runs cargo as the stages before did, and takes what they compiled.
python: $(VENV)/.python ## Build the Python package, install it and test it.
	@$(STAGE) "python package" $(VENV)/bin/maturin develop --quiet --locked --manifest-path aura-py/Cargo.toml
	@$(STAGE) "python tests" $(VENV)/bin/python -m pytest -c aura-py/pyproject.toml aura-py/tests

wheel: $(VENV)/.python ## Build the Python package for release, into target/wheels.
	@$(STAGE) wheel $(VENV)/bin/maturin build --release --locked --manifest-path aura-py/Cargo.toml

# Cargo takes what it compiled for the stages before. Panics over damaged input are caught, and their traces would only be in the way.
node: $(NODE)/.installed ## Build the Node package and test it, and the example service with it.
	@$(STAGE) "node package" node aura-node/build.mjs
	@RUST_BACKTRACE=0 $(STAGE) "node tests" npm --prefix aura-node test
	@$(STAGE) "node service" npm --prefix examples/node-service install --no-audit --no-fund
	@RUST_BACKTRACE=0 $(STAGE) "node service tests" npm --prefix examples/node-service test

same: python node ## Check that tables are the same bytes in Python and in Node.
	@RUST_BACKTRACE=0 $(STAGE) "same tables" node --test aura-node/tests/same/*.test.mjs

npm-package: $(NODE)/.installed ## Build the Node package for release, into target/npm, and measure it.
	@$(STAGE) "node package" node aura-node/build.mjs --release
	@rm -rf target/npm && mkdir -p target/npm
	@cd aura-node && ../$(STAGE) "npm pack" npm pack --pack-destination ../target/npm
	@AURA_NPM_PACKAGE="$$(ls $(CURDIR)/target/npm/*.tgz)" RUST_BACKTRACE=0 $(STAGE) "node package" \
	    node --test --expose-gc --test-concurrency=1 aura-node/tests/package.test.mjs aura-node/tests/cost.test.mjs

# The tests call the library that was built for them, with a function that panics; the tools that write header and bindings
# are a workspace of their own, so that their features touch nothing else.
FFI_TOOLS := cargo run --quiet --locked --manifest-path aura-ffi/tools/Cargo.toml --target-dir $(TARGET)/ffi-tools --
ffi: $(VENV)/.python $(VENV)/.ffi ## Build the C library and the bindings of UniFFI, and test them (after `make python`).
	@$(STAGE) "ffi needs" aura-ffi/pkg/needs
	@$(STAGE) "ffi library" cargo build --locked --package aura-ffi --features test-panic
	@$(STAGE) "ffi install" aura-ffi/pkg/install $(TARGET)/debug $(FFI_BUILD)
	@$(STAGE) "ffi header" $(FFI_TOOLS) header aura-ffi $(FFI_BUILD)/aura.h
	@$(STAGE) "ffi bindings" $(FFI_TOOLS) bindings aura-ffi/uniffi.toml $(TARGET)/debug/libaura.so $(FFI_BUILD)/uniffi
	@ln -sf ../lib/libaura.so $(FFI_BUILD)/uniffi/libaura.so
	@AURA_FFI_BUILD=$(FFI_BUILD) LD_LIBRARY_PATH=$(FFI_BUILD)/lib \
	    $(STAGE) "ffi tests" $(VENV)/bin/python -m pytest -q -p no:cacheprovider aura-ffi/tests

ffi-header: ## Write aura-ffi/include/aura.h anew from the sources.
	@$(STAGE) "ffi header" $(FFI_TOOLS) header aura-ffi aura-ffi/include/aura.h

ffi-bindings: ## Build the C library for release and write Kotlin, Python, Ruby and Swift into target/ffi-bindings.
	@$(STAGE) "ffi library" cargo build --release --locked --package aura-ffi
	@$(STAGE) "ffi bindings" $(FFI_TOOLS) bindings aura-ffi/uniffi.toml $(TARGET)/release/libaura.so $(TARGET)/ffi-bindings

ffi-install: ## Build the C library for release and install it into PREFIX.
	@$(STAGE) "ffi library" cargo build --release --locked --package aura-ffi
	@$(STAGE) "ffi install" aura-ffi/pkg/install $(TARGET)/release $(PREFIX)

bench-ffi: ## Measure what a call from C costs, on a release build; the bar is 50 us.
	@$(STAGE) "ffi library" cargo build --release --locked --package aura-ffi
	@aura-ffi/pkg/install $(TARGET)/release $(FFI_BUILD)-release
	@cd aura-ffi/tests/c && gcc -O2 -I $(FFI_BUILD)-release/include overhead.c events.c -L $(FFI_BUILD)-release/lib \
	    -Wl,-rpath,$(FFI_BUILD)-release/lib -laura -o $(FFI_BUILD)-release/overhead
	@$(FFI_BUILD)-release/overhead 50

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
	@$(VENV)/bin/python benches/questions.py metrics --date "$$(date -u +%F)" $(BENCH_ARGS)

bench-behavior: $(VENV)/.benches ## Ask AURA and its peers about behaviour and write docs/benchmarks/behavior.md.
	@$(VENV)/bin/python benches/questions.py behavior --date "$$(date -u +%F)" $(BENCH_ARGS)

clean: ## Remove what was built and installed.
	cargo clean
	rm -rf $(VENV) $(NODE) aura-node/dist aura-node/*.node examples/node-service/node_modules

$(VENV)/bin/python:
	@$(STAGE) venv $(PYTHON) -m venv $(VENV)

# A stamp per list of packages: installed again when the list changes.
$(VENV)/.tests: aura-core/tests/requirements.txt | $(VENV)/bin/python
	@$(STAGE) "install test peers" $(VENV)/bin/python -m pip install --quiet -r $<
	@touch $@

$(VENV)/.python: aura-py/tests/requirements.txt | $(VENV)/bin/python
	@$(STAGE) "install Python peers" $(VENV)/bin/python -m pip install --quiet -r $<
	@touch $@

$(NODE)/.installed: aura-node/package.json aura-node/package-lock.json
	@$(STAGE) "install Node peers" npm --prefix aura-node ci --ignore-scripts
	@touch $@

$(VENV)/.ffi: aura-ffi/tests/requirements.txt | $(VENV)/bin/python
	@$(STAGE) "install ffi peers" $(VENV)/bin/python -m pip install --quiet -r $<
	@touch $@

$(VENV)/.benches: benches/requirements.txt | $(VENV)/bin/python
	@$(STAGE) "install bench peers" $(VENV)/bin/python -m pip install --quiet -r $<
	@touch $@

$(VENV)/.tools: .ci/tools.txt | $(VENV)/bin/python
	@$(STAGE) "install tools" $(VENV)/bin/python -m pip install --quiet -r $< || \
	    $(STAGE) "build tools" cargo install --locked --root $(VENV) \
	        $$(sed -n 's/^astral-dev-toolchain-\(.*\)==/\1@/p' $<)
	@touch $@
