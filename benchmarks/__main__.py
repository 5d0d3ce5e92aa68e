"""`python -m benchmarks`: every figure that convspec states about speed, with pass or fail.

Each script runs in a process of its own, one after another, and leaves `benchmarks/results/<name>.json`; the tables of the
README are made from these files by `python -m benchmarks.readme`. `--quick` tries everything out and keeps no results.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.figures import Figure, read, render

RESULTS = Path(__file__).parent / "results"

SCRIPTS = {
    "startup": "how soon the commands answer",
    "parsing": "parsing a large spec",
    "compile": "ResNet-152 to ONNX against torch.onnx.export",
    "memory": "the memory that takes",
    "scale": "how the compiler's cost grows",
    "runtimes": "compiled models on ONNX Runtime against exported ones",
    "int8": "int8 against float32 on ONNX Runtime",
    "pytorch": "generated modules against torchvision's",
    "folder": "a folder of pictures against a plain loop",
    "editor": "an edit in a file of 2,000 lines",
    "page": "the page of ResNet-152 in a browser",
    "gpu": "the table of a GPU",
}
"""In the order in which they run, with what each measures. A script that is listed and not there is an error."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where every figure that was measured met its goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("scripts", nargs="*", metavar="SCRIPT", help=f"of {', '.join(SCRIPTS)}; all of them by default")
    parser.add_argument("--quick", action="store_true", help="a few rounds of each; no results are kept")
    parser.add_argument("--show", action="store_true", help="measure nothing: print what the kept results say")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.scripts) - set(SCRIPTS))
    if unknown:
        parser.error(f"there is no script {', '.join(unknown)}")
    names = given.scripts or list(SCRIPTS)
    if given.show:
        return _verdict([_show(name, RESULTS / f"{name}.json") for name in names])
    with tempfile.TemporaryDirectory(prefix="convspec-benchmarks-") as scratch:
        folder = Path(scratch) if given.quick else RESULTS
        return _verdict([_measure(name, folder, given.quick) for name in names])


def _measure(name: str, folder: Path, quick: bool) -> list[Figure] | None:
    """The figures of one script, run now; None where it broke."""
    path = folder / f"{name}.json"
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json", str(path), *(["--quick"] if quick else [])]
    before = path.stat().st_mtime_ns if path.exists() else 0
    print(f"\n{name}: {SCRIPTS[name]}", flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if not path.exists() or path.stat().st_mtime_ns == before:
        print(
            done.stdout + f"ERROR   python -m benchmarks.{name} ended with status {done.returncode} and no figures", flush=True
        )
        return None
    print(render(read(path)), flush=True)
    return read(path)


def _show(name: str, path: Path) -> list[Figure]:
    print(f"\n{name}: {SCRIPTS[name]}")
    if not path.exists():
        print("not measured yet")
        return []
    print(render(read(path)))
    return read(path)


def _verdict(results: Iterable[list[Figure] | None]) -> int:
    found = list(results)
    figures = [figure for each in found if each is not None for figure in each]
    counts = {verdict: sum(figure.verdict == verdict for figure in figures) for verdict in ("PASS", "FAIL", "SKIPPED")}
    broken = sum(each is None for each in found)
    print(f"\n{counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIPPED']} not measured here, {broken} scripts broken")
    return 1 if counts["FAIL"] or broken else 0


if __name__ == "__main__":
    sys.exit(main())
