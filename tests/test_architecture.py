"""Who may import whom: only downward, and heavy packages only where they run."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "convspec"

# Each layer may import itself and the layers named.
ALLOWED: dict[str, set[str]] = {
    "records": set(),
    "source": set(),
    "version": set(),
    "limits": set(),
    "collector": set(),
    "recursion": set(),
    "files": {"diagnostics"},
    "diagnostics": {"source", "version"},
    "ir": {"source", "diagnostics"},
    "ops": {"source", "diagnostics", "ir"},
    "syntax": {"source", "diagnostics", "limits"},
    "format": {"source", "diagnostics", "limits", "syntax"},
    "elaborate": {"source", "diagnostics", "limits", "syntax", "ir", "ops"},
    "analysis": {"source", "diagnostics", "syntax", "ir", "ops", "elaborate"},
    "lint": {"source", "diagnostics", "syntax", "ir", "ops", "elaborate"},
    "passes": {"source", "diagnostics", "ir", "ops", "elaborate", "analysis", "weights"},
    "weights": {"source", "diagnostics", "files", "version", "ir", "ops"},
    "targets": {
        "source",
        "diagnostics",
        "files",
        "version",
        "syntax",
        "ir",
        "ops",
        "elaborate",
        "analysis",
        "passes",
        "weights",
    },
}
# What moves weights between frameworks stands above the targets, whose layouts and packages it uses; nothing there uses it.
EXCHANGE = ("weights/convert.py", "weights/matching.py", "weights/placing.py", "weights/shipped.py", "weights/sinks/")
ALLOWED["exchange"] = {*ALLOWED["targets"], "targets"}
UPPER = {
    "field",
    "draw",
    "lsp",
    "notebook",
    "highlight",
    "runtime",
    "precision",
    "bench",
    "verify",
    "explain",
    "cli",
    "api",
    "artifacts",
    "zoo",
}
HEAVY = ("torch", "tensorflow", "keras", "onnxruntime", "onnx", "numpy", "PIL", "safetensors", "rich", "lark")


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports(path: Path, *, top_only: bool = False) -> set[str]:
    """The dotted names that a module imports; with `top_only` those that run when it is imported."""
    tree = ast.parse(path.read_text())
    found: set[str] = set()
    nodes = _running(tree) if top_only else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _running(tree: ast.Module) -> list[ast.AST]:
    """Statements at the top of a module, without `if TYPE_CHECKING:`."""
    return [node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))]


def layer(path: Path) -> str:
    inside = path.relative_to(PACKAGE)
    return "exchange" if inside.as_posix().startswith(EXCHANGE) else inside.parts[0].removesuffix(".py")


def layer_of_import(parts: list[str]) -> str:
    path = "/".join(parts[1:3])
    return "exchange" if f"{path}.py" in EXCHANGE or f"{path}/" in EXCHANGE else parts[1]


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_imports_go_downward(name: str) -> None:
    allowed = ALLOWED[name] | {name, "records", "collector", "recursion"}
    for path in modules():
        if layer(path) != name:
            continue
        for imported in imports(path):
            parts = imported.split(".")
            if (
                parts[0] == "convspec"
                and len(parts) > 1
                and (PACKAGE / parts[1]).with_suffix(".py").exists() | (PACKAGE / parts[1]).is_dir()
            ):
                assert layer_of_import(parts) in allowed, f"{path.relative_to(PACKAGE)} imports {imported}"


def test_every_layer_is_known() -> None:
    known = set(ALLOWED) | UPPER | {"__init__", "__main__"}
    assert {layer(path) for path in modules()} <= known


@pytest.mark.parametrize("package", ["source.py", "diagnostics", "ir", "ops", "syntax", "elaborate", "analysis"])
def test_what_check_needs_is_light(package: str) -> None:
    paths = [PACKAGE / package] if package.endswith(".py") else sorted((PACKAGE / package).rglob("*.py"))
    for path in paths:
        heavy = {name for name in imports(path, top_only=True) if name.split(".")[0] in HEAVY}
        assert not heavy or path.name in ("grammar.py", "parse.py"), f"{path.relative_to(PACKAGE)} imports {heavy}"


def test_frameworks_are_imported_inside_functions_only() -> None:
    # The files in helpers/ hold the text of what generated files include; nothing imports them.
    material = set((PACKAGE / "targets").glob("*/helpers/*.py"))
    for path in set(modules()) - material:
        heavy = {
            name
            for name in imports(path, top_only=True)
            if name.split(".")[0] in ("torch", "tensorflow", "keras", "onnxruntime")
        }
        assert not heavy, f"{path.relative_to(PACKAGE)} imports {heavy} when it is imported"


def test_files_are_small() -> None:
    """400 lines at most, tests and benchmarks too."""
    folders = (PACKAGE, PACKAGE.parent / "tests", PACKAGE.parent / "benchmarks")
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for folder in folders for path in folder.rglob("*.py")}
    assert len(lengths) > 1000
    assert {path.name: length for path, length in lengths.items() if length > 400} == {}
