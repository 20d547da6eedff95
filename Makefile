# Tillwatch: the two commands are `make demo` and `make test`; both do all set-up.
#
#   make demo     build, fill 14 days of shop and payment traffic, go live, break one issuer
#   make test     formatting, house rules and every test, as CI runs them
#   make check    formatting, house rules and clippy; no tests
#   make torture  1000 kills and 10 000 seeds of simulated disks: hours, not minutes
#   make bench    ingest speed, latency and a short comparison with ClickHouse and DuckDB on this machine, some ten minutes
#   make bench-peers  the same work by Flink, ClickHouse and DuckDB, answers checked; an hour (BENCH_EVENTS=20000000, BENCH_RUNS=5)
#   make bench-scale  what an event costs as cubes, dimensions, combinations, monitors, streams and history grow, as curves (SCALE_EVENTS=1000000, SCALE_RUNS=5)
#   make bench-web  how soon the web answers, and what 24 live panels cost over an hour: 65 minutes (BENCH_WEB_ARGS="--minutes 2 --runs 1")
#   make lighthouse  Lighthouse's scores of the demo's pages, on a desk and on a phone
#   make gallery  the pictures of docs/gallery.md, taken of the demo in Chromium
#   make dist     the fully optimised, stripped binary for a release

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CARGO   ?= cargo
PROFILE ?= release
TARGET  := $(or $(CARGO_TARGET_DIR),target)
BIN     := $(TARGET)/$(PROFILE)/tillwatch
VENV    := .cache/venv
PAGES   := $(addprefix e2e/,$(filter-out pages.spec.mjs signin.spec.mjs hostile.spec.mjs writing.spec.mjs,$(notdir $(wildcard web/e2e/*.spec.mjs))))
WEB_SRC := $(shell find web/src web/public web/index.html web/package.json web/package-lock.json web/vite.config.ts -type f 2>/dev/null)

.PHONY: help demo test check tidy bench bench-peers bench-scale peers dist build web test-rust test-engine test-web test-pages test-e2e test-torture torture test-demo bench-web lighthouse tools oracle faketime browser alertmanager gallery clean-demo

help:
	@sed -n 's/^#   //p' Makefile

# --- set-up -----------------------------------------------------------------------------------

tools:
	@scripts/tools.sh

web/node_modules/.installed: web/package.json web/package-lock.json
	cd web && npm install --no-audit --no-fund --no-save
	@touch $@

web/packed/index.html.gz: web/node_modules/.installed web/dev/pack.mjs $(WEB_SRC)
	cd web && npm run build
	@touch $@

web: tools web/packed/index.html.gz

build: web
	$(CARGO) build --profile $(PROFILE) --locked --package tillwatch

oracle: $(VENV)/.installed

$(VENV)/.installed: tests/requirements.txt
	python3 -m venv $(VENV) || (scripts/tools.sh venv && python3 -m venv $(VENV))
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

faketime:
	@scripts/tools.sh faketime

browser:
	@scripts/tools.sh browser

alertmanager:
	@scripts/tools.sh alertmanager

# --- the two commands --------------------------------------------------------------------------

demo: build
	$(BIN) demo $(DEMO_ARGS)

test: tidy test-web test-pages test-rust test-engine test-e2e test-torture test-demo
	@echo "all tests passed"

# --- parts ---------------------------------------------------------------------------------------

check: web tidy
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

tidy: tools
	$(CARGO) fmt --all --check
	scripts/tidy.sh

test-web: web
	cd web && npm run check

# Every page in Chromium, against a mock of the server: states that the real one is rarely in, and that `test-demo` does not see.
test-pages: web browser
	cd web && node --test --test-concurrency=2 $(PAGES)

# The suites of the crates that do not link DataFusion, with overflow checks. Those that do are
# built like the program, which saves a second build of DataFusion.
test-rust: tools
	$(CARGO) test --locked -p tillwatch-event -p tillwatch-journal -p tillwatch-collect -p tillwatch-monitor -p tillwatch-predict -p tillwatch-testkit

test-engine: web oracle
	TILLWATCH_ORACLE="$(abspath $(VENV))/bin/python" $(CARGO) test --profile $(PROFILE) --locked -p tillwatch-history -p tillwatch-process -p tillwatch-analyse -p tillwatch-serve -p tillwatch

test-demo: build oracle browser
	TILLWATCH_BIN="$(abspath $(BIN))" $(VENV)/bin/python -m pytest -q tests/demo

# What the board costs whoever looks at it, of the real program: bench/RESULTS.md, "The web".
BENCH_WEB_ARGS ?=

bench-web: build browser
	cd web && TILLWATCH_BIN="$(abspath $(BIN))" node dev/speed.mjs $(BENCH_WEB_ARGS)

# Lighthouse is a tool beside the page and none of its dependencies; version 13 needs a newer Node.js than the web does.
.cache/lighthouse/.installed: Makefile
	mkdir -p .cache/lighthouse
	cd .cache/lighthouse && npm install --no-audit --no-fund --no-save lighthouse@12.8.2
	@touch $@

lighthouse: build browser .cache/lighthouse/.installed
	cd web && LIGHTHOUSE="$(abspath .cache/lighthouse)" TILLWATCH_BIN="$(abspath $(BIN))" node dev/lighthouse.mjs

gallery: build browser
	cd web && TILLWATCH_BIN="$(abspath $(BIN))" node dev/gallery.mjs

test-e2e: build oracle alertmanager
	TILLWATCH_BIN="$(abspath $(BIN))" $(VENV)/bin/python -m pytest -q tests/e2e $(PYTEST_ARGS)

# The real binary under kill -9, on a full disk and by a clock that jumps. The seeds of the simulated disk are in test-rust.
test-torture: build oracle faketime
	TILLWATCH_BIN="$(abspath $(BIN))" $(VENV)/bin/python -m pytest -q tests/torture $(PYTEST_ARGS)

# The same for long. Prints seeds and totals.
torture: build oracle faketime
	TILLWATCH_SEEDS=$${TILLWATCH_SEEDS:-10000} $(CARGO) test --locked -p tillwatch-journal -p tillwatch-collect
	TILLWATCH_KILLS=$${TILLWATCH_KILLS:-1000} TILLWATCH_BIN="$(abspath $(BIN))" $(VENV)/bin/python -m pytest -q tests/torture $(PYTEST_ARGS)

# The short form of every day: speed, latency, and two peers on a small file. It prints, and writes nothing down.
bench: build .cache/peers/venv/.installed
	scripts/bench.sh "$(abspath $(BIN))"
	@rm -f .cache/peers/short.md
	TILLWATCH_BIN="$(abspath $(BIN))" .cache/peers/venv/bin/python bench/peers/compare.py --events 500000 --runs 3 \
	  --questions q1 --systems tillwatch chdb duckdb --out .cache/peers/short.md
	@sed -n '/^### Q1/,/^<!--/p' .cache/peers/short.md | grep -v '^<!--'

# What Tillwatch is compared with, from the registries. Flink comes as the package that holds its distribution.
peers: .cache/peers/venv/.installed .cache/peers/venv/.flink

.cache/peers/venv/.installed: bench/peers/requirements.txt
	python3 -m venv .cache/peers/venv || (scripts/tools.sh venv && python3 -m venv .cache/peers/venv)
	.cache/peers/venv/bin/pip install --quiet --disable-pip-version-check -r bench/peers/requirements.txt
	@touch $@

.cache/peers/venv/.flink: bench/peers/requirements-flink.txt .cache/peers/venv/.installed
	@scripts/tools.sh peers
	.cache/peers/venv/bin/pip install --quiet --disable-pip-version-check --no-deps -r bench/peers/requirements-flink.txt
	@touch $@

BENCH_EVENTS ?= 20000000
BENCH_RUNS   ?= 5

bench-peers: build peers
	TILLWATCH_BIN="$(abspath $(BIN))" .cache/peers/venv/bin/python bench/peers/compare.py --events $(BENCH_EVENTS) --runs $(BENCH_RUNS) $(BENCH_ARGS)

# The curves of docs/scale.md. SCALE_ARGS="--axes cubes monitors" measures these again and keeps the points of the others.
.cache/scale/venv/.installed: bench/scale/requirements.txt
	python3 -m venv .cache/scale/venv || (scripts/tools.sh venv && python3 -m venv .cache/scale/venv)
	.cache/scale/venv/bin/pip install --quiet --disable-pip-version-check -r bench/scale/requirements.txt
	@touch $@

SCALE_EVENTS ?= 1000000
SCALE_RUNS   ?= 5

bench-scale: build .cache/scale/venv/.installed
	TILLWATCH_BIN="$(abspath $(BIN))" .cache/scale/venv/bin/python bench/scale/scale.py --events $(SCALE_EVENTS) --runs $(SCALE_RUNS) $(SCALE_ARGS)

dist: web
	$(CARGO) build --profile dist --locked --package tillwatch
	@ls -l --block-size=M $(TARGET)/dist/tillwatch

clean-demo:
	rm -rf .demo
