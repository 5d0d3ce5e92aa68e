"""Targets are found by name, the built-in ones and those of other packages; artifacts know their main file."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest

from convspec.diagnostics import Failure
from convspec.targets import base
from convspec.targets.base import Artifact, EmitOptions, Target, find_target, target_names


class Foreign:
    """A target as another package would bring it."""

    name = "foreign"
    suffix = ".txt"
    options = EmitOptions

    def emit(self, module: Any, weights: Any, options: Any) -> Artifact:
        return Artifact({"net.txt": "hello"})


class Lacking:
    name = "lacking"


INSTANCE = Foreign()


def install(monkeypatch: pytest.MonkeyPatch, **points: str) -> None:
    """As if a package with these entry points were installed."""
    found = EntryPoints(EntryPoint(name, f"{__name__}:{attribute}", base.GROUP) for name, attribute in points.items())
    monkeypatch.setattr(base, "entry_points", found.select)
    find_target.cache_clear()


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    yield
    find_target.cache_clear()


@pytest.mark.parametrize("name", ["onnx", "pytorch", "tensorflow"])
def test_built_in_targets(name: str) -> None:
    target = find_target(name)
    assert isinstance(target, Target)
    assert target.name == name
    assert issubclass(target.options, EmitOptions)
    assert isinstance(target.options(stem="net"), EmitOptions)


def test_targets_of_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, foreign="Foreign", ready="INSTANCE", onnx="Lacking")
    assert target_names() == ("onnx", "pytorch", "tensorflow", "foreign", "ready")
    assert isinstance(find_target("foreign"), Foreign)
    assert find_target("ready") is INSTANCE
    assert find_target("onnx").suffix == ".onnx"  # a package cannot take a built-in name


@pytest.mark.parametrize(("name", "message"), [("tflow", "there is no target `tflow`"), ("lacking", "lacks name, suffix")])
def test_unknown_and_incomplete_targets(monkeypatch: pytest.MonkeyPatch, name: str, message: str) -> None:
    install(monkeypatch, lacking="Lacking")
    with pytest.raises(Failure) as caught:
        find_target(name)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "CNN401"
    assert message in diagnostic.message


def test_finding_the_onnx_target_imports_neither_onnx_nor_numpy() -> None:
    code = (
        "import sys\n"
        "from convspec.targets.base import find_target, target_names\n"
        "target_names(); find_target('onnx').options()\n"
        "print(sorted({'onnx', 'numpy', 'torch', 'tensorflow', 'keras', 'onnxruntime'} & set(sys.modules)))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout == "[]\n"


def test_artifacts(tmp_path: Path) -> None:
    artifact = Artifact({"net.py": "x = 'ä'\n", "net.bin": b"\0", "net.data": lambda file: (file.write(b"a"), None)[1]})
    assert artifact.main == "net.py"
    assert artifact.text() == "x = 'ä'\n"
    assert [artifact.data(name) for name in artifact.files] == ["x = 'ä'\n".encode(), b"\0", b"a"]
    with pytest.raises(TypeError):
        artifact.text("net.bin")
    assert [path.read_bytes() for path in artifact.write(tmp_path)] == ["x = 'ä'\n".encode(), b"\0", b"a"]
