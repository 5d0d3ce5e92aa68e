"""The command line as a process of its own: what it imports, signals, pipes, terminals without Unicode."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HEAVY = """numpy onnx onnx_ir ml_dtypes torch tensorflow keras onnxruntime openvino PIL rich safetensors pyarrow h5py
lark typer pydantic importlib.metadata fractions difflib decimal multiprocessing asyncio"""
"""What no command may import that does not use it: frameworks, and what of the standard library takes long."""


COMMAND_MODULES = ("check", "summary", "diff", "sweep", "compile", "run", "verify", "bench", "explain", "weights", "zoo")


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def process(*args: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "convspec", *args], capture_output=True, text=True, env=environment(**more), check=False
    )


def imported(*args: str, heavy: str = HEAVY) -> set[str]:
    """Which heavy packages a command has imported by its end."""
    code = (
        "import sys, atexit\n"
        f"heavy = set({heavy!r}.split())\n"
        "atexit.register(lambda: print('IMPORTED', *sorted(heavy & set(sys.modules)), file=sys.stderr))\n"
        f"sys.argv = ['convspec', *{args!r}]\n"
        "from convspec.cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    return set(done.stderr.rpartition("IMPORTED")[2].split())


COMMANDS: list[tuple[tuple[str, ...], str]] = [
    (("--version",), ""),
    (("check", "--help"), ""),
    (("check", "small.cnn"), ""),
    (("check", "two.cnn", "--format", "json"), "fractions decimal"),
    (("explain", "CNN031"), "fractions decimal difflib"),
    (("zoo", "list"), ""),
    (("zoo", "show", "resnet50"), ""),
    (("run", "--help"), ""),
    (("weights", "--help"), ""),
    (("summary", "small.cnn"), "fractions decimal"),
    (("summary", "small.cnn", "two.cnn", "--memory", "1GB"), "fractions decimal"),
    (("diff", "small.cnn", "--set-b", "classes=9"), "fractions decimal difflib"),
    (("sweep", "small.cnn", "--set", "classes=9,10"), "fractions decimal"),
]
"""Commands, and what of HEAVY each imports."""


@pytest.mark.parametrize(("args", "packages"), COMMANDS, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_a_light_command_imports_what_it_uses(args: tuple[str, ...], packages: str) -> None:
    assert imported(*args) == set(packages.split())


FRAMEWORKS = set(HEAVY.split()) - {
    "importlib.metadata",
    "fractions",
    "difflib",
    "decimal",
    "multiprocessing",
    "asyncio",
    "ml_dtypes",
}


@pytest.mark.parametrize(
    ("args", "packages"),
    [
        (("compile", "small.cnn", "--target", "pytorch"), {"numpy"}),
        (("compile", "small.cnn", "--target", "tensorflow"), {"numpy"}),
        (("compile", "small.cnn", "--target", "onnx"), {"numpy", "onnx"}),
        (("run", "small.cnn", "--input", "x.npy", "--runtime", "reference"), {"numpy"}),
        (("run", "small.cnn", "--input", "digits", "--runtime", "reference"), {"numpy", "PIL"}),
        (("run", "small.cnn", "--input", "x.npy", "--device", "cpu"), {"numpy", "onnx", "onnxruntime"}),
        (("run", "small.cnn", "--input", "x.npy", "--runtime", "pytorch"), {"numpy", "torch"}),
    ],
)
def test_a_command_imports_the_frameworks_it_uses(args: tuple[str, ...], packages: set[str]) -> None:
    assert imported(*args) & FRAMEWORKS == packages


def test_a_command_imports_no_other_command() -> None:
    modules = imported("check", "small.cnn", heavy=" ".join(f"convspec.cli.{name}" for name in COMMAND_MODULES))
    assert modules == {"convspec.cli.check"}


def test_python_m_convspec() -> None:
    done = process("check", "small.cnn")
    assert (done.returncode, done.stdout, done.stderr) == (0, "small.cnn: no errors in Small\n", "")
    assert process("check", "nope.cnn").returncode == 1
    assert process("check").returncode == 2


def test_ctrl_c() -> None:
    """The spec is a pipe that nobody writes to, so that the command waits in it."""
    os.mkfifo("pipe.cnn")
    running = subprocess.Popen(
        [sys.executable, "-m", "convspec", "check", "pipe.cnn"], stderr=subprocess.PIPE, text=True, env=environment()
    )
    _wait_until_it_opens("pipe.cnn", running)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert (running.returncode, errors) == (130, "")


def _wait_until_it_opens(path: str, running: subprocess.Popen[str]) -> None:
    """Until the process has opened the pipe for reading: only then can it be opened for writing without waiting."""
    while running.poll() is None:
        try:
            os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.05)
        else:
            time.sleep(0.2)
            return
    pytest.fail("the command ended by itself")


def test_a_reader_that_goes_away() -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "convspec", "summary", "small.cnn"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert running.stdout is not None and running.stderr is not None
    running.stdout.close()
    errors = running.stderr.read()
    assert (running.wait(timeout=60), errors) == (141, "")


def test_a_full_disk() -> None:
    if not Path("/dev/full").exists():
        pytest.fail("this test needs /dev/full, which Linux has")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "convspec", "summary", "small.cnn"],
            stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "error[CNN400]: cannot write the results: no space left on device\n")


def test_a_terminal_without_unicode() -> None:
    Path("é.cnn").write_text(Path("small.cnn").read_text())
    done = process("compile", "é.cnn", "--target", "onnx", "--format", "json", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert '"path": "\\xe9.onnx"' in done.stdout
    done = process("check", "ü.cnn", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (1, "error[CNN010]: \\xfc.cnn cannot be read: no such file or directory\n")
