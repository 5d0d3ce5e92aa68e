"""What the tests of `convspec run -o rows.…` share: the command, its rows, pictures and what is expected of one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from convspec import load
from convspec.runtime.pictures import read_picture
from tests.cli.helpers import Done, convspec

REFERENCE = ("--runtime", "reference")


def run(*args: str | Path, runtime: tuple[str, ...] = REFERENCE) -> Done:
    return convspec("run", *args, *runtime)


def lines(path: str = "r.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def pictures(count: int, folder: str = "many", size: tuple[int, int] = (12, 10)) -> None:
    Path(folder).mkdir(exist_ok=True)
    for i in range(count):
        pixels = np.random.default_rng(i).integers(0, 256, size, dtype=np.uint8)
        Image.fromarray(pixels).save(f"{folder}/{i:04}.png")


def expected(path: str, spec: str = "small.cnn", **options: Any) -> Any:
    """The probabilities of one picture, alone, from the reference."""
    net = load(spec, **options)
    picture = read_picture(Path(path), net.session("reference").signature.inputs[0])
    logits = net.run(picture, "reference")["logits"][0]
    odds = np.exp(logits - logits.max())
    return odds / odds.sum()
