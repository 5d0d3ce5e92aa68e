"""The helpers that generated files carry: each is found by name, comes with all it needs, and uses nothing else."""

from __future__ import annotations

import ast
import builtins
from importlib import import_module
from pathlib import Path

import pytest

from convspec.targets.pytorch import helpers as torch_helpers
from convspec.targets.source.material import Material, globals_of
from convspec.targets.tensorflow import helpers as keras_helpers

FOLDERS = {
    "pytorch": Path(str(torch_helpers.__file__)).parent,
    "tensorflow": Path(str(keras_helpers.__file__)).parent,
}
MATERIAL = {target: Material(folder) for target, folder in FOLDERS.items()}
KNOWN = {"pytorch": {"math", "torch", "nn", "F"}, "tensorflow": {"math", "keras", "layers", "ops"}}
"""What a generated file imports when it is used."""
HELPERS = [pytest.param(target, name, id=f"{target}-{name}") for target, of in MATERIAL.items() for name in of.texts]


@pytest.mark.parametrize(("target", "name"), HELPERS)
def test_a_helper_comes_with_all_it_needs(target: str, name: str) -> None:
    material = MATERIAL[target]
    needed = material.needed([name])
    assert needed[-1] == name, "what it uses stands before it"
    for each in needed:
        unknown = globals_of(material.tree(each)) - set(needed) - KNOWN[target] - set(dir(builtins))
        assert not unknown, f"{each} uses {unknown}"


@pytest.mark.parametrize(("target", "name"), HELPERS)
def test_a_helper_is_documented(target: str, name: str) -> None:
    tree = MATERIAL[target].tree(name)
    assert isinstance(tree, ast.FunctionDef | ast.ClassDef)
    bases = {ast.unparse(base) for base in tree.bases} if isinstance(tree, ast.ClassDef) else set()
    derived = bases & MATERIAL[target].texts.keys()
    assert ast.get_docstring(tree) or derived


@pytest.mark.parametrize("target", FOLDERS)
def test_a_helper_is_found_in_the_package(target: str) -> None:
    package = import_module(f"convspec.targets.{target}.helpers")
    for name in MATERIAL[target].texts:
        assert getattr(package, name).__name__ == name
    with pytest.raises(AttributeError):
        _ = package.nothing_of_the_kind


@pytest.mark.parametrize("target", FOLDERS)
def test_all_definitions_are_seen(target: str) -> None:
    """The quick reading by lines finds what Python's own parser finds, to the letter."""
    found: dict[str, str] = {}
    for path in sorted(FOLDERS[target].glob("[a-z]*.py")):
        text = path.read_text()
        for statement in ast.parse(text).body:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                start = min([statement.lineno, *(each.lineno for each in statement.decorator_list)])
                found[statement.name] = "\n".join(text.splitlines()[start - 1 : statement.end_lineno])
    assert MATERIAL[target].texts == found


def test_a_local_variable_is_no_use_of_a_helper(tmp_path: Path) -> None:
    texts = ["def pad(x):\n    return x", "def other(y):\n    pad = y\n    return pad", "def user(z):\n    return pad(z)"]
    (tmp_path / "some.py").write_text("\n\n\n".join(texts) + "\n")
    material = Material(tmp_path)
    assert material.needed(["other"]) == ["other"]
    assert material.needed(["user"]) == ["pad", "user"]


def test_two_helpers_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.py").write_text("def same():\n    pass\n")
    with pytest.raises(ValueError, match="defined twice"):
        _ = Material(tmp_path).texts
