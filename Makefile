# `make demo` and `make test` are all that a newcomer needs; each sets up what it needs, inside .local/.
# Settings: FEED=file.jsonl.gz  KEEP=1  LANG_OUT=zh|en  ONLY=name  PYTHON=python3.12

SHELL := /bin/bash
BIN := .local/venv/bin
PYTHON ?=

# Python keeps what it has compiled inside .local/, so that programs start fast and the checkout stays clean.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.local/cache/pycache
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup up down demo test check live simulate fuzz chaos bench migrate schema clean requirements

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18
	@echo; echo "  demo: FEED=file.jsonl.gz (a feed of your own)  KEEP=1 (go on from the last run)  LANG_OUT=zh|en"

# Debian's interpreter comes first where there is one: it is built with optimizations that self-built ones often lack.
setup: ## Install everything into .local/ (under a second when nothing changed)
	@for python in $(or $(PYTHON),/usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11); do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    exec "$$python" -I requirements/install.py; fi; done; \
	echo "setup: needs Python 3.11 or later, and found none; install it, or name one: make PYTHON=/path/to/python3.12" >&2; exit 1

up: setup ## Start Kafka, PostgreSQL and the five services, or find them running
	@$(BIN)/arrears up

down: ## Stop what was started here, and nothing else
	@if [ -x $(BIN)/arrears ]; then $(BIN)/arrears down; else echo "nothing was started here"; fi

demo: setup ## A portfolio's whole life through five services, in a few minutes
	@$(BIN)/arrears demo $(if $(FEED),--feed "$(FEED)") $(if $(KEEP),--keep) $(if $(LANG_OUT),--lang "$(LANG_OUT)")

# Half of the tests wait for servers while the other half compute, so two processes fill two cores.
test: check ## Every check and every test, on a real Kafka and PostgreSQL
	@$(BIN)/python -m pytest -n 2 --dist worksteal

check: setup ## Format, lint, types and import contracts
	$(BIN)/ruff check --cache-dir .local/cache/ruff .
	$(BIN)/ruff format --check --cache-dir .local/cache/ruff .
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir .local/cache/import-linter

live: setup ## Only the tests on a real Kafka and PostgreSQL
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m live

simulate: setup ## Seeded interleavings and faults in memory (SEEDS=n: how many, 10000; SEED=n: one, told; JOBS=n)
	@SEED="$(SEED)" SEEDS="$(or $(SEEDS),$(if $(SEED),,10000))" JOBS="$(JOBS)" $(BIN)/python -m pytest -s -q --timeout=0 tests/simulation/test_simulation.py

fuzz: setup ## Bad input in memory (RECORDS=n: of the feed, 100000; REQUESTS=n: over HTTP, 20000; SEED=n)
	@RECORDS="$(or $(RECORDS),100000)" REQUESTS="$(or $(REQUESTS),20000)" SEED="$(SEED)" $(BIN)/python -m pytest -q --timeout=0 tests/fuzz
	@cmp -s requirements/fuzz.txt .local/fuzz/installed.txt || { rm -rf .local/fuzz; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
	    --target .local/fuzz -r requirements/fuzz.txt && cp requirements/fuzz.txt .local/fuzz/installed.txt; } || true
	@PYTHONPATH=.local/fuzz $(BIN)/python tests/fuzz/guided.py "$(or $(RECORDS),100000)" "$(or $(SEED),1)"

chaos: setup ## Faults on a real Kafka and PostgreSQL while a feed runs (FAULTS=n: how many, 100; SEED=n)
	@$(BIN)/arrears chaos $(if $(FAULTS),--faults "$(FAULTS)") $(if $(SEED),--seed "$(SEED)")

bench: setup ## Speed beside a raw pipe in the same run (ONLY=name for one row, SCALE=0.05 to try, MILLION=1: growth to 1 M)
	@$(BIN)/arrears bench $(if $(ONLY),--only "$(ONLY)") $(if $(SCALE),--scale "$(SCALE)") $(if $(MILLION),--million)

migrate: setup ## Bring every service's database to the newest tables
	@$(BIN)/arrears migrate

schema: setup ## Write the schemas that are generated from the code into docs/
	@$(BIN)/arrears schema

clean: down ## Stop everything and remove .local/
	@if [ -x $(BIN)/arrears ]; then $(BIN)/arrears stack clean; fi; rm -rf .local

requirements: setup ## Lock the newest versions of requirements/*.in with their hashes
	@set -e; for pair in base:run local:local build:build dev:dev uv:uv bench:bench fuzz:fuzz; do \
	  UV_CACHE_DIR=.local/cache/uv $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements" \
	    requirements/$${pair%:*}.in -o requirements/$${pair#*:}.txt; done
