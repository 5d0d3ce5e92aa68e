"""Weight files: what goes in comes out, all misfits in one report, and no file, however broken, gives a traceback."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from convspec.diagnostics import Diagnostic, Failure
from convspec.ir.graph import Graph
from convspec.ir.init import Init
from convspec.ir.types import Array
from convspec.weights import store
from convspec.weights.init import initial_weights
from tests.weights.graphs import graph_of, parameter

NORMAL = Init("normal", value=1.0)


def network() -> Graph:
    return graph_of(
        parameter("conv1.weight", (4, 3, 2, 2), NORMAL),
        parameter("conv1.bias", (4,), NORMAL),
        parameter("bn.running_var", (4,), NORMAL, trainable=False),
        parameter("half", (3,), NORMAL, dtype="float16"),
        parameter("brain", (5,), NORMAL, dtype="bfloat16"),
        parameter("wide", (), NORMAL, dtype="float64"),
    )


def drawn() -> dict[str, Array]:
    return initial_weights(network(), 7)


def attempt(path: Path) -> tuple[dict[str, Array], set[str]]:
    """The tensors, or the codes of what is wrong."""
    try:
        return store.load(path, network()), set()
    except Failure as caught:
        return {}, {diagnostic.code for diagnostic in caught.diagnostics}


def failure(action: Callable[[], Any]) -> Diagnostic:
    with pytest.raises(Failure) as caught:
        action()
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    path = store.save(tmp_path / "w.safetensors", drawn(), "Hand")
    loaded = store.load(path, network())
    assert list(loaded) == list(network().parameters())
    for name, tensor in drawn().items():
        assert loaded[name].dtype == tensor.dtype
        np.testing.assert_array_equal(loaded[name], tensor)


def test_the_safetensors_package_reads_the_file(tmp_path: Path) -> None:
    path = store.save(tmp_path / "w.safetensors", drawn(), "Hand")
    for name, tensor in load_file(path).items():
        np.testing.assert_array_equal(tensor, drawn()[name])
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    assert metadata["format"] == "pt"
    assert metadata["convspec.spec"] == "Hand"


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = (store.save(tmp_path / name, drawn(), "Hand").read_bytes() for name in ("a", "b"))
    assert one == two


def test_every_tensor_lies_at_a_multiple_of_its_element(tmp_path: Path) -> None:
    data = store.save(tmp_path / "w", {"odd": np.zeros(3, np.uint8), "wide": np.zeros(2, np.float64)}, "M").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    assert (8 + length + header["wide"]["data_offsets"][0]) % 8 == 0


def test_views_are_stored_by_their_elements(tmp_path: Path) -> None:
    graph = graph_of(parameter("w", (3, 2), NORMAL), parameter("v", (2,), NORMAL))
    tensors = {"w": np.arange(6, dtype=np.float32).reshape(2, 3).T, "v": np.arange(4, dtype=">f4")[::2].astype(">f4")}
    loaded = store.load(store.save(tmp_path / "w", tensors, "M"), graph)
    assert loaded["w"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert loaded["v"].tolist() == [0, 2]


def test_a_file_without_our_metadata_loads(tmp_path: Path) -> None:
    """As another tool writes it, with batch norm's counter, which is passed over."""
    tensors = drawn() | {"bn.num_batches_tracked": np.array(3, np.int64), "num_batches_tracked": np.array(3, np.int64)}
    save_file(tensors, tmp_path / "torch.safetensors")
    loaded = store.load(tmp_path / "torch.safetensors", network())
    assert list(loaded) == list(network().parameters())


def test_all_misfits_stand_in_one_report(tmp_path: Path) -> None:
    tensors = drawn()
    del tensors["conv1.bias"]
    tensors["conv1.bais"] = np.zeros(4, np.float32)
    tensors["other"] = np.zeros((2, 2), np.int64)
    tensors["conv1.weight"] = np.zeros((4, 3, 3, 3), np.float32)
    tensors["half"] = np.zeros(3, np.float32)
    save_file(tensors, tmp_path / "bad.safetensors")
    diagnostic = failure(lambda: store.load(tmp_path / "bad.safetensors", network()))
    assert diagnostic.code == "CNN201"
    assert diagnostic.message == (
        f"{tmp_path}/bad.safetensors does not fit Hand: "
        "1 tensor missing, 2 tensors not in the spec, 1 tensor of another shape, 1 tensor of another dtype"
    )
    assert sorted(diagnostic.notes) == [
        "dtype: `half` is float32 in the file, the spec wants float16[3] (hand.cnn:1:5)",
        "missing: `conv1.bias`, the spec wants float32[4] (hand.cnn:1:5)",
        "not in the spec: `conv1.bais`, float32[4]: did you mean `conv1.bias`?",
        "not in the spec: `other`, int64[2, 2]",
        "shape: `conv1.weight` is [4, 3, 3, 3] in the file, the spec wants float32[4, 3, 2, 2] (hand.cnn:1:5)",
    ]
    assert diagnostic.hint is not None
    assert "--cast" in diagnostic.hint


