"""Transcripts under `tests/cli/transcripts`: commands in Markdown, with exactly what they print and their exit status.

In a ```console block, a line that begins with `$ ` is a command; below it stand stdout, stderr and, unless it is 0,
`[exit N]`. Each block starts in a folder with the files of `_prepare`. A command that fails must leave every file as it was.

CONVSPEC_UPDATE_CASES=1 writes what came out, to be read line by line before it is committed; it is refused where CI is set.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convspec import load
from tests.cli.helpers import convspec

FOLDER = Path(__file__).parent / "transcripts"
UPDATE = "CONVSPEC_UPDATE_CASES"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _blocks() -> Iterator[tuple[Path, int]]:
    for path in sorted(FOLDER.glob("*.md")):
        for number in range(len(_BLOCK.findall(path.read_text()))):
            yield path, number


def _title(case: tuple[Path, int]) -> str:
    path, number = case
    before = path.read_text()[: list(_BLOCK.finditer(path.read_text()))[number].start()]
    return f"{path.stem}: {re.findall(r'^#+ +(.*)$', before, re.MULTILINE)[-1]}"


CASES = list(_blocks())


@pytest.mark.parametrize("case", CASES, ids=map(_title, CASES))
def test_transcript(case: tuple[Path, int]) -> None:
    path, number = case
    text = path.read_text()
    match = list(_BLOCK.finditer(text))[number]
    _prepare()
    found = "".join(_run(line[2:]) for line in match[1].splitlines() if line.startswith("$ "))
    if os.environ.get(UPDATE) and not os.environ.get("CI"):
        path.write_text(text[: match.start(1)] + found + text[match.end(1) :])
    assert found == match[1]


def _run(line: str) -> str:
    program, *args = shlex.split(line)
    assert program == "convspec"
    before = _snapshot()
    done = convspec(*args)
    if done.code:
        assert _snapshot() == before, f"{line} failed and changed files"
    ends = f"[exit {done.code}]\n" if done.code else ""
    return f"$ {line}\n{done.out}{done.err}{ends}"


def _snapshot() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()}


def _prepare() -> None:
    """What the transcripts use, beside the files of conftest.py: data, pictures, weights and models, good and bad."""
    rng = np.random.default_rng(0)
    np.save("small-image.npy", rng.normal(size=(1, 1, 7, 8)).astype(np.float32))
    np.save("channels-last.npy", rng.normal(size=(2, 4, 4, 2)).astype(np.float32))
    np.save("odd.npy", rng.normal(size=(1, 2, 5, 4)).astype(np.float32))
    np.save("l.npy", rng.normal(size=(1, 2, 4, 4)).astype(np.float32))
    np.save("r.npy", rng.normal(size=(3, 2, 4, 6)).astype(np.float32))
    np.save("complex.npy", np.zeros((1, 1, 8, 8), np.complex64))
    np.save("huge.npy", np.full((1, 1, 8, 8), 1e300))
    np.save("words.npy", np.array(["seven"]))
    np.save("objects.npy", np.array([{}]), allow_pickle=True)
    np.save("nan.npy", np.where(np.arange(64).reshape(1, 1, 8, 8) == 9, np.nan, 0).astype(np.float32))
    np.save("nothing.npy", np.zeros((0, 1, 8, 8), np.float32))
    np.savez("lefd.npz", lefd=np.zeros((1, 2, 4, 4), np.float32))
    Path("short.npy").write_bytes(Path("x.npy").read_bytes()[:200])
    Path("junk.png").write_bytes(b"no picture")
    Path("cut.png").write_bytes(Path("digits/0.png").read_bytes()[:90])
    Path("mixed").mkdir()
    for name, source in (("a.png", "digits/0.png"), ("b.png", "junk.png"), ("c.png", "digits/1.png"), ("d.png", "cut.png")):
        Path("mixed", name).write_bytes(Path(source).read_bytes())
    Path("empty").mkdir()
    Image.new("RGB", (30, 20)).save("plain.png")
    Path("labels.txt").write_text("zero\none\n")
    Path("plain.cnn").write_text("model Plain {\n    input image: float32[N, 3, 28, 28]\n    output image -> relu\n}\n")
    Path("binary.cnn").write_bytes(bytes(range(256)))
    Path("several.cnn").write_text(Path("small.cnn").read_text() + "model Wide = Small(classes = 9)\n")
    weights = load("small.cnn").weights
    load("small.cnn").save_weights("good.safetensors")
    load("several.cnn", model="Wide").save_weights("wide.safetensors")
    Path("cut.safetensors").write_bytes(Path("good.safetensors").read_bytes()[:-40])
    flipped = bytearray(Path("good.safetensors").read_bytes())
    flipped[-5] ^= 1
    Path("flipped.safetensors").write_bytes(flipped)
    Path("checkpoint.pt").write_bytes(b"PK\x03\x04rest")
    _save_other(weights)
    Path("names.toml").write_text('"conv1.wieght" = "conv1.weight"\n')
    Path("junk.onnx").write_bytes(b"no model")


def _save_other(weights: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]) -> None:
    """Weights with a wrong name, a wrong dtype and a missing tensor."""
    from safetensors.numpy import save_file

    other = dict(weights)
    other["conv1.wieght"] = other.pop("conv1.weight")
    other["fc.bias"] = other["fc.bias"].astype(np.float64)
    save_file(other, "other.safetensors")
