"""How long commands take from a cold start, beside the imports that they cannot do without: `python -c "import lark"`, `onnx`.

Every sample is a process of its own. Compiled modules are there, as after an installation; the runs of one round follow each
other in random order, and the reference runs twice in each, which says how much is noise.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import convspec
from benchmarks.figures import Figure, figure, main
from convspec.bench.timing import Comparison, compare

ROOT = Path(__file__).parent.parent
LENET = ROOT / "examples" / "lenet5.cnn"
CHECK_GOAL, COMPILE_GOAL = 2.0, 1.6
ENTRY = "from convspec.cli import main; main()"
"""What the installed script `convspec` does."""


def figures(quick: bool) -> list[Figure]:
    """The cost of a cold `check` in imports of lark, by both ways to call it, and of `compile` in imports of onnx."""
    rounds = 12 if quick else 40
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        environment = _environment(out / "bytecode")
        check = ["check", str(LENET)]
        compiled = out / "lenet5.onnx"
        compiling = ["compile", str(LENET), "--target", "onnx", "-o", str(compiled)]
        lark = _compared(
            "import lark", {"script": ["-c", ENTRY, *check], "module": ["-m", "convspec", *check]}, environment, rounds
        )
        onnx = _compared("import onnx", {"compile": ["-c", ENTRY, *compiling]}, environment, rounds)
        right = _verified(compiled)
    return [
        _figure("cold check, imports of lark: convspec", lark, "script", CHECK_GOAL),
        _figure("cold check, imports of lark: python -m convspec", lark, "module", CHECK_GOAL),
        _figure("cold compile to ONNX, imports of onnx", onnx, "compile", COMPILE_GOAL, verified=right),
    ]


def _environment(bytecode: Path) -> dict[str, str]:
    """This checkout first, and a folder for compiled modules, which the first runs fill."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(bytecode)}


def _compared(reference: str, runs: dict[str, list[str]], environment: dict[str, str], rounds: int) -> Comparison:
    subjects = {name: _run(arguments, environment) for name, arguments in {"reference": ["-c", reference], **runs}.items()}
    return compare(subjects, rounds=rounds, warmup=3, baseline="reference", budget=120.0)


def _run(arguments: list[str], environment: dict[str, str]) -> Callable[[], object]:
    def run() -> None:
        subprocess.run([sys.executable, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL)

    return run


def _figure(name: str, comparison: Comparison, subject: str, goal: float, verified: bool = True) -> Figure:
    """How many times as long as the reference it took."""
    found, noise = comparison.speedup("reference", over=subject), comparison.noise()
    took = f"{1000 * comparison.seconds(subject).value:.0f} ms beside {1000 * comparison.seconds('reference').value:.0f} ms"
    return figure(
        name, found.value, goal, direction="at most", interval=(found.low, found.high), control=noise.value if noise else None,
        unit="x", note=took, verified=verified,
    )  # fmt: skip


def _verified(compiled: Path) -> bool:
    """Whether the file that was timed is that of a network which verify passes."""
    net = convspec.load(LENET)
    again = compiled.with_name("again.onnx")
    net.to_onnx(again)
    return again.read_bytes() == compiled.read_bytes() and net.verify(["onnx"]).passed


if __name__ == "__main__":
    sys.exit(main("startup", figures))
