# One door to everything. `make help` lists what there is.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH := $(CURDIR):$(CURDIR)/gen
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.installed: requirements.lock
	@PYTHON="$(PYTHON)" bash dev/install.sh

gen/onggi.binpb: $(VENV)/.installed dev/build_stubs.py $(shell find proto -name '*.proto')
	@$(BIN)/python -m dev.build_stubs
	@touch $@

.PHONY: install
install: $(VENV)/.installed gen/onggi.binpb ## Install what is locked into .venv, and build the stubs

.PHONY: gen
gen: gen/onggi.binpb ## Build the stubs from proto/

.PHONY: demo
demo: install ## The main job, end to end, on real parts; ends with "demo: OK"
	@$(BIN)/python -m dev.demo

.PHONY: run
run: install ## Keep the whole stack up and print how to call it
	@$(BIN)/python -m dev.run

.PHONY: test
test: install ## All tests but the long ones, the fast ones first
	@$(BIN)/python -m pytest tests/unit tests/contract
	@$(BIN)/python -m pytest tests/integration -m "not long" -n 2 --dist loadfile
	@$(BIN)/python -m pytest tests/e2e -m "not long"

.PHONY: test-long
test-long: install ## The long tests: keys rotated under load, moves killed at random, the vault at full size
	@$(BIN)/python -m pytest tests/e2e -m long

.PHONY: check
check: install ## Format, lint, types, layers, contract, manifests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/buf lint gen/onggi.binpb --config buf.yaml
	@if [ -f proto/released.binpb ]; then $(BIN)/buf breaking gen/onggi.binpb --against proto/released.binpb --config buf.yaml; fi
	@$(BIN)/python -m deploy.check_manifests

.PHONY: format
format: install ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only .

.PHONY: bench
bench: install ## Benchmarks: ratios, taken in one run; writes build/bench.json (ROWS=tokenize,members for some)
	@$(BIN)/python -m bench $(if $(ROWS),--only $(ROWS))

.PHONY: bench-rewrap
bench-rewrap: install ## Rewrapping 200,000 tokens beside the bare key server; writes build/rewrap.json (TOKENS=…: another number)
	@$(if $(TOKENS),ONGGI_BENCH_TOKENS=$(TOKENS)) $(BIN)/python -m bench.rewrap

.PHONY: bench-timing
bench-timing: install ## Whether the time of a reveal tells destroyed tokens from unknown ones; writes build/timing.json
	@$(BIN)/python -m bench.timing

.PHONY: import-test
import-test: install ## Import 200,000 synthetic cards, killed three times; count them, print the rate
	@$(BIN)/python -m bench.import_run

.PHONY: lock
lock: ## Make requirements.lock anew from pyproject.toml
	@bash dev/lock.sh

.PHONY: clean
clean: ## Remove what was built
	@rm -rf build gen gen.new
