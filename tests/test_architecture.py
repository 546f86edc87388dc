"""Who may import whom, read from the source: the arrows of docs/architecture.md."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("estat", "records", "lake", "query", "pictures", "sandbox")
SHARED = {
    "columns",
    "domains",
    "errors",
    "measures",
    "parallel",
    "partitioning",
    "prefectures",
    "settings",
    "snapshots",
    "telemetry",
}
ALLOWED = {"records": {"estat"}}
JOINING = {"assets", "automation", "commands", "serving", "definitions", "workbench", "cli"}


def imports(path: Path) -> set[str]:
    """Return every module that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def own(path: Path) -> set[str]:
    """Return which parts of estat_dagster a file imports."""
    modules = (name.split(".") for name in imports(path) if name.startswith("estat_dagster."))
    return {parts[1] for parts in modules}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / "estat_dagster" / package).rglob("*.py"))


@pytest.mark.parametrize("package", PACKAGES)
def test_the_domain_packages_know_neither_dagster_nor_one_another(package: str) -> None:
    allowed = SHARED | {package} | ALLOWED.get(package, set())
    for path in sources(package):
        assert own(path) <= allowed, path
        assert not {name for name in imports(path) if name.split(".")[0].startswith("dagster")}, path


def test_only_the_aws_side_imports_boto3_and_only_a_launcher_what_its_runs_need() -> None:
    automation = ROOT / "estat_dagster" / "automation"
    own_libraries = {
        automation / "ecs_launcher.py": {"dagster_aws"},
        automation / "celery_launcher.py": {"celery", "dagster_celery"},
    }
    for path in sorted((ROOT / "estat_dagster").rglob("*.py")):
        roots = {name.split(".")[0] for name in imports(path)}
        allowed = {"boto3", "botocore"} if path.parent == ROOT / "estat_dagster" / "query" / "athena" else set()
        allowed |= own_libraries.get(path, set())
        assert not roots & {"boto3", "botocore", "celery", "dagster_aws", "dagster_celery"} - allowed, path
        assert not {name for name in imports(path) if name.endswith(("ecs_launcher", "celery_launcher"))}, path


def test_the_shared_modules_lean_on_nothing_above_them() -> None:
    for name in SHARED:
        assert own(ROOT / "estat_dagster" / f"{name}.py") <= SHARED, name


def test_the_steps_of_the_assets_know_no_dagster() -> None:
    for path in [*sources("assets/steps"), *(ROOT / "estat_dagster" / "assets" / n for n in NO_DAGSTER)]:
        assert not {name for name in imports(path) if name.split(".")[0] == "dagster"}, path


NO_DAGSTER = ("auditing.py", "registering.py")


def test_the_bridge_knows_no_dagster() -> None:
    for path in (ROOT / "mcp_bridge").rglob("*.py"):
        assert not {name for name in imports(path) if name.split(".")[0] == "dagster"}, path


def test_every_folder_of_the_project_is_one_that_these_rules_know() -> None:
    folders = {path.name for path in (ROOT / "estat_dagster").iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders <= set(PACKAGES) | JOINING


def test_types_of_msgspec_are_learnt_at_import() -> None:
    """Threads that are the first to decode a Struct at once crash the process: its decoder is made where it is."""
    for path in sorted((ROOT / "estat_dagster").rglob("*.py")) + sorted((ROOT / "mcp_bridge").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        classes = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)} | {
            "DatasetEntry",
            "Manifest",
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("json.decode"):
                given = {name.id for word in node.keywords for name in ast.walk(word) if isinstance(name, ast.Name)}
                assert not given & classes, f"{path.name}:{node.lineno}"
