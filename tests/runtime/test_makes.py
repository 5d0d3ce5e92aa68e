"""What makes results: everything that could change a number counts, what cannot does not."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convspec import load, loads
from convspec.api import Net
from convspec.runtime.base import ModelFile, Network, Program, RunOptions, find_runtime
from convspec.runtime.makes import what_makes
from convspec.runtime.rows import Columns

SPEC = """model Small(classes: int = 4) {
    input image: float32[N, 1, 8, 8] as picture(size = 8)
    output logits = image -> conv(3, 3x3, pad = 1) -> relu -> flatten -> fc: linear(classes)
}
"""


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()


def made(program: Program | Net, options: RunOptions | None = None, **more: Any) -> dict[str, Any]:
    if isinstance(program, Net):
        program = Network(program.module, program.weights)
    runtime = "onnxruntime" if isinstance(program, ModelFile) else "reference"
    session = find_runtime(runtime).open(program, RunOptions("cpu"))
    columns = more.get("columns", Columns(session.signature.outputs[0], 2, None, ()))
    return what_makes(
        program, session, options or RunOptions("cpu"), columns, more.get("sources", [Path("in")]), more.get("recursive", False)
    )


def differing(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    return [name for name in {**a, **b} if a.get(name) != b.get(name)]


def test_the_same_is_the_same_however_it_is_written() -> None:
    other = SPEC.replace("model Small", "## A comment.\nmodel Small").replace("fc: linear", "fc:   linear")
    assert differing(made(loads(SPEC)), made(loads(other))) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (SPEC.replace("relu", "silu"), "network"),
        (SPEC.replace("size = 8", "size = 8, invert = true"), "preparation of pictures"),
        (SPEC.replace("size = 8", "size = 8, std = [0.5]"), "preparation of pictures"),
    ],
)
def test_another_spec_is_another(text: str, name: str) -> None:
    assert name in differing(made(loads(SPEC)), made(loads(text)))


def test_one_bit_of_one_weight_counts() -> None:
    weights = loads(SPEC).weights
    changed = {name: array.copy() for name, array in weights.items()}
    changed["fc.bias"].view(np.uint32)[-1] ^= 1
    assert differing(made(loads(SPEC)), made(loads(SPEC, weights=changed))) == ["weights"]
    swapped = {**weights, "fc.bias": weights["fc.bias"][::-1].copy()}
    assert differing(made(loads(SPEC, weights=weights)), made(loads(SPEC, weights=swapped))) == ["weights"]


@pytest.mark.parametrize("external", [False, True])
def test_the_weights_of_a_compiled_model_count(external: bool) -> None:
    """Also where they lie in a file beside it."""
    loads(SPEC).to_onnx("m.onnx", external_data=external)
    before = made(ModelFile(Path("m.onnx")))
    assert differing(before, made(ModelFile(Path("m.onnx")))) == []
    loads(SPEC, seed=1).to_onnx("m.onnx", external_data=external)
    assert differing(before, made(ModelFile(Path("m.onnx")))) == ["model"]
    if external:
        loads(SPEC).to_onnx("m.onnx", external_data=True)
        (data,) = [name for name in os.listdir() if name not in ("m.onnx", "in")]
        raw = bytearray(Path(data).read_bytes())
        raw[-1] ^= 1
        Path(data).write_bytes(raw)
        assert differing(before, made(ModelFile(Path("m.onnx")))) == ["model"]


def test_every_option_counts_that_can_change_a_number() -> None:
    before = made(loads(SPEC))
    for field in fields(RunOptions):
        value = getattr(RunOptions(), field.name)
        other: Any = not value if isinstance(value, bool) else 3 if value is None else f"{value} other"
        found = differing(before, made(loads(SPEC), replace(RunOptions("cpu"), **{field.name: other})))
        assert found == ([] if field.name in ("device", "threads") else [f"option {field.name}"]), field.name


def test_the_pictures_count_and_not_how_the_folder_is_named() -> None:
    before = made(loads(SPEC))
    os.symlink("in", "link")
    for same in (Path("in").absolute(), Path("./in"), Path("link"), Path("in/../in")):
        assert differing(before, made(loads(SPEC), sources=[same])) == []
    Path("other").mkdir()
    assert differing(before, made(loads(SPEC), sources=[Path("other")])) == ["pictures"]
    assert differing(before, made(loads(SPEC), recursive=True)) == ["subfolders"]
    two = made(loads(SPEC), sources=[Path("a.png"), Path("b.png")])
    assert differing(two, made(loads(SPEC), sources=[Path("b.png"), Path("a.png")])) == ["names of pictures"]


def test_labels_and_columns_count() -> None:
    scores = made_columns(["a", "b", "c", "d"])
    assert differing(made(loads(SPEC), columns=scores), made(loads(SPEC), columns=made_columns(["a", "b", "c", "e"]))) == [
        "labels"
    ]
    assert set(differing(made(loads(SPEC)), made(loads(SPEC), columns=scores))) == {"columns", "labels"}


def made_columns(labels: list[str]) -> Columns:
    return Columns(loads(SPEC).session("reference").signature.outputs[0], 2, labels, ())


def test_a_network_that_was_optimised_is_another(tmp_path: Path) -> None:
    text = SPEC.replace("-> relu", "-> batchnorm -> relu")
    assert "network" in differing(made(loads(text)), made(loads(text).optimise(1)))
    Path("net.cnn").write_text(text)
    assert differing(made(loads(text)), made(load("net.cnn"))) == []
