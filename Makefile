# Everything that is made lives in .venv and data/. PYTHON chooses the interpreter that .venv is made from.
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3))
BIN := .venv/bin
READY := .venv/.ready

# The certificates of the machine are trusted, as a company's proxy may need them.
export UV_SYSTEM_CERTS := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-ui test-soak serve lint dev bench lock clean

help:
	@echo "make demo   set up, then load datasets through all five layers and query them"
	@echo "make test   set up, then run the tests"
	@echo "make dev    open the Dagster web UI on http://127.0.0.1:3000, with daemon and sandbox"
	@echo "make serve  the web UI for others, behind a guard; see docs/operations.md"
	@echo "make test-ui    drive the web UI with Chromium; screenshots in data/screenshots"
	@echo "make test-soak  kill the services during a backfill, and the like"
	@echo "make lint   ruff and mypy"
	@echo "make bench  measure; see benchmarks/"
	@echo "make lock   resolve requirements.lock again from pyproject.toml"
	@echo "make clean  remove .venv and data/"

setup: $(READY)

# uv is itself pinned in the lock: its lines are cut out for the one install that pip does.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@awk '/^[a-z]/ {take = /^uv==/} take' requirements.lock > .venv/uv.lock
	@test -x $(BIN)/uv || $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)
	@$(BIN)/estat demo

test: $(READY)
	@$(BIN)/pytest

test-ui: $(READY)
	@$(BIN)/uv pip install --quiet --require-hashes --python $(BIN)/python -r tests/ui/requirements.lock
	@$(BIN)/pytest tests/ui -m ui -n 0 -rs

test-soak: $(READY)
	@$(BIN)/pytest tests -m soak -n 0 -rs

serve: $(READY)
	@$(BIN)/estat serve

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

dev: $(READY)
	@$(BIN)/estat dev

bench: $(READY)
	@$(BIN)/python -m benchmarks

lock: $(READY)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --group dev pyproject.toml -o requirements.lock

clean:
	rm -rf .venv data
