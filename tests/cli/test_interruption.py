"""Runs over pictures as processes that are killed, stopped, or run out of disk: nothing is lost, nothing comes twice."""

from __future__ import annotations

import csv
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.cli.helpers import convspec
from tests.cli.test_process import environment

COUNT, BATCH = 300, 3


@pytest.fixture(autouse=True)
def _pictures() -> None:
    Path("many").mkdir()
    for i in range(COUNT):
        pixels = np.random.default_rng(i).integers(0, 256, (12, 10), dtype=np.uint8)
        Image.fromarray(pixels).save(f"many/{i:04}.png")
    Path("many/0005.png").write_bytes(b"junk")
    # Enough work for each batch that a process can be met in the middle of it.
    Path("small.cnn").write_text(
        "model Small {\n    input image: float32[N, 1, 8, 8] as picture(size = 8)\n"
        "    output logits = image -> conv(12, 3x3, pad = 1) -> relu -> flatten -> linear(4)\n}\n"
    )


def command(target: str) -> list[str]:
    return ["run", "small.cnn", "many", "-o", target, "--batch", str(BATCH), "--runtime", "reference"]


def begin(target: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "convspec", *command(target)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), **options,
    )  # fmt: skip


def lines_in(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except OSError:
        return 0


def wait_for(running: subprocess.Popen[str], target: str, lines: int) -> bool:
    """Until the journal has so many lines; False where the process ended before."""
    while running.poll() is None:
        if lines_in(Path(f"{target}.partial/journal")) >= lines:
            return True
        time.sleep(0.0005)
    return False


def names(target: str) -> list[str]:
    if target.endswith(".jsonl"):
        return [json.loads(line)["file"] for line in Path(target).read_text().splitlines()]
    if target.endswith(".csv"):
        with open(target, newline="") as file:
            return [row["file"] for row in csv.DictReader(file)]
    import pyarrow.parquet as pq

    found: list[str] = pq.read_table(target).column("file").to_pylist()
    return found


def test_killed_again_and_again() -> None:
    """SIGKILL at random moments; whatever is left then, a run that ends has every picture once, as one without a kill has."""
    kind = "jsonl"
    assert convspec(*command(f"whole.{kind}")).code == 1  # for the picture that cannot be read
    rng, kills, done = random.Random(kind), 0, 0
    for _ in range(30):
        running = begin(f"r.{kind}")
        if wait_for(running, f"r.{kind}", done + rng.randint(8, 40)):
            time.sleep(rng.random() / 200)
            running.kill()
        _, said = running.communicate(timeout=300)
        if running.returncode != -signal.SIGKILL:
            break
        kills += 1
        if Path(f"r.{kind}").exists():
            break  # killed between its last deed and its end
        done = lines_in(Path(f"r.{kind}.partial/journal"))
    assert kills > 2, said
    assert names(f"r.{kind}") == [f"{i:04}.png" for i in range(COUNT)]
    assert Path(f"r.{kind}").read_bytes() == Path(f"whole.{kind}").read_bytes()
    if running.returncode != -signal.SIGKILL:
        assert running.returncode == 1 and "1 of 300 pictures could not be run" in said
        assert not Path(f"r.{kind}.partial").exists()


@pytest.mark.parametrize(("sent", "code", "kind"), [(signal.SIGINT, 130, "jsonl"), (signal.SIGTERM, 143, "parquet")])
def test_asked_to_stop(sent: signal.Signals, code: int, kind: str) -> None:
    """What was run is kept, also of Parquet, which has no part on the disk by then."""
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    target = f"r.{kind}"
    running = begin(target)
    if kind == "jsonl":
        assert wait_for(running, target, 5)
    else:
        while not Path(f"{target}.partial/manifest.json").exists() or '"softmax": null' in _manifest(target):
            assert running.poll() is None
            time.sleep(0.001)
        time.sleep(0.05)
    running.send_signal(sent)
    _, said = running.communicate(timeout=60)
    assert running.returncode == code
    done = int(said.removeprefix("interrupted: ").split()[0])
    assert said == f"interrupted: {done} of 300 pictures are done and kept; the same command continues\n"
    assert 0 < done < COUNT and done % BATCH == 0
    said = convspec(*command(target)).err
    assert said.startswith(f"continuing: {done} of 300 pictures are done\n")
    assert names(target) == [f"{i:04}.png" for i in range(COUNT)]


def _manifest(target: str) -> str:
    try:
        return Path(f"{target}.partial/manifest.json").read_text()
    except OSError:
        return '"softmax": null'


def test_no_room_on_the_disk() -> None:
    """A limit of the process stands for a full disk: writes fail in the middle of a row. With room again the run goes on."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_001, 40_001))

    running = begin("r.jsonl", preexec_fn=limited)
    _, said = running.communicate(timeout=300)
    assert running.returncode == 1
    first, second = said.splitlines()[:2]
    assert second == "error[CNN400]: cannot write r.jsonl.partial: file too large"
    done = int(first.removeprefix("stopped: ").split()[0])
    assert 0 < done < COUNT
    assert Path("r.jsonl.partial/rows").stat().st_size == 40_001
    said = convspec(*command("r.jsonl")).err
    assert said.startswith(f"continuing: {done} of 300 pictures are done\n")
    assert names("r.jsonl") == [f"{i:04}.png" for i in range(COUNT)]


def test_one_process_at_a_time() -> None:
    first = begin("r.csv")
    assert wait_for(first, "r.csv", 3)
    first.send_signal(signal.SIGSTOP)
    second = begin("r.csv")
    _, said = second.communicate(timeout=60)
    first.send_signal(signal.SIGCONT)
    assert (second.returncode, said) == (
        1,
        "error[CNN403]: another process is writing r.csv\n  = wait for it, or name another file\n",
    )
    first.communicate(timeout=300)
    assert names("r.csv") == [f"{i:04}.png" for i in range(COUNT)]
    assert os.listdir("many") != []
