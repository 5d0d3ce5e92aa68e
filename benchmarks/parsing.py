"""How long a large spec takes to parse, to elaborate and to check, and how that grows with its size.

Times are those of the process (`time.process_time`), the best of a few runs: what else the machine does does not count.
Growth is the slope of log(time) over log(size); 1 is linear.
"""

from __future__ import annotations

import gc
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.figures import Figure, figure, main
from convspec.analysis.budgets import check_asserts
from convspec.elaborate import loads, opened
from convspec.limits import Limits
from convspec.source import SourceFile
from convspec.syntax import parse
from convspec.syntax.lexing import lex

TOKENS, SECONDS, SLOPE = 150_000, 1.5, 1.05
HUGE = Limits(nodes=10**7, steps=10**9, list_length=10**7, file_bytes=10**9)


def dense(lines: int) -> str:
    """A network of so many lines, each of some 33 tokens: layers with options, sums, blocks, conditions, labels."""
    body = [
        "y{0} = y{1} -> c{0}: conv(16, 3x3, pad = 1, bias = false) -> batchnorm -> relu -> d{0}: conv(16, 1x1)",
        "y{0} = y{1} + (y{1} -> s{0}: conv(8 * 2, 3x3, pad = (3 - 1) // 2, stride = 1) -> relu)",
        "y{0} = relu(y{1} -> e{0}: conv(16, 3x3, pad = 1, groups = 2 * 2 + 4) -> batchnorm -> sigmoid) * y{1}",
        "y{0} = if {0} % 2 == 1 and {0} > 3 then conv(y{1}, 16, 3x3, pad = 1) else y{1} + 0.5 * y{1}",
        'y{0} = y{1} -> "g{0}": conv(16, 1x1, bias = true) -> [relu -> dropout(0.1) -> h{0}: conv(16, 3x3, pad = 1)]',
    ]
    made = [body[i % len(body)].format(i, i - 1) for i in range(1, lines + 1)]
    return _model(["y0 = x", *made, f"output y{lines}"])


def flat(layers: int) -> str:
    """One statement a layer."""
    return _model(["y0 = x", *(f"y{i} = y{i - 1} -> conv(8, 1x1)" for i in range(1, layers + 1)), f"output y{layers}"])


def loop(layers: int) -> str:
    """A long loop."""
    return _model([f"for i in 0..{layers} {{ x = x -> conv(8, 1x1) }}", "output x"])


def stages(layers: int) -> str:
    """One stage, many times over."""
    return _model([f"output x -> {layers} * conv(8, 1x1)"])


def blocks(layers: int) -> str:
    """Blocks in blocks, each in a loop."""
    inner = "block Unit(x: tensor) {\n  return x + (x -> conv(8, 1x1) -> relu)\n}\n"
    outer = "block Stage(x: tensor) {\n  for i in 0..32 { x = x -> Unit }\n  return x\n}\n"
    return inner + outer + _model([f"for i in 0..{layers // 96} {{ x = x -> Stage }}", "output x"])


def skips(layers: int) -> str:
    """A long chain that adds what lies ten layers back."""
    body = (f"y{i} = (y{i - 1} -> conv(8, 1x1)) + y{max(0, i - 10)}" for i in range(1, layers // 2 + 1))
    return _model(["y0 = x", *body, f"output y{layers // 2}"])


def _model(statements: list[str]) -> str:
    return "\n    ".join(["model Big {", "input x: float32[N, 8, 8*h, w]", *statements]) + "\n}\n"


FORMS: dict[str, Callable[[int], str]] = {"flat": flat, "loop": loop, "n * stage": stages, "blocks": blocks, "skips": skips}


def figures(quick: bool) -> list[Figure]:
    """The parse of 150,000 tokens, the growth of parsing, and the growth of elaboration and of `check`."""
    return [*_parsing(quick), *_elaborating(quick)]


def _parsing(quick: bool) -> Iterator[Figure]:
    sizes = (300, 1200, 5000) if quick else (150, 300, 625, 1250, 2500, 5000)
    taken, count = [], 0
    for lines in sizes:
        source = SourceFile("dense.cnn", dense(lines))
        count = len(lex(source, 0, len(source.text), 200).tokens)
        taken.append((count, _best(partial(parse, source, HUGE), 2 if quick else 5)))
    seconds = taken[-1][1] * TOKENS / count
    yield figure("parse of 150,000 tokens", seconds, SECONDS, direction="at most", unit="s", note=f"of {count:,}, scaled")
    yield figure("growth of parsing", _slope(taken), SLOPE, direction="at most")


def _elaborating(quick: bool) -> Iterator[Figure]:
    sizes = (1_000, 8_000) if quick else (1_000, 10_000, 100_000)
    for name, write in FORMS.items():
        taken = [(size, _best(partial(loads, write(size), limits=HUGE), 1 if quick else _runs(size))) for size in sizes]
        per_layer = 1e6 * taken[-1][1] / sizes[-1]
        note = f"{per_layer:.0f} µs a layer at {sizes[-1]:,}"
        yield figure(f"growth of elaboration, {name}", _slope(taken), SLOPE, direction="at most", note=note)
    with tempfile.TemporaryDirectory() as folder:
        taken = [(size, _best(partial(_check, _written(folder, size)), 1)) for size in sizes]
    yield figure("growth of check, skips", _slope(taken), SLOPE, direction="at most")


def _runs(size: int) -> int:
    """More of what is soon done: the noise of a small size bends the slope as that of a large one does."""
    return 3 if size >= 100_000 else 8


def _written(folder: str, size: int) -> Path:
    path = Path(folder) / f"skips{size}.cnn"
    path.write_text(skips(size).replace("output", "assert params >= 0\n    output"), encoding="utf-8")
    return path


def _check(path: Path) -> None:
    """What `convspec check` does with a file of one model."""
    check_asserts(opened(path, HUGE).module())


def _best(run: Callable[[], object], runs: int) -> float:
    """The shortest time of some runs, in seconds of this process."""
    found = math.inf
    for _ in range(runs):
        gc.collect()
        begun = time.process_time()
        made = run()
        found = min(found, time.process_time() - begun)
        del made
    return found


def _slope(taken: list[tuple[int, float]]) -> float:
    """The slope of the line through log(size), log(time), by least squares."""
    xs, ys = [math.log(size) for size, _ in taken], [math.log(seconds) for _, seconds in taken]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


if __name__ == "__main__":
    sys.exit(main("parsing", figures))
