"""`convspec compile`."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

from convspec import load
from tests.cli.helpers import convspec


def test_the_files_and_their_sizes() -> None:
    done = convspec("compile", "small.cnn", "--target", "onnx")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"wrote small.onnx ({Path('small.onnx').stat().st_size / 1000:.1f} kB)\n"
    onnx.checker.check_model(onnx.load("small.onnx"), full_check=True)


@pytest.mark.parametrize("target", ["pytorch", "tensorflow"])
def test_source_targets(target: str) -> None:
    done = convspec("compile", "small.cnn", "--target", target, "-o", "net.py", "--format", "json")
    found = json.loads(done.out)
    assert (found["model"], found["target"]) == ("Small", target)
    assert [file["path"] for file in found["files"]] == ["net.py", "net.safetensors"]
    assert [file["bytes"] for file in found["files"]] == [Path(f["path"]).stat().st_size for f in found["files"]]
    compile(Path("net.py").read_text(), "net.py", "exec")


def test_options_reach_the_target() -> None:
    convspec("compile", "small.cnn", "--target", "onnx", "--opset", "20", "--external-data", "--set", "classes=7")
    model = onnx.load("small.onnx")
    assert [entry.version for entry in model.opset_import if not entry.domain] == [20]
    assert Path("small.onnx.data").exists()
    assert model.graph.output[0].type.tensor_type.shape.dim[1].dim_value == 7


def test_sizes_are_fixed() -> None:
    convspec("compile", "small.cnn", "--target", "onnx", "--sizes", "N=3")
    model = onnx.load("small.onnx")
    assert [dim.dim_value for dim in model.graph.output[0].type.tensor_type.shape.dim] == [3, 4]
    refused = convspec("compile", "small.cnn", "--target", "onnx", "--sizes", "M=3")
    assert refused.code == 1 and "there is no symbolic size `M`" in refused.err
    useless = convspec("run", "small.onnx", "x.npy", "--sizes", "N=3")
    assert useless.code == 1 and "--sizes says nothing about a compiled model" in useless.err
    verified = convspec("verify", "small.cnn", "--sizes", "N=3", "--targets", "onnx")
    assert verified.code == 0 and "N = 3" not in verified.out


def test_the_model_alone_against_a_data_file() -> None:
    convspec("compile", "small.cnn", "--target", "onnx", "--external-data", "--seed", "3")
    before = Path("small.onnx").read_bytes()
    done = convspec("compile", "small.cnn", "--target", "onnx", "--reuse-data", "small.onnx.data")
    assert (done.code, done.out.count("wrote")) == (0, 1)
    assert Path("small.onnx").read_bytes() == before
    refused = convspec("compile", "small.cnn", "--target", "onnx", "--reuse-data", "small.onnx.data", "--set", "classes=7")
    assert refused.code == 1 and "CNN201" in refused.err and "Traceback" not in refused.err
    assert Path("small.onnx").read_bytes() == before
    absent = convspec("compile", "small.cnn", "--target", "onnx", "--reuse-data", "absent.data")
    assert absent.code == 1 and "CNN200" in absent.err


def test_weights_and_seed() -> None:
    load("small.cnn", seed=3).save_weights("three.safetensors")
    convspec("compile", "small.cnn", "--target", "onnx", "--weights", "three.safetensors", "-o", "a.onnx")
    convspec("compile", "small.cnn", "--target", "onnx", "--seed", "3", "-o", "b.onnx")
    convspec("compile", "small.cnn", "--target", "onnx", "-o", "c.onnx")
    assert Path("a.onnx").read_bytes() == Path("b.onnx").read_bytes()
    assert Path("a.onnx").read_bytes() != Path("c.onnx").read_bytes()


def test_a_chosen_model_names_the_file() -> None:
    Path("small.cnn").write_text(Path("small.cnn").read_text() + "model Wide = Small(classes = 9)\n")
    assert convspec("compile", "small.cnn", "--target", "onnx", "--model", "Wide").out.startswith("wrote Wide.onnx ")


def test_imports_stay_inside_the_root() -> None:
    Path("blocks").mkdir()
    Path("shared.cnn").write_text("block Act(x: tensor) {\nreturn x -> relu\n}\n")
    Path("blocks/net.cnn").write_text('use Act from "../shared.cnn"\nmodel Net {\ninput x: float32[N, 2]\noutput x -> Act\n}\n')
    assert convspec("check", "blocks/net.cnn").code == 1
    assert convspec("check", "blocks/net.cnn", "--root", ".").code == 0
    assert convspec("compile", "blocks/net.cnn", "--root", ".", "--target", "onnx").code == 0


@pytest.mark.parametrize(
    ("count", "shown"),
    [(999, "999 bytes"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB"), (2_500_000_000, "2.5 GB")],
)
def test_sizes_for_people(count: int, shown: str) -> None:
    from convspec.cli.compile import _shown

    assert _shown(count) == shown


def test_packages() -> None:
    done = convspec("compile", "small.cnn", "--target", "tensorflow", "--emit", "savedmodel", "--emit", "keras")
    assert done.code == 0, done.err
    assert [line.split()[1] for line in done.out.splitlines()] == [
        "small.py",
        "small.safetensors",
        "small_savedmodel",
        "small.keras",
    ]