def test_wider_floats_are_not_cast_in_silence(tmp_path: Path) -> None:
    graph = graph_of(parameter("w", (2,), NORMAL))
    for dtype in (np.float16, np.float64):
        save_file({"w": np.ones(2, dtype)}, tmp_path / "w")
        assert failure(lambda: store.load(tmp_path / "w", graph)).code == "CNN201"


def test_the_file_of_another_network_is_listed_without_guesses(tmp_path: Path) -> None:
    save_file({f"conv1.weigh{i}": np.zeros(1, np.float32) for i in range(50)}, tmp_path / "w")
    diagnostic = failure(lambda: store.load(tmp_path / "w", network()))
    assert len(diagnostic.notes) == 50 + 6
    assert not any("did you mean" in note for note in diagnostic.notes)


def test_a_common_prefix_is_pointed_out(tmp_path: Path) -> None:
    save_file({f"module.{name}": tensor for name, tensor in drawn().items()}, tmp_path / "ddp")
    diagnostic = failure(lambda: store.load(tmp_path / "ddp", network()))
    assert diagnostic.notes == ("every name in the file begins with `module`, in the spec none: otherwise they are the same",)
    assert diagnostic.hint == "`convspec weights convert --map module=` brings them together"


def test_a_prefix_of_the_spec_is_pointed_out(tmp_path: Path) -> None:
    save_file({"weight": np.ones(2, np.float32)}, tmp_path / "part")
    diagnostic = failure(lambda: store.load(tmp_path / "part", graph_of(parameter("head.weight", (2,), NORMAL))))
    assert diagnostic.hint == "`convspec weights convert --map =head` brings them together"


def test_a_prefix_is_not_all_where_something_else_differs(tmp_path: Path) -> None:
    tensors = {f"module.{name}": tensor for name, tensor in drawn().items()} | {"module.half": np.ones(4, np.float16)}
    save_file(tensors, tmp_path / "ddp")
    assert len(failure(lambda: store.load(tmp_path / "ddp", network())).notes) == 2 * len(tensors)


HEADER_BOMBS = {
    "empty": b"",
    "short": b"\x08\0\0",
    "huge length": b"\xff" * 8,
    "length past the end": struct.pack("<Q", 1000) + b"{}",
    "no JSON": struct.pack("<Q", 4) + b"{{{{",
    "a list": struct.pack("<Q", 2) + b"[]",
    "deep": struct.pack("<Q", 200_000) + b"[" * 200_000,
    "not UTF-8": struct.pack("<Q", 6) + b'{"\xff":1',
    "offsets past the end": None,
    "negative offsets": None,
    "shape too large": None,
    "unknown dtype": None,
    "trailing bytes": None,
}


def _header(name: str) -> bytes:
    entry: dict[str, Any] = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    tail = b"\0" * 8
    if name == "offsets past the end":
        entry["data_offsets"] = [0, 1 << 60]
    elif name == "negative offsets":
        entry["data_offsets"] = [-8, 0]
    elif name == "shape too large":
        entry["shape"] = [1 << 62, 1 << 62]
    elif name == "unknown dtype":
        entry["dtype"] = "F33"
    else:
        tail += b"x"
    text = json.dumps({"w": entry}).encode()
    return struct.pack("<Q", len(text)) + text + tail


@pytest.mark.parametrize("name", HEADER_BOMBS)
def test_hostile_headers(tmp_path: Path, name: str) -> None:
    (tmp_path / "w").write_bytes(HEADER_BOMBS[name] or _header(name))
    diagnostic = failure(lambda: store.load(tmp_path / "w", graph_of(parameter("w", (2,), NORMAL))))
    assert diagnostic.code == "CNN200"
    assert diagnostic.message.startswith(f"cannot read {tmp_path}/w: ")


def test_other_dtypes_of_the_format_are_named(tmp_path: Path) -> None:
    entry = {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]}
    text = json.dumps({"w": entry}).encode()
    (tmp_path / "w").write_bytes(struct.pack("<Q", len(text)) + text + b"\0\0")
    diagnostic = failure(lambda: store.load(tmp_path / "w", graph_of(parameter("w", (2,), NORMAL))))
    assert diagnostic.code == "CNN201"
    assert diagnostic.notes[0].startswith("dtype: `w` is F8_E4M3 in the file")


