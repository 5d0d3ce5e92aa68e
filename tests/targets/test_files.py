"""Files are written whole or not at all: what stands there after every kind of failure."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from convspec.diagnostics import Diagnostic, Failure
from convspec.files import staged, write_file, write_files


def failure(action: Callable[[], Any]) -> Diagnostic:
    with pytest.raises(Failure) as caught:
        action()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "CNN400"
    return diagnostic


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def full_disk(file: BinaryIO) -> None:
    file.write(b"half of it")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def stream(file: BinaryIO) -> None:
    file.write(b"one, ")
    file.write(b"two")


def test_bytes_text_and_streams(tmp_path: Path) -> None:
    written = write_files(tmp_path, {"a": b"\0\xff", "b.py": "x = 'ä'\n", "c": stream})
    assert written == [tmp_path / "a", tmp_path / "b.py", tmp_path / "c"]
    assert tree(tmp_path) == {"a": b"\0\xff", "b.py": "x = 'ä'\n".encode(), "c": b"one, two"}


def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text("old")
    path.chmod(0o640)
    write_file(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert tree(tmp_path) == {"net.py": b"new"}


def test_a_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")
    write_file(tmp_path / "ours", "")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_name_of_full_length(tmp_path: Path) -> None:
    name = "n" * 255
    write_file(tmp_path / name, "x")
    assert tree(tmp_path) == {name: b"x"}


def test_a_device_is_written_to(tmp_path: Path) -> None:
    assert write_file("/dev/null", "x") == Path("/dev/null")
    assert not Path("/dev/null").is_file()


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"old")
    diagnostic = failure(lambda: write_file(tmp_path / "net.onnx", full_disk))
    assert diagnostic.message == f"cannot write {tmp_path}/net.onnx: no space left on device"
    assert tree(tmp_path) == {"net.onnx": b"old"}


def test_a_set_is_written_only_if_every_file_can_be(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_bytes(b"old")
    diagnostic = failure(lambda: write_files(tmp_path, {"net.py": "new", "net.safetensors": full_disk}))
    assert "net.safetensors" in diagnostic.message
    assert tree(tmp_path) == {"net.py": b"old"}


@pytest.mark.parametrize("fails_at", [0, 1, 2])
def test_a_set_is_taken_back_where_a_rename_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int) -> None:
    (tmp_path / "a").write_bytes(b"old a")
    (tmp_path / "b").write_bytes(b"old b")
    replace, calls = os.replace, iter(range(100))

    def failing(source: Any, target: Any) -> None:
        if next(calls) == fails_at:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    failure(lambda: write_files(tmp_path, {"a": "new a", "b": "new b", "c": "new c"}))
    assert tree(tmp_path) == {"a": b"old a", "b": b"old b"}


def test_a_set_is_taken_back_without_hard_links_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(source: Any, target: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    test_a_set_is_taken_back_where_a_rename_fails(tmp_path, monkeypatch, 2)


def test_the_main_file_is_put_in_place_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, order = os.replace, []

    def noting(source: Any, target: Any) -> None:
        order.append(Path(target).name)
        replace(source, target)

    monkeypatch.setattr(os, "replace", noting)
    write_files(tmp_path, {"net.onnx": "m", "net.onnx.data": "d"})
    assert order == ["net.onnx.data", "net.onnx"]


def test_what_cannot_be_written_says_why(tmp_path: Path) -> None:
    folder = failure(lambda: write_file(tmp_path, "x"))
    assert folder.message == f"cannot write {tmp_path}: is a directory"
    absent = failure(lambda: write_file(tmp_path / "no" / "net.py", "x"))
    assert absent.message == f"cannot write {tmp_path}/no/net.py: the folder {tmp_path}/no does not exist"
    assert absent.hint == "make the folder first; only files are made here"
    (tmp_path / "file").write_text("")
    below = failure(lambda: write_file(tmp_path / "file" / "net.py", "x"))
    assert below.message == f"cannot write {tmp_path}/file/net.py: not a directory"
    long = failure(lambda: write_file(tmp_path / ("n" * 256), "x"))
    assert long.message.endswith("file name too long")
    assert tree(tmp_path) == {"file": b""}


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated, for a test that runs as root may write everywhere."""

    def refused(*arguments: Any, **keywords: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refused)
    diagnostic = failure(lambda: write_file(tmp_path / "net.py", "x"))
    assert diagnostic.message == f"cannot write {tmp_path}/net.py: permission denied"


def test_a_read_only_file_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.py").write_text("precious")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    diagnostic = failure(lambda: write_file(tmp_path / "net.py", "x"))
    assert diagnostic.message == f"cannot write {tmp_path}/net.py: permission denied"
    assert tree(tmp_path) == {"net.py": b"precious"}


def test_an_exception_of_the_writer_passes_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "net").write_bytes(b"old")

    def interrupted(file: BinaryIO) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_files(tmp_path, {"net": interrupted, "other": "x"})
    assert tree(tmp_path) == {"net": b"old"}


WRITER = """
import sys, time
from convspec.files import write_file
def slow(file):
    file.write(b"half"); file.flush()
    print("writing", flush=True)
    time.sleep(60)
write_file(sys.argv[1], slow)
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_process_leaves_the_old_file(tmp_path: Path, sent: signal.Signals) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"old")
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    process.send_signal(sent)
    process.wait()
    assert path.read_bytes() == b"old"
    if sent == signal.SIGINT:
        assert tree(tmp_path) == {"net.onnx": b"old"}


# ── files and folders that a library writes by itself ────────────────────────────────────────────────────────


def test_staged_file(tmp_path: Path) -> None:
    with staged(tmp_path / "net.keras") as temporary:
        assert temporary.suffix == ".keras"
        assert temporary.parent == tmp_path
        temporary.write_text("new")
    assert tree(tmp_path) == {"net.keras": b"new"}


def test_staged_folder_takes_the_place_of_an_old_one(tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "stale").write_text("old")
    with staged(tmp_path / "saved") as temporary:
        (temporary / "variables").mkdir(parents=True)
        (temporary / "variables" / "data").write_text("new")
    assert tree(tmp_path) == {"saved/variables/data": b"new"}


def test_staged_leaves_all_as_it_was_on_failure(tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "stale").write_text("old")

    def half() -> None:
        with staged(tmp_path / "saved") as temporary:
            temporary.mkdir()
            (temporary / "half").write_text("x")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert failure(half).message == f"cannot write {tmp_path}/saved: no space left on device"
    assert tree(tmp_path) == {"saved/stale": b"old"}


def test_staged_folder_comes_back_where_the_swap_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "stale").write_text("old")
    replace, calls = os.replace, iter(range(100))

    def failing(source: Any, target: Any) -> None:
        if next(calls) == 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)

    def swap() -> None:
        with staged(tmp_path / "saved") as temporary:
            temporary.mkdir()

    failure(swap)
    assert tree(tmp_path) == {"saved/stale": b"old"}
