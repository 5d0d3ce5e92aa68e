"""`convspec run FOLDER` against the loop that one writes first: decode a picture, run it, write its row, and the next.

Both run the same compiled model on ONNX Runtime with its defaults, on the same pictures, and write the five likeliest classes
to a CSV file. The loop's steps are those of the model's `picture(...)`, with Pillow and NumPy in float32. No goal: what can be
gained is what decoding and inference leave each other of the cores.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.figures import Figure, figure, main, speedup
from convspec.bench.timing import compare


@dataclass(frozen=True, slots=True)
class Case:
    """A network of the zoo, how many pictures it gets, and of which size (height, width) and kind they are."""

    spec: str
    model: str | None
    count: int
    size: tuple[int, int]
    suffix: str


CASES = (
    Case("zoo:mobilenet_v3", "MobileNetV3Large", 192, (375, 500), ".jpg"),
    Case("zoo:resnet", "ResNet18", 96, (375, 500), ".jpg"),
    Case("zoo:lenet5", None, 2000, (28, 28), ".png"),
)


def figures(quick: bool) -> list[Figure]:
    """For each case how many times as fast as the loop it is, and its pictures a second."""
    cases = CASES[::2] if quick else CASES
    return [found for case in cases for found in _measure(case, quick)]


def _measure(case: Case, quick: bool) -> Iterator[Figure]:
    count = max(16, case.count // 8) if quick else case.count
    with tempfile.TemporaryDirectory(prefix="convspec-folder-") as scratch:
        folder = Path(scratch)
        _pictures(folder / "pictures", count, case)
        model, verified = _compiled(case, folder)
        with _ours(model, folder) as ours, _loop(model, folder) as loop:
            ours()
            loop()
            same = _agree(folder / "ours.csv", folder / "loop.csv", count)
            subjects = {"convspec run": ours, "loop": loop}
            found = compare(subjects, rounds=3 if quick else 9, warmup=1, baseline="loop", budget=8 if quick else 60)
    name = f"{case.model or 'LeNet5'}, {count} pictures {case.size[0]}x{case.size[1]}"
    note = "" if same else "rows differ from the loop's"
    yield speedup(f"run FOLDER against a loop: {name}", found, "convspec run", note=note, verified=verified and same)
    speed = count / found.seconds("convspec run").value
    yield figure(f"run FOLDER: {name}", speed, unit="pictures/s", note=note, verified=verified and same)


def _pictures(folder: Path, count: int, case: Case) -> None:
    """Pictures that are as hard to decode as photographs: broad shapes with some noise."""
    from PIL import Image

    folder.mkdir()
    height, width = case.size
    for place in range(count):
        rng = np.random.default_rng(place)
        coarse = Image.fromarray(rng.integers(0, 256, (7, 9, 3), dtype=np.uint8))
        noisy = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)) + rng.normal(
            scale=6, size=(height, width, 3)
        )
        image = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
        (image if case.suffix == ".jpg" else image.convert("L")).save(folder / f"{place:05}{case.suffix}")


def _compiled(case: Case, folder: Path) -> tuple[Path, bool]:
    """The model as ONNX, and whether verify passed for it."""
    import convspec

    net = convspec.load(case.spec, model=case.model)
    net.to_onnx(folder / "model.onnx")
    return folder / "model.onnx", bool(net.verify(["onnx"], device="cpu").passed)


@contextmanager
def _ours(model: Path, folder: Path) -> Iterator[Callable[[], None]]:
    """What the command does after it has opened the model."""
    from convspec.cli import table
    from convspec.cli.running import Request
    from convspec.runtime.base import ModelFile, RunOptions, find_runtime

    session = find_runtime("onnxruntime").open(ModelFile(model), RunOptions("cpu"))

    class Opened:
        def open(self, *given: Any) -> Any:
            return session

    target = folder / "ours.csv"
    request = Request([str(folder / "pictures")], None, target, None, None, [model], None)

    def run() -> None:
        target.unlink(missing_ok=True)
        table.execute_table(ModelFile(model), "onnxruntime", RunOptions("cpu"), request)

    with patch.object(table, "find_runtime", lambda name: Opened()):
        yield run


@contextmanager
def _loop(model: Path, folder: Path) -> Iterator[Callable[[], None]]:
    """The plain loop."""
    import json

    import onnxruntime as ort

    session = ort.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    _, channels, height, width = given.shape
    picture = json.loads(session.get_modelmeta().custom_metadata_map["convspec.picture"])[given.name]
    height, width = picture["size"] or (height, width)

    def run() -> None:
        with open(folder / "loop.csv", "w", newline="") as file:
            writer = csv.writer(file)
            for path in sorted((folder / "pictures").iterdir()):
                batch = _prepared(path, channels, (height, width), picture)
                (logits,) = session.run(None, {given.name: batch})[:1]
                odds = np.exp(logits[0] - logits[0].max())
                odds /= odds.sum()
                best = np.argsort(-odds)[:5]
                writer.writerow([path.name, *(value for i in best for value in (i, odds[i]))])

    yield run


def _prepared(path: Path, channels: int, size: tuple[int, int], picture: dict[str, Any]) -> Any:
    """Resize so that `size` is covered, crop its centre, normalise."""
    from PIL import Image

    height, width = size
    with Image.open(path) as opened:
        image = opened.convert("L" if channels == 1 else "RGB")
    cover = (max(height, int(height / picture["crop"])), max(width, int(width / picture["crop"])))
    scale = max(cover[0] / image.height, cover[1] / image.width)
    covering = (max(cover[1], int(image.width * scale)), max(cover[0], int(image.height * scale)))
    image = image.resize(covering, Image.Resampling.BILINEAR)
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    pixels = np.asarray(image.crop((left, top, left + width, top + height)), np.float32).reshape(height, width, channels)
    if picture["invert"]:
        pixels = 255 - pixels
    pixels = (pixels / picture["scale"] - np.float32(picture["mean"])) / np.float32(picture["std"])
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def _agree(ours: Path, loop: Path, count: int) -> bool:
    """Whether both found the same classes for every picture, with the same probabilities up to rounding."""
    with open(ours, newline="") as file:
        found = list(csv.reader(file))[1:]
    with open(loop, newline="") as file:
        wanted = list(csv.reader(file))
    if not len(found) == len(wanted) == count:
        return False
    for row, other in zip(found, wanted, strict=True):
        close = np.allclose(np.array(row[3::2], float), np.array(other[2::2], float), rtol=1e-3, atol=1e-6)
        if row[0] != other[0] or row[1] or not close:
            return False
    return True


if __name__ == "__main__":
    sys.exit(main("folder", figures))