def test_files_that_are_something_else(tmp_path: Path) -> None:
    graph = network()
    for start in (b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"):
        (tmp_path / "model").write_bytes(start + b"\0" * 100)
        assert failure(lambda: store.load(tmp_path / "model", graph)).code == "CNN200"
    missing = failure(lambda: store.load(tmp_path / "none", graph))
    assert missing.message == f"cannot read {tmp_path}/none: no such file or directory"
    folder = failure(lambda: store.load(tmp_path, graph))
    assert folder.message == f"cannot read {tmp_path}: it is no ordinary file"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return store.save(tmp_path_factory.mktemp("good") / "w", drawn(), "Hand").read_bytes()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_bit_is_found_or_harmless(tmp_path: Path, good: bytes, data: st.DataObject) -> None:
    """A flip in the tensors is always found; one in the header is found, or leaves every tensor as it was."""
    position = data.draw(st.integers(0, len(good) - 1))
    broken = bytearray(good)
    broken[position] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "broken"
    path.write_bytes(broken)
    (length,) = struct.unpack("<Q", good[:8])
    loaded, codes = attempt(path)
    if codes:
        assert codes <= {"CNN200", "CNN201"}
        return
    assert position < 8 + length, "a flipped bit in a tensor went unnoticed"
    for name, tensor in drawn().items():
        np.testing.assert_array_equal(loaded[name], tensor)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_truncated_file_is_a_failure(tmp_path: Path, good: bytes, data: st.DataObject) -> None:
    path = tmp_path / "short"
    path.write_bytes(good[: data.draw(st.integers(0, len(good) - 1))])
    assert failure(lambda: store.load(path, network())).code == "CNN200"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(max_size=200), framed=st.booleans())
def test_garbage_is_a_failure(tmp_path: Path, garbage: bytes, framed: bool) -> None:
    path = tmp_path / "garbage"
    path.write_bytes((struct.pack("<Q", len(garbage)) if framed else b"") + garbage)
    assert failure(lambda: store.load(path, network())).code in ("CNN200", "CNN201")


def _changed(path: Path, tensors: dict[str, Array], metadata: dict[str, str] | None = None) -> Diagnostic:
    """What loading says of a file of ours in which another program put these tensors, under metadata of ours."""
    store.save(path, drawn(), "Hand")
    with safe_open(path, framework="numpy") as file:
        ours = file.metadata()
    save_file(tensors, path, ours if metadata is None else metadata)
    return failure(lambda: store.load(path, network()))


def test_a_change_under_our_manifest_names_the_tensor(tmp_path: Path) -> None:
    path = tmp_path / "w"
    diagnostic = _changed(path, drawn() | {"conv1.bias": np.zeros(4, np.float32)})
    assert diagnostic.message == f"cannot read {path}: the bytes of `conv1.bias` differ from their SHA-256"
    assert diagnostic.hint is not None
    assert "save it without the metadata" in diagnostic.hint


def test_a_tensor_put_in_or_taken_out_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w"
    more = _changed(path, drawn() | {"late": np.zeros(4, np.float32)})
    assert more.code == "CNN200"
    assert more.notes == ("`late` is in the file and not in its manifest",)
    less = _changed(path, {name: tensor for name, tensor in drawn().items() if name != "half"})
    assert less.notes == ("`half` is in its manifest and not in the file",)


def test_the_counter_of_batch_norm_alone_is_let_pass(tmp_path: Path) -> None:
    path = store.save(tmp_path / "w", drawn(), "Hand")
    with safe_open(path, framework="numpy") as file:
        ours = file.metadata()
    save_file(drawn() | {"bn.num_batches_tracked": np.array(3, np.int64)}, path, ours)
    assert list(store.load(path, network())) == list(network().parameters())


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"convspec.crc32": "{}"}, "its metadata holds `convspec.crc32`, which this version does not know"),
        ({"convspec.spec": "Hand"}, "its manifest is missing"),
        ({"convspec.sha256": "{"}, "its manifest is damaged"),
        ({"convspec.sha256": '{"half": "00", "half": "00"}'}, "its manifest is damaged"),
        ({"convspec.sha256": '{"half": 0}'}, "its manifest is damaged"),
    ],
)
def test_a_manifest_that_is_not_ours_to_read_is_refused(tmp_path: Path, metadata: dict[str, str], said: str) -> None:
    assert _changed(tmp_path / "w", drawn(), metadata).message == f"cannot read {tmp_path}/w: {said}"


def test_a_digest_is_the_sha256_of_the_bytes_in_the_file(tmp_path: Path) -> None:
    data = store.save(tmp_path / "w", drawn(), "Hand").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    digests = json.loads(header.pop("__metadata__")["convspec.sha256"])
    assert digests.keys() == header.keys()
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        assert digests[name] == hashlib.sha256(data[start:end]).hexdigest()


def test_a_name_that_stands_twice_is_named(tmp_path: Path) -> None:
    entry = '"conv1.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    text = f"{{{entry},{entry}}}".encode()
    (tmp_path / "w").write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 4)
    diagnostic = failure(lambda: store.load(tmp_path / "w", network()))
    assert diagnostic.code == "CNN200"
    assert "`conv1.bias`" in diagnostic.message


def test_a_truncated_file_names_the_tensor_that_is_cut(tmp_path: Path) -> None:
    data = store.save(tmp_path / "w", drawn(), "Hand").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    last = max((name for name in header if name != "__metadata__"), key=lambda name: header[name]["data_offsets"][1])
    (tmp_path / "w").write_bytes(data[:-1])
    assert f"`{last}`" in failure(lambda: store.load(tmp_path / "w", network())).message
