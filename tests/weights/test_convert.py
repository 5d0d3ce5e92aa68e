"""Conversion by name: exactly what fits, all that does not by name, and nothing in between."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

import convspec
from convspec import elaborate
from convspec.diagnostics import Diagnostic, Failure
from convspec.diagnostics.render import render
from convspec.ir.types import Array
from convspec.weights.convert import convert
from convspec.weights.init import initial_weights
from convspec.weights.mapping import read_mapping
from convspec.weights.randomised import randomised
from tests.weights.sources import source_of

NET = """model Net(classes: int = 3) {
    input x: float32[N, 2, 4, 4]
    output x -> conv1: conv(3, 3x3) -> bn1: batchnorm -> relu -> flatten -> fc: linear(classes)
}
"""
MODULE = elaborate.loads(NET)


def drawn() -> dict[str, Array]:
    return randomised(MODULE.graph)


def failure(action: Callable[[], Any]) -> Diagnostic:
    with pytest.raises(Failure) as caught:
        action()
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def same(found: Mapping[str, Array], wanted: Mapping[str, Array]) -> bool:
    return list(found) == list(wanted) and all(found[name].tobytes() == wanted[name].tobytes() for name in wanted)


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("prefix", "mapping"),
    [
        ("", {}),
        ("module.", {"module": ""}),
        ("net.body.", {"net.body": ""}),
        ("net.body.", {"net.body.conv1": "conv1", "net.body": "", "net": "nowhere"}),
    ],
)
def test_levels_are_mapped_from_the_left_the_longest_first(prefix: str, mapping: dict[str, str]) -> None:
    arrays = {f"{prefix}{name}": array for name, array in drawn().items()}
    mapping = {entry: label for entry, label in mapping.items() if label != "nowhere"}
    found = convert(MODULE, source_of("torch", arrays), mapping=mapping)
    assert same(found.weights, drawn())
    assert {row.how for row in found.rows} == {"mapping" if prefix else "exact"}


def test_levels_may_be_put_before_all_names() -> None:
    module = elaborate.loads("model M {\n    input x: float32[N, 2]\n    output x -> net: [linear(3) -> linear(2)]\n}\n")
    weights = randomised(module.graph)
    arrays = {name.removeprefix("net."): array for name, array in weights.items()}
    assert same(convert(module, source_of("torch", arrays), mapping={"": "net"}).weights, weights)


def test_a_level_is_whole() -> None:
    """`conv1` says nothing of `conv10`."""
    diagnostic = failure(lambda: convert(MODULE, source_of("torch", {"conv10.weight": np.zeros(1)}), mapping={"conv1": "bn1"}))
    assert diagnostic.code == "CNN204"
    assert diagnostic.notes == ("`conv1`, for `bn1`",)


def test_single_tensors_may_be_mapped() -> None:
    arrays = {name.replace("fc.", "head_"): array for name, array in drawn().items()}
    found = convert(MODULE, source_of("torch", arrays), mapping={"head_weight": "fc.weight", "head_bias": "fc.bias"})
    assert same(found.weights, drawn())


@pytest.mark.parametrize("match", ["exact", "structure"])
def test_the_one_vector_of_a_norm_is_not_guessed_to_be_its_scale(match: Literal["exact", "structure"]) -> None:
    """A .weights.h5 does not say whether it is gamma or beta: where the spec has both, one must be allowed to be missing."""
    module = elaborate.loads("model M {\n    input x: float32[N, 2, 3]\n    output x -> bn: batchnorm\n}\n")
    arrays = {f"bn/{name}": np.ones(2, np.float32) for name in ("gamma_or_beta", "moving_mean", "moving_variance")}
    with pytest.raises(Failure):
        convert(module, source_of("keras", arrays), match=match, allow_missing=["bn.weight", "bn.bias"])
    for pattern, label in (("bn.weight", "bn.bias"), ("bn.bias", "bn.weight")) if match == "exact" else ():
        by_need = convert(module, source_of("keras", arrays), allow_missing=[pattern])
        assert [row.label for row in by_need.rows] == [label, "bn.running_mean", "bn.running_var"]
    source, mapping = source_of("keras", arrays), {"bn/gamma_or_beta": "bn.bias"}
    found = convert(module, source, mapping=mapping, match="exact", allow_missing=["bn.weight"])
    assert [row.label for row in found.rows] == ["bn.bias", "bn.running_mean", "bn.running_var"]


def test_two_tensors_for_one_are_refused() -> None:
    arrays = drawn() | {"old.bias": np.zeros(3, np.float32)}
    diagnostic = failure(lambda: convert(MODULE, source_of("torch", arrays), mapping={"old": "conv1"}))
    assert diagnostic.code == "CNN204"
    assert diagnostic.notes == ("`conv1.bias`: `conv1.bias`, `old.bias`",)


@pytest.mark.parametrize(("name", "text"), [("m.json", '{"a.b": "c"}'), ("m.toml", '"a.b" = "c"\n')])
def test_a_mapping_file(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert read_mapping(tmp_path / name) == {"a.b": "c"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("m.json", b"[]"),
        ("m.json", b'{"a": 1}'),
        ("m.json", b'{"a": "b", "a": "c"}'),
        ("m.json", b"[" * 100_000),
        ("m.json", b"\xff"),
        ("m.toml", b"a.b = 'c'"),
        ("m.toml", b"a = "),
        ("m.txt", b"a b"),
    ],
)
def test_a_file_that_is_no_mapping(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    diagnostic = failure(lambda: read_mapping(tmp_path / name))
    assert diagnostic.code == "CNN204"
    assert diagnostic.message.startswith(f"cannot read {tmp_path / name}: ")


def test_a_mapping_file_that_is_not_there(tmp_path: Path) -> None:
    assert (
        failure(lambda: read_mapping(tmp_path / "m.json")).message
        == f"cannot read {tmp_path}/m.json: no such file or directory"
    )


# ── what does not fit ────────────────────────────────────────────────────────────────────────────────────────


def test_the_state_dict_of_another_network_is_named_tensor_by_tensor() -> None:
    arrays = {"body.weight": np.zeros((2, 2), np.float32), "conv1.weight": np.zeros((3, 2, 5, 5), np.float32)}
    diagnostic = failure(lambda: convert(MODULE, source_of("torch", arrays)))
    assert diagnostic.code == "CNN201"
    assert "not in the spec: `body.weight`, float32[2, 2]" in diagnostic.notes
    assert any(
        note.startswith("shape: `conv1.weight` is [3, 2, 5, 5] in the file, the spec wants") for note in diagnostic.notes
    )
    assert sum(note.startswith("missing: ") for note in diagnostic.notes) == len(drawn()) - 1


def test_batch_norms_that_an_exporter_folded_are_pointed_out() -> None:
    folded = {name: array for name, array in drawn().items() if not name.startswith("bn1.")}
    hint = failure(lambda: convert(MODULE, source_of("onnx", folded))).hint
    assert hint is not None
    assert "folded into the convolutions" in hint
    assert failure(lambda: convert(MODULE, source_of("onnx", {"fc.bias": drawn()["fc.bias"]}))).hint is None


def test_a_mapped_tensor_of_another_shape_is_named_on_both_sides() -> None:
    arrays = {name.replace("fc.", "head."): array for name, array in drawn().items()} | {"head.bias": np.zeros(7, np.float32)}
    diagnostic = failure(lambda: convert(MODULE, source_of("torch", arrays), mapping={"head": "fc"}))
    (note,) = diagnostic.notes
    assert note.startswith("shape: `fc.bias`, `head.bias`, is [7] in the file, the spec wants float32[3]")


def test_nothing_is_cast_in_silence() -> None:
    halves = {name: array.astype(np.float16) for name, array in drawn().items()}
    diagnostic = failure(lambda: convert(MODULE, source_of("torch", halves)))
    assert diagnostic.code == "CNN201"
    assert diagnostic.hint is not None
    assert "--cast" in diagnostic.hint
    found = convert(MODULE, source_of("torch", halves), cast=True)
    assert same(found.weights, {name: array.astype(np.float32) for name, array in halves.items()})
    assert {row.cast for row in found.rows} == {"float16"}
    assert "cast from float16" in found.report()


def test_a_cast_keeps_numbers_finite_and_integers_out() -> None:
    wide = {name: array.astype(np.float64) for name, array in drawn().items()}
    wide["fc.bias"][0] = 1e300
    diagnostic = failure(lambda: convert(MODULE, source_of("torch", wide), cast=True))
    assert diagnostic.message == "`fc.bias` in memory.torch holds numbers that are too large for float32"
    whole = drawn() | {"fc.bias": np.zeros(3, np.int64)}
    assert (
        failure(lambda: convert(MODULE, source_of("torch", whole), cast=True)).notes[0].startswith("dtype: `fc.bias` is int64")
    )


HOSTILE = {
    "control": "fc.\x1b[2J\x07weight",
    "newline": "fc\nerror[CNN000]: all is well",
    "bidi": "fc.\u202ethgiew",
    "path": "../../../etc/passwd",
    "absolute": "/etc/passwd",
    "long": "x" * 1_000_000,
    "backtick": "a`b",
    "surrogate": "\ud800",
    "empty": "",
    "dots": ".." * 500_000,
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_are_named_harmlessly(name: str) -> None:
    arrays = drawn() | {name: np.zeros(1, np.float32)}
    found = convert(MODULE, source_of("torch", arrays), mapping={"bn1": "bn1"}, allow_missing=["fc.*", "*"])
    for text in (
        render([failure(lambda: convert(MODULE, source_of("torch", arrays)))]),
        render([failure(lambda: convert(MODULE, source_of("torch", arrays), match="structure"))]),
        found.report(),
    ):
        assert len(text) < 20_000
        assert all(char == "\n" or char.isprintable() for char in text)
        assert not any(line.startswith("error[CNN000]") for line in text.splitlines())
    json.dumps(found.to_json())


def test_a_file_that_says_one_thing_and_holds_another_is_refused() -> None:
    honest = source_of("torch", drawn())
    lies = replace(honest.tensors["fc.bias"], read=lambda: np.zeros(4, np.float32))
    diagnostic = failure(lambda: convert(MODULE, replace(honest, tensors={**honest.tensors, "fc.bias": lies})))
    assert diagnostic.code == "CNN200"
    assert "`fc.bias` is said to be float32[3] and is float32[4]" in diagnostic.message


# ── in part ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_head_is_drawn_from_the_seed_and_reported() -> None:
    module = elaborate.loads(NET, settings={"classes": 10})
    found = convert(module, source_of("torch", drawn()), allow_missing=["fc.*"], seed=5)
    fresh = initial_weights(module.graph, 5)
    for name, array in found.weights.items():
        wanted = fresh[name] if name.startswith("fc.") else drawn()[name]
        assert array.tobytes() == wanted.tobytes(), name
    assert [item.label for item in found.missing] == ["fc.weight", "fc.bias"]
    assert [item.source for item in found.ignored] == ["fc.weight", "fc.bias"]
    assert "drawn from the seed: 2 tensors" in found.report()
    assert "left out of the file: 2 tensors" in found.report()


def test_what_fits_is_loaded_though_it_may_be_missing() -> None:
    found = convert(MODULE, source_of("torch", drawn()), allow_missing=["fc.*"])
    assert same(found.weights, drawn())
    assert found.missing == ()


def test_an_old_head_may_be_left_over() -> None:
    arrays = drawn() | {"aux.weight": np.zeros(1, np.float32)}
    found = convert(MODULE, source_of("torch", arrays), allow_missing=["aux.*"])
    assert [(item.source, item.why) for item in found.ignored] == [("aux.weight", "not in the spec")]


def test_a_pattern_covers_what_it_matches_and_no_more() -> None:
    diagnostic = failure(lambda: convert(MODULE, source_of("torch", {}), allow_missing=["fc.*"]))
    assert {note.split("`")[1] for note in diagnostic.notes} == {name for name in drawn() if not name.startswith("fc.")}


def test_a_pattern_that_matches_nothing_is_refused() -> None:
    diagnostic = failure(lambda: convert(MODULE, source_of("torch", drawn()), allow_missing=["fc*", "cf.*"]))
    assert diagnostic.code == "CNN401"
    assert "cf.*" in diagnostic.message


def test_another_dtype_is_refused_under_a_pattern_too() -> None:
    arrays = drawn() | {"fc.bias": np.zeros(3, np.float64)}
    assert failure(lambda: convert(MODULE, source_of("torch", arrays), allow_missing=["fc.*"])).code == "CNN201"


def test_counters_of_batch_norm_and_constants_are_let_pass() -> None:
    counters = drawn() | {"bn1.num_batches_tracked": np.array(3, np.int64)}
    assert same(convert(MODULE, source_of("torch", counters)).weights, drawn())
    assert failure(lambda: convert(MODULE, source_of("torch", drawn() | {"bn1.batches": np.array(3)}))).code == "CNN201"


# ── the API ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_load_takes_patterns(tmp_path: Path) -> None:
    convspec.loads(NET).save_weights(tmp_path / "w.safetensors")
    net = convspec.loads(NET, settings={"classes": 5}, weights=tmp_path / "w.safetensors", allow_missing=["fc.*"], seed=2)
    assert (
        net.weights["fc.weight"].tobytes()
        == convspec.loads(NET, settings={"classes": 5}, seed=2).weights["fc.weight"].tobytes()
    )
    assert net.weights["conv1.weight"].tobytes() == convspec.loads(NET).weights["conv1.weight"].tobytes()
    assert net.conversion is not None
    assert len(net.conversion.missing) == 2


def test_arrays_are_checked_like_a_file() -> None:
    assert same(convspec.loads(NET, weights=drawn()).weights, drawn())
    diagnostic = failure(lambda: convspec.loads(NET, weights={}).weights)
    assert diagnostic.message.startswith("the given weights does not fit Net: ")


def test_patterns_without_weights_are_refused() -> None:
    assert failure(lambda: convspec.loads(NET, allow_missing=["fc.*"]).weights).code == "CNN401"
