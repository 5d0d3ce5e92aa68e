"""What stands in the file: provenance, documentation, sizes by name, and the tensors, inside or beside it."""

from __future__ import annotations

import hashlib
import itertools
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convspec.diagnostics import Failure
from convspec.elaborate import load, loads
from convspec.targets.onnx import TARGET, OnnxOptions, stream
from convspec.weights.init import initial_weights
from tests.targets.onnx.nets import Net, assert_equal, net, run, shape_of

SPEC = """
## A network with a *doc*.
## Two lines of it.
model M(classes: int = 3) {
    ## What the camera saw.
    input image: float32[N, 3, 8*h, W >= 9] as picture(size = 16, mean = [0.5, 0.5, 0.5])
    output logits = image -> conv(64, 3x3, pad = 1) -> relu -> global_avgpool -> flatten -> fc: linear(classes)
}
"""


def metadata(proto: Any) -> dict[str, str]:
    return {entry.key: entry.value for entry in proto.metadata_props}


def test_provenance() -> None:
    proto = net(SPEC).proto()
    found = metadata(proto)
    assert proto.producer_name == "convspec"
    assert proto.producer_version == found["convspec.version"]
    assert found["convspec.spec_sha256"] == hashlib.sha256(SPEC.encode()).hexdigest()
    assert found["convspec.model"] == "M"
    assert found["convspec.language"] == "1"
    assert json.loads(found["convspec.picture"])["image"]["size"] == [16, 16]
    assert json.loads(found["convspec.bounds"]) == {"W": 9}
    assert "convspec.imports_sha256" not in found


def test_settings_and_imports_are_recorded(tmp_path: Path) -> None:
    (tmp_path / "parts.cnn").write_text("block Part(x: tensor) { return x -> relu }\n")
    main = 'use Part from "parts.cnn"\nmodel M(n: int = 1) { input x: float32[N, 2] output y = x -> Part() -> linear(n) }\n'
    (tmp_path / "main.cnn").write_text(main)
    module = load(tmp_path / "main.cnn", settings={"n": 4})
    found = metadata(Net(module, initial_weights(module.graph)).proto())
    assert json.loads(found["convspec.settings"]) == {"n": 4}
    assert found["convspec.spec_sha256"] == hashlib.sha256(main.encode()).hexdigest()
    assert json.loads(found["convspec.imports_sha256"]) == [hashlib.sha256((tmp_path / "parts.cnn").read_bytes()).hexdigest()]
    assert str(tmp_path) not in str(found)


def test_docs() -> None:
    proto = net(SPEC).proto()
    assert proto.doc_string == proto.graph.doc_string == "A network with a *doc*.\nTwo lines of it."
    assert proto.graph.input[0].doc_string == "What the camera saw."


def test_sizes_keep_their_names() -> None:
    graph = net(SPEC).proto().graph
    assert shape_of(graph.input[0]) == ["N", 3, "8*h", "W"]
    assert shape_of(graph.output[0]) == ["N", 3]
    assert ["N", 64, "8*h", "W"] in [shape_of(info) for info in graph.value_info]


def test_the_stored_tensors_are_the_weights() -> None:
    made = net(SPEC)
    onnx = import_module("onnx")
    stored = {init.name: onnx.numpy_helper.to_array(init) for init in made.proto().graph.initializer}
    assert set(stored) == set(made.weights)
    for name, array in made.weights.items():
        np.testing.assert_array_equal(stored[name], array)


def test_onnx_writes_the_same_bytes_again() -> None:
    """The hand-framed fields are those of a canonical message, in its order."""
    for text in (SPEC, ODD):
        data = net(text).artifact().data()
        assert import_module("onnx").load_from_string(data).SerializeToString(deterministic=True) == data


ODD = """
## Ünïcödé, and layers whose insides ONNX names: several nodes, constants, a repeated block.
block Odd(x: tensor) {
    return x -> conv(8, 3x3, pad = same) -> hardswish -> groupnorm(2) -> gelu -> upsample(2) -> maxpool(2x2)
}
model M {
    input x: float32[N, 3, h >= 9, w >= 9]
    y = x -> Odd()
    for i in 0..3 { y = y -> Odd() }
    output z = y -> clip(-0.5, 2.0) -> softplus(beta = 2) -> global_avgpool -> flatten -> linear(300)
    output same = x -> identity
}
"""


# ── external data ────────────────────────────────────────────────────────────────────────────────────────────


def test_external_data(tmp_path: Path) -> None:
    made = net(SPEC)
    artifact = made.artifact(external_data=True, stem="camera")
    assert list(artifact.files) == ["camera.onnx", "camera.onnx.data"]
    artifact.write(tmp_path)
    onnx = import_module("onnx")
    onnx.checker.check_model(str(tmp_path / "camera.onnx"), full_check=True)
    outside = {
        init.name: {entry.key: entry.value for entry in init.external_data}
        for init in onnx.load(tmp_path / "camera.onnx", load_external_data=False).graph.initializer
        if init.external_data
    }
    assert set(outside) == set(made.weights), "every weight, so that another model can be written against the file"
    assert int(outside["conv1.weight"]["offset"]) % 4096 == 0
    assert all(int(entry["offset"]) % 64 == 0 for entry in outside.values())
    inputs = made.inputs({"N": 2, "h": 1, "W": 9})
    assert_equal(run(str(tmp_path / "camera.onnx"), inputs), made.expected(inputs))


def test_external_tensors_lie_at_pages_and_nothing_overlaps(tmp_path: Path) -> None:
    made = net("""
        model M {
            input x: float32[N, 300]
            output x -> a: linear(7) -> b: linear(300, bias = false) -> c: linear(5)
        }
    """)
    made.artifact(external_data=True).write(tmp_path)
    onnx = import_module("onnx")
    spans = []
    data = (tmp_path / "M.onnx.data").read_bytes()
    for init in onnx.load(tmp_path / "M.onnx", load_external_data=False).graph.initializer:
        entry = {e.key: e.value for e in init.external_data}
        if entry:
            start, length = int(entry["offset"]), int(entry["length"])
            spans.append((start, start + length))
            assert data[start : start + length] == made.weights[init.name].tobytes()
            assert entry["location"] == "M.onnx.data"
    assert len(spans) == 5
    assert all(start % 4096 == 0 for start, end in spans if end - start >= 4096)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
    assert data[spans[-1][1] :].startswith(b'{"rewritten"') and data.endswith(b"cnnspec1")


def test_past_the_limit_of_a_message_data_is_external(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is lowered: the real one is 2 GiB."""
    made = net(SPEC)
    size = len(made.artifact().data())
    monkeypatch.setattr(stream, "MOST_BYTES", size)
    assert len(made.artifact().files) == 1
    monkeypatch.setattr(stream, "MOST_BYTES", size - 1)
    assert len(made.artifact().files) == 2


def test_a_model_past_two_gib_has_external_data() -> None:
    """Weights of one repeated number, which take no memory; nothing is written."""
    module = loads("model M { input x: float32[N, 30000] output x -> linear(20000) }")
    weights = {p.name: np.broadcast_to(np.float32(1), p.shape) for p in module.graph.parameters().values()}
    assert list(TARGET.emit(module, weights, OnnxOptions()).files) == ["M.onnx", "M.onnx.data"]


def test_an_unwritable_folder_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(Failure) as caught:
        net(SPEC).artifact().write(tmp_path / "absent")
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["CNN400"]
    assert not list(tmp_path.iterdir())
