"""Ways to run a network, and the sizes it is measured at."""

from __future__ import annotations

import numpy as np
import pytest

from convspec import loads
from convspec.bench.inputs import Interface, choose_sizes, draw_arrays, shapes_text
from convspec.bench.plan import Source, Subject, parse_runtime, subjects, switched
from convspec.diagnostics import Failure
from convspec.ir.dims import symbol
from convspec.ir.indices import IndexRange
from convspec.ir.types import TensorType
from convspec.runtime.signature import Signature, TensorSpec, signature_of

SPEC = Source("net.cnn")


def signature(inputs: str, body: str = "output x -> relu") -> Signature:
    return signature_of(loads(f"model Net {{\n    {inputs}\n    {body}\n}}\n").module.graph)


def test_every_way_once_and_in_order() -> None:
    found = subjects(SPEC, ["onnxruntime", "pytorch"], precisions=["fp32", "bf16"], levels=[1, 2])
    assert [subject.name for subject in found] == [
        f"{runtime} {precision} O{level}"
        for runtime in ("onnxruntime", "pytorch")
        for precision in ("fp32", "bf16")
        for level in (1, 2)
    ]


def test_the_reference_runs_what_the_spec_says_and_a_compiled_model_is_as_it_is() -> None:
    assert [subject.level for subject in subjects(SPEC, ["reference"], levels=[1, 2])] == [0]
    assert [subject.name for subject in subjects(Source("net.onnx"), ["onnxruntime"], levels=[1, 2])] == ["onnxruntime fp32"]


def test_tf32_is_a_precision_of_its_own() -> None:
    (found,) = subjects(SPEC, ["pytorch"], tf32=True)
    assert found.arithmetic == "tf32" and found.name == "pytorch tf32 O1"


@pytest.mark.parametrize(
    ("runtimes", "precisions", "levels", "code"),
    [
        (["tourch"], ["fp32"], [1], "CNN305"),
        (["pytorch:fast"], ["fp32"], [1], "CNN305"),
        (["pytorch:tf32"], ["fp32"], [1], "CNN305"),
        (["pytorch"], ["fp8"], [1], "CNN305"),
        (["pytorch"], ["fp32"], [3], "CNN401"),
    ],
)
def test_what_there_is_not(runtimes: list[str], precisions: list[str], levels: list[int], code: str) -> None:
    with pytest.raises(Failure) as caught:
        subjects(SPEC, runtimes, precisions=precisions, levels=levels)
    assert [each.code for each in caught.value.diagnostics] == [code] and caught.value.diagnostics[0].hint


def test_a_runtime_without_switches() -> None:
    assert parse_runtime("pytorch") == parse_runtime("pytorch:") == ("pytorch", ())


@pytest.mark.parametrize(
    ("path", "model", "title"), [("zoo:resnet50", None, "resnet50"), ("a/b/net.cnn", None, "net.cnn"), ("n.cnn", "Big", "Big")]
)
def test_titles(path: str, model: str | None, title: str) -> None:
    assert Source(path, model).title == title


def test_subjects_of_equal_settings_are_one() -> None:
    one, other = Source("a.cnn", settings={"classes": 3}), Source("a.cnn", settings={"classes": 3})
    assert len({Subject(one, "pytorch"), Subject(other, "pytorch")}) == 1
    assert Source("a.cnn", settings={"classes": 4}) != one


# ── Sizes ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_batch_and_the_size_of_a_picture() -> None:
    found = signature("input x: float32[N, 3, 32*h, 32*w] as picture(size = 224x192)")
    assert choose_sizes(found, 8, {}) == {"N": 8, "h": 7, "w": 6}
    assert choose_sizes(found, 8, {"h": 2}) == {"N": 8, "h": 2, "w": 6}
    assert shapes_text(found, {"N": 8, "h": 7, "w": 6}) == "x [8, 3, 224, 192]"


def test_plain_sizes_need_nothing() -> None:
    assert choose_sizes(signature("input x: float32[4, 3]"), 4, {}) == {}


@pytest.mark.parametrize(
    ("inputs", "batch", "given", "code", "message"),
    [
        ("input x: float32[N, 3, h, w]", 1, {"h": 4}, "CNN401", "nothing says what w"),
        ("input x: float32[4, 3]", 2, {}, "CNN401", "its batch is 4"),
        ("input x: float32[N, 3]", 2, {"N": 3}, "CNN401", "is the batch"),
        ("input x: float32[2*N, 3]", 3, {}, "CNN401", "cannot be 3"),
        ("input x: float32[N, 3, h >= 5]", 1, {"h": 4}, "CNN401", "at least 5"),
    ],
)
def test_sizes_that_cannot_be(inputs: str, batch: int, given: dict[str, int], code: str, message: str) -> None:
    with pytest.raises(Failure) as caught:
        choose_sizes(signature(inputs), batch, given)
    assert caught.value.diagnostics[0].code == code and message in str(caught.value)


def test_data_is_the_same_for_the_same_seed_and_in_range() -> None:
    graph = loads("model Net {\n    input i: int64[N, 5]\n    output i -> embedding(3, 2)\n}\n").module.graph
    interface = Interface(signature_of(graph), graph)
    one, other = draw_arrays(interface, {"N": 50}, 1), draw_arrays(interface, {"N": 50}, 1)
    assert np.array_equal(one["i"], other["i"]) and set(np.unique(one["i"])) == {0, 1, 2}


def test_data_for_a_compiled_model() -> None:
    """Of which only the interface is known."""
    size = symbol("N")
    specs = (
        TensorSpec("x", TensorType("float16", (size, 3))),
        TensorSpec("i", TensorType("int64", (size,)), indices=(IndexRange(4, ()),)),
        TensorSpec("m", TensorType("bool", (size,))),
        TensorSpec("u", TensorType("uint8", (size,))),
    )
    found = draw_arrays(Interface(Signature("net", specs, ())), {"N": 200}, 0)
    assert {name: array.dtype.name for name, array in found.items()} == {
        "x": "float16",
        "i": "int64",
        "m": "bool",
        "u": "uint8",
    }
    assert found["i"].min() == 0 and found["i"].max() == 3 and found["u"].max() > 100 and 0 < found["m"].mean() < 1


def test_the_zoo_says_what_is_usual_where_nothing_else_does() -> None:
    found = signature("input x: float32[N, 1, 8*h, 8*w]")
    assert choose_sizes(found, 2, {}, {"N": 9, "h": 25, "w": 26}) == {"N": 2, "h": 25, "w": 26}
    assert choose_sizes(found, 2, {"w": 3}, {"h": 25, "w": 26, "q": 1}) == {"N": 2, "h": 25, "w": 3}


def test_a_low_precision_needs_level_one_and_says_so() -> None:
    found = subjects(SPEC, ["pytorch"], precisions=["fp32", "bf16"], levels=[0, 1])
    assert [subject.name for subject in found] == ["pytorch fp32 O0", "pytorch fp32 O1", "pytorch bf16 O1"]


def test_switches_become_options() -> None:
    assert switched(parse_runtime("pytorch:compile+channels_last")[1]) == {"compile": True, "layout": "channels_last"}
