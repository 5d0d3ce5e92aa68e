"""`convspec run`, on every runtime."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from convspec import load
from convspec.ir.types import Array
from tests.cli.helpers import convspec

RUNTIMES = ("onnxruntime", "pytorch", "tensorflow", "reference")


def test_pictures_are_classified() -> None:
    done = convspec("run", "small.cnn", "--input", "digits", "--runtime", "reference", "--device", "cpu", "--top", "1")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == f"Small on reference 0.1.0, device cpu (NumPy {np.__version__}, in float64)"
    assert lines[1:5] == [
        "weights: initial values from seed 0, not trained",
        "probabilities: softmax of `logits`",
        "",
        "input         class  probability",
    ]
    assert [line.split()[0] for line in lines[5:]] == ["digits/0.png", "digits/1.png", "digits/2.png"]


def test_the_numbers_are_those_of_the_network() -> None:
    done = convspec("run", "small.cnn", "--input", "x.npy", "--top", "9", "--format", "json", "--runtime", "reference")
    found = json.loads(done.out)
    logits = load("small.cnn").run(np.load("x.npy"), "reference")["logits"]
    odds = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert found["softmax"] is True and found["classes_from"] == "logits"
    assert [result["input"] for result in found["results"]] == ["x.npy[0]", "x.npy[1]"]
    for result, row in zip(found["results"], odds, strict=True):
        assert [c["index"] for c in result["classes"]] == list(np.argsort(-row))
        np.testing.assert_allclose([c["probability"] for c in result["classes"]], sorted(row, reverse=True))
    shown = found["outputs"]["logits"]
    assert (shown["dtype"], shown["shape"]) == ("float64", [2, 4])
    assert [shown[k] for k in ("min", "max", "mean")] == pytest.approx([logits.min(), logits.max(), logits.mean()])


def test_every_runtime_gives_the_same_and_says_what_ran() -> None:
    found = [
        json.loads(convspec("run", "small.cnn", "--input", "digits", "--runtime", name, "--format", "json").out)
        for name in RUNTIMES
    ]
    assert [each["runtime"] for each in found] == list(RUNTIMES)
    assert [each["device"] for each in found] == ["cpu"] * 4
    assert found[0]["provider"] == "CPUExecutionProvider"
    assert found[0]["notes"] == ["auto chose the CPU: this onnxruntime is built without CUDA"]
    for each in found[:3]:
        for ours, theirs in zip(each["results"], found[3]["results"], strict=True):
            assert [c["index"] for c in ours["classes"]] == [c["index"] for c in theirs["classes"]]
            for a, b in zip(ours["classes"], theirs["classes"], strict=True):
                assert a["probability"] == pytest.approx(b["probability"], rel=1e-4)


def test_a_compiled_model_prepares_pictures_as_its_spec_did() -> None:
    convspec("compile", "small.cnn", "--target", "onnx")
    spec, model = (
        json.loads(convspec("run", path, "--input", "digits", "--format", "json").out) for path in ("small.cnn", "small.onnx")
    )
    assert spec["results"] == model["results"]
    assert (spec["model"], model["model"], model["weights"]) == ("Small", "Small", None)


def test_labels_and_a_distribution() -> None:
    text = Path("small.cnn").read_text().replace("linear(classes)", "linear(classes) -> softmax")
    Path("soft.cnn").write_text(text.replace("Small", "Soft"))
    Path("names.txt").write_text("zero\none\ntwo\nthree\n")
    done = convspec("run", "soft.cnn", "--input", "digits/1.png", "--labels", "names.txt", "--top", "4")
    assert "probabilities: as they stand in `logits`" in done.out
    assert sorted(line.split()[-3] for line in done.out.splitlines()[-4:]) == ["one", "three", "two", "zero"]


def test_small_probabilities_are_not_called_nothing() -> None:
    Path("given.cnn").write_text("model Given {\ninput x: float32[N, 4]\noutput x\n}\n")
    np.save("p.npy", np.array([[0.99983, 0.00011, 0.00006, 0]], np.float32))
    np.save("q.npy", np.array([[0.99996, 0.00004, 0, 0]], np.float32))
    shown = [convspec("run", "given.cnn", f"{name}.npy", "--top", "4", "--runtime", "reference").out for name in "pq"]
    assert [line[-8:].strip() for line in shown[0].splitlines()[-4:]] == ["99.98 %", "0.01 %", "0.01 %", "0.00 %"]
    assert [line[-8:].strip() for line in shown[1].splitlines()[-4:]] == ["100.00 %", "< 0.01 %", "0.00 %", "0.00 %"]


def test_other_outputs_are_described_and_written() -> None:
    left = np.random.default_rng(1).normal(size=(1, 2, 4, 4)).astype(np.float32)
    np.save("l.npy", left)
    np.savez("both.npz", left=left, right=-left)
    done = convspec("run", "two.cnn", "--input", "both.npz", "--output", "out.npz", "--runtime", "reference")
    assert done.out.splitlines()[1:] == [
        "sum: float64[1, 2, 4, 4], from 0 to 0, mean 0",
        f"max.0: float64[1, 2, 2, 2], from {_pool(left).min():.6g} to {_pool(left).max():.6g}, mean {_pool(left).mean():.6g}",
        "wrote out.npz",
    ]
    with np.load("out.npz") as written:
        np.testing.assert_array_equal(written["max.0"], _pool(left))
    done = convspec("run", "two.cnn", "--input", "left=l.npy", "--input", "right=l.npy", "-o", "out", "--runtime", "reference")
    assert done.out.splitlines()[-2:] == ["wrote out/sum.npy", "wrote out/max.0.npy"]
    np.testing.assert_array_equal(np.load("out/sum.npy"), 2 * left.astype(np.float64))


def _pool(x: Array) -> Array:
    pooled: Array = x.astype(np.float64).reshape(1, 2, 2, 2, 2, 2).max(axis=(3, 5))
    return pooled


def test_one_output_to_npy_in_batches() -> None:
    args = ("run", "small.cnn", "--input", "digits", "--batch", "2", "--runtime", "reference", "--output")
    assert convspec(*args, "a.npy").code == 0
    one_by_one = [load("small.cnn").run(_read(f"digits/{i}.png"), "reference")["logits"] for i in range(3)]
    np.testing.assert_allclose(np.load("a.npy"), np.concatenate(one_by_one), rtol=1e-12)


def _read(path: str) -> Array:
    """The picture as the spec wants it, 12x10 brought to 8x8, by Pillow itself."""
    from PIL import Image

    resized = Image.open(path).resize((8, 9), Image.Resampling.BILINEAR).crop((0, 0, 8, 8))
    return (np.asarray(resized) / 255).astype(np.float32)[None, None]


def test_weights_are_named() -> None:
    load("small.cnn", seed=5).save_weights("w.safetensors")
    from_file = convspec("run", "small.cnn", "--input", "x.npy", "--weights", "w.safetensors")
    from_seed = convspec("run", "small.cnn", "--input", "x.npy", "--seed", "5")
    assert "weights: w.safetensors\n" in from_file.out
    assert "weights: initial values from seed 5, not trained\n" in from_seed.out
    assert from_file.out.splitlines()[-1] == from_seed.out.splitlines()[-1]


def test_what_was_changed_on_the_way_in_is_said() -> None:
    np.save("d.npy", np.full((1, 8, 8), 0.1))
    done = convspec("run", "small.cnn", "--input", "d.npy")
    assert "d.npy: a batch axis was added, N = 1\nd.npy: float64 rounded to float32\n" in done.out


def test_numbers_that_json_does_not_have() -> None:
    Path("div.cnn").write_text("model Div {\ninput x: float32[N, 2]\noutput y = 1.0 / x\n}\n")
    np.save("zero.npy", np.array([[0, 1]], np.float32))
    done = convspec("run", "div.cnn", "--input", "zero.npy", "--runtime", "reference", "--format", "json")
    assert json.loads(done.out)["outputs"]["y"] == {"dtype": "float64", "shape": [1, 2], "min": 1.0, "max": None, "mean": None}


def test_progress_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from convspec.cli import running
    from convspec.runtime.inputs import Batch, Feed

    batches = [Batch((str(i),), {}) for i in range(3)]
    for terminal in (False, True):
        monkeypatch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal, raising=False)
        assert list(running._with_progress(Feed(iter(batches), [], 3))) == batches
