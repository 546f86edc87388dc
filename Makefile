# Everything that is made lives in .venv and data/. PYTHON chooses the interpreter that .venv is made from.
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3))
BIN := .venv/bin
READY := .venv/.ready

# The certificates of the machine are trusted, as a company's proxy may need them.
export UV_SYSTEM_CERTS := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-trino lint dev bench lock clean

help:
	@echo "make demo   set up, then load datasets through all five layers and query them"
	@echo "make test   set up, then run the tests"
	@echo "make test-trino  read the tables with Trino, fetched by Maven; needs Java 17"
	@echo "make dev    open the Dagster web UI on http://127.0.0.1:3000, with daemon and sandbox"
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

# Maven fetches the engine once, about 350 MB; its pom says which.
TRINO := data/trino/.ready

$(TRINO): tests/trino/pom.xml
	@rm -rf data/trino
	@mvn --quiet --batch-mode --file tests/trino/pom.xml package
	@touch $@

test-trino: $(READY) $(TRINO)
	@$(BIN)/pytest tests/trino -m trino -n 0 -rs

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
