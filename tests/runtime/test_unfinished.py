"""Unfinished runs: whatever of them reached the disk, they go on without a row lost or repeated; others are not mixed in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convspec.runtime import stores
from convspec.runtime.listing import PictureFile
from convspec.runtime.rows import Columns, Part, Row, make_rows
from convspec.runtime.signature import signature_of
from convspec.runtime.unfinished import Unfinished, start_or_continue
from tests.runtime.helpers import SMALL, module, told

COLUMNS = Columns(signature_of(module(SMALL).graph).outputs[0], 2, None, ())
MAKES = {"network": "Small 1", "weights": "abc", "columns": ["a", "b"]}
COUNT, BATCH = 11, 3
HEAD = b"file,error,class_1,probability_1,class_2,probability_2\n"


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=[".jsonl", ".csv", ".parquet"])
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == ".parquet":
        pytest.importorskip("pyarrow")
    return str(request.param)


def pictures(count: int = COUNT) -> list[PictureFile]:
    return [PictureFile(f"{i:03}\n,.png", f"in/{i:03}\n,.png", 10 + i, 1000 + i) for i in range(count)]


def start(target: str, makes: Mapping[str, Any] = MAKES, files: int = COUNT, **options: Any) -> Unfinished:
    given = {"batch": None, "usual": BATCH, "columns": COLUMNS, "overwrite": False, **options}
    return start_or_continue(Path(target), makes, pictures(files), **given)


def rows(first: int, after: int) -> list[Row]:
    """What the pictures from `first` give; every fifth cannot be read."""
    names = [file.name for file in pictures()][first:after]
    errors = [f"bad {i}" if i % 5 == 4 else None for i in range(first, after)]
    scores = [np.eye(4)[i % 4] * i for i in range(first, after) if i % 5 != 4]
    return make_rows(Part(names, errors, {"logits": scores}), COLUMNS, softmax=True)


def work(run: Unfinished, until: int = COUNT, sync: bool = True) -> None:
    """Add rows in batches, until `until` are done."""
    place = run.done
    while place < until:
        after = min(COUNT, (place // BATCH + 1) * BATCH)
        run.store.add(rows(place, after))
        place = after
        if sync:
            run.store.sync()


@pytest.fixture
def whole(kind: str) -> bytes:
    """What a run without interruption writes."""
    run = start(f"whole{kind}")
    work(run)
    run.finish()
    return Path(f"whole{kind}").read_bytes()


def snapshots(target: str) -> Iterator[Path]:
    """The folder of an unfinished run with 9 of 11 rows, cut off at bytes of its last writes."""
    run = start(target)
    work(run, 9)
    run.close()
    folder = Path(f"{target}.partial")
    shutil.copytree(folder, "kept")
    lines = (folder / "journal").read_bytes().splitlines(keepends=True)
    growing = [path for path in folder.rglob("*") if path.name == "rows" or path.suffix == ".parquet"]
    cuts = [(folder / "journal", sum(map(len, lines[:-1])), sum(map(len, lines)))]
    last = max(growing)
    size = int(lines[-1].split()[2])
    cuts.append((last, last.stat().st_size - size, last.stat().st_size))
    for path, least, most in cuts:
        for length in sorted({*range(least, most, 1 if path.name == "journal" else 5), most - 2, most - 1}):
            shutil.rmtree(folder)
            shutil.copytree("kept", folder)
            os.truncate(path, length)
            yield path
    shutil.rmtree(folder)


def test_a_run_without_interruption(kind: str, whole: bytes) -> None:
    assert os.listdir() == [f"whole{kind}"]
    if kind == ".jsonl":
        assert [json.loads(line)["file"] for line in whole.splitlines()] == [file.name for file in pictures()]
    if kind == ".csv":
        assert whole.startswith(HEAD) and whole.count(b"\n") == 1 + 2 * COUNT


def test_cut_off_after_any_byte_it_goes_on_to_the_same_results(kind: str, whole: bytes) -> None:
    target = f"r{kind}"
    tried = 0
    for place, cut in enumerate(snapshots(target)):
        if kind == ".parquet" and cut.suffix == ".parquet" and place % 29:
            continue  # its bytes are 2,000, and a part counts whole or not at all
        run = start(target)
        assert (run.resumed, run.done) == (True, 6), cut
        work(run)
        run.finish()
        assert Path(target).read_bytes() == whole
        Path(target).unlink()
        shutil.copytree("kept", f"{target}.partial")
        tried += 1
    assert tried > 15


def test_a_bit_that_flipped_is_noticed(kind: str, whole: bytes) -> None:
    target = f"r{kind}"
    work(run := start(target), 9)
    run.close()
    path = max(p for p in Path(f"{target}.partial").rglob("*") if p.name in {"rows", "00000001.parquet"})
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    run = start(target)
    assert run.done == 3
    work(run)
    run.finish()
    assert Path(target).read_bytes() == whole


def test_rows_without_a_journal_are_dropped(kind: str, whole: bytes) -> None:
    """The journal is written after the rows: what it does not know of may be there by half."""
    target = f"r{kind}"
    work(run := start(target), 6)
    run.close()
    journal = Path(f"{target}.partial/journal")
    kept = journal.read_bytes()
    work(run := start(target), 9)
    run.close()
    journal.write_bytes(kept)
    run = start(target)
    assert run.done == 6
    work(run)
    run.finish()
    assert Path(target).read_bytes() == whole


def test_rows_that_never_reached_the_disk(kind: str, whole: bytes) -> None:
    """A power cut soon after the start may leave empty files, or zeros; a CSV file has its header all the same."""
    for damage in (b"", bytes(5000)):
        target = f"r{kind}"
        work(run := start(target), 6)
        run.close()
        for path in Path(f"{target}.partial").rglob("*"):
            if path.name == "rows" or path.suffix == ".parquet":
                path.write_bytes(damage)
        Path(f"{target}.partial/journal").write_bytes(damage)
        run = start(target)
        assert run.done == 0
        work(run)
        run.finish()
        assert Path(target).read_bytes() == whole
        Path(target).unlink()


def test_errors_are_counted_over_all_runs(kind: str) -> None:
    work(run := start(f"r{kind}"), 6)
    assert (run.done, run.errors) == (6, 1)
    run.close()
    work(run := start(f"r{kind}"))
    assert (run.done, run.errors) == (11, 2)
    run.finish()


@pytest.mark.parametrize("finished", [True, False])
def test_stopped_while_the_results_take_their_place(
    kind: str, whole: bytes, finished: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"r{kind}"
    work(run := start(target))
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree" if finished else "nothing", _stop, raising=False)
        if not finished:
            patched.setattr(os, "replace", _stop)
        with pytest.raises(KeyboardInterrupt):
            run.finish()
    run.close()
    if finished:
        assert (
            told(lambda: start(target))
            == f"error[CNN403]: {target} is there already\n  = name another file, or replace it: --overwrite"
        )
    else:
        again = start(target)
        assert again.done == COUNT
        again.finish()
    assert Path(target).read_bytes() == whole
    assert sorted(os.listdir()) == sorted([target, f"whole{kind}"])


def _stop(*args: object, **options: object) -> None:
    raise KeyboardInterrupt


def test_what_was_decided_is_kept() -> None:
    run = start("r.csv")
    assert run.softmax is None
    run.settle_softmax(False)
    run.close()
    run = start("r.csv", usual=99)
    assert (run.softmax, run.batch) == (False, BATCH)
    run.close()
    run = start("r.csv", batch=5)
    assert run.batch == 5
    run.close()


# ── nothing is mixed or lost by accident ─────────────────────────────────────────────────────────────────────


def test_results_are_not_replaced_by_accident() -> None:
    Path("r.csv").write_text("mine")
    assert (
        told(lambda: start("r.csv"))
        == "error[CNN403]: r.csv is there already\n  = name another file, or replace it: --overwrite"
    )
    assert (os.listdir(), Path("r.csv").read_text()) == (["r.csv"], "mine")


def test_results_are_replaced_only_when_the_new_ones_are_whole() -> None:
    Path("r.csv").write_text("mine")
    work(run := start("r.csv", overwrite=True), 6)
    run.close()
    assert Path("r.csv").read_text() == "mine"
    run = start("r.csv")  # it was said once; the same run goes on
    assert run.done == 6
    work(run)
    assert Path("r.csv").read_text() == "mine"
    run.finish()
    assert Path("r.csv").read_bytes().startswith(HEAD)


def test_results_that_came_meanwhile_are_not_replaced() -> None:
    work(run := start("r.csv"), 6)
    run.close()
    Path("r.csv").write_text("mine")
    assert told(lambda: start("r.csv")) == (
        "error[CNN403]: r.csv is there already, and so is an unfinished run for it, r.csv.partial\n"
        "  = move one of them away, or replace the results: --overwrite"
    )
    run = start("r.csv", overwrite=True)
    assert run.done == 6
    run.close()


@pytest.mark.parametrize("name", list(MAKES))
def test_what_was_made_otherwise_is_not_mixed_in(name: str) -> None:
    work(run := start("r.csv"), 6)
    run.close()
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    other = {**MAKES, name: "other"}
    message = told(lambda: start("r.csv", other))
    assert message.startswith("error[CNN403]: r.csv.partial is an unfinished run that differs from this one\n")
    shown = MAKES[name] if isinstance(MAKES[name], str) else json.dumps(MAKES[name])
    assert f"  = {name}: {shown} then, other now\n" in message
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    run = start("r.csv", other, overwrite=True)
    assert (run.done, run.resumed) == (0, False)
    run.close()


def test_what_is_new_or_missing_in_what_makes_it_counts_too() -> None:
    start("r.csv").close()
    assert "  = precision: none then, fp16 now\n" in told(lambda: start("r.csv", {**MAKES, "precision": "fp16"}))
    assert "  = weights: abc then, none now\n" in told(lambda: start("r.csv", {"network": "Small 1", "columns": ["a", "b"]}))


def test_something_else_at_the_place_of_the_folder() -> None:
    for make in (lambda: Path("r.csv.partial").write_text("mine"), lambda: Path("r.csv.partial").mkdir()):
        make()
        assert told(lambda: start("r.csv")).startswith(
            "error[CNN403]: r.csv.partial stands where an unfinished run for r.csv would: it is damaged, or something else"
        )
        shutil.rmtree("r.csv.partial", ignore_errors=True)
        Path("r.csv.partial").unlink(missing_ok=True)


def test_two_processes_at_once() -> None:
    run = start("r.csv")
    code = (
        "from tests.runtime.test_unfinished import start\n"
        "from convspec.diagnostics import Failure\n"
        "try:\n    start('r.csv', overwrite=True)\nexcept Failure as failure:\n    print(failure)\n"
    )
    root = str(Path(__file__).parent.parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": root}, check=True
    )
    assert done.stdout == "error[CNN403]: another process is writing r.csv\n"
    work(run)
    run.finish()


# ── pictures that are others than before ─────────────────────────────────────────────────────────────────────


def test_the_pictures_are_those_of_the_start() -> None:
    work(run := start("r.csv"), 6)
    run.close()
    files = pictures(14)
    files[2] = PictureFile(files[2].name, files[2].path, 99, 1)
    files[7] = PictureFile(files[7].name, "moved/7.png", 98, 1)
    del files[9]
    run = start_or_continue(Path("r.csv"), MAKES, files, None, BATCH, COLUMNS, False)
    assert [file.name for file in run.files] == [file.name for file in pictures()]
    assert run.files[7].path == "moved/7.png"
    assert run.notes == [
        "3 pictures not there when the run began, and not part of it: 011\n,.png, 012\n,.png, 013\n,.png",
        "1 picture not there any more; those without a row will be errors: 009\n,.png",
        "1 picture changed after their rows were made, which were left as they are: 002\n,.png",
    ]
    run.close()


def test_names_that_are_not_utf_8() -> None:
    raw = os.fsdecode(b"\xff\n.png")
    file = PictureFile(raw, f"in/{raw}", 1, 2)
    start_or_continue(Path("r.csv"), MAKES, [file], None, BATCH, COLUMNS, False).close()
    run = start_or_continue(Path("r.csv"), MAKES, [file], None, BATCH, COLUMNS, False)
    assert (run.files, run.notes) == ([file], [])
    run.close()


def test_where_nothing_can_be_written() -> None:
    assert told(lambda: start("no/r.csv")).startswith("error[CNN400]: cannot write no/r.csv: ")
    assert told(lambda: start("a" * 250 + ".csv")).endswith("file name too long")
    assert os.listdir() == []


def test_a_link_stays_and_leads_to_the_results() -> None:
    Path("far").mkdir()
    os.symlink("far/r.csv", "r.csv")
    Path("far/r.csv").write_text("old")
    work(run := start("r.csv", overwrite=True))
    run.finish()
    assert Path("r.csv").is_symlink() and Path("far/r.csv").read_bytes().startswith(HEAD)


def test_the_store_is_what_the_journal_says(kind: str) -> None:
    run = start(f"r{kind}")
    run.store.add(rows(0, 3))
    if kind == ".parquet":
        assert run.done == 0  # it waits to be part of a whole file
    run.store.sync()
    assert run.done == 3
    run.close()
    assert stores.KINDS == (".jsonl", ".csv", ".parquet")
