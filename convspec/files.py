"""Writing files whole or not at all: to a temporary name in the same folder, to the disk, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeAlias

from convspec.diagnostics import error, fail

Content: TypeAlias = bytes | str | Callable[[BinaryIO], None]
"""What stands in a file: bytes, text (written as UTF-8 with `\\n`), or a function that writes to the open file."""


def same_file(a: Path, b: Path) -> bool:
    """Whether two paths lead to one file that exists."""
    try:
        return os.path.samefile(a, b)
    except OSError:
        return False


def write_file(path: str | Path, content: Content) -> Path:
    """Write one file whole or not at all. Returns its path; Failure CNN400 where it cannot be written."""
    path = Path(path)
    return write_files(path.parent, {path.name: content})[0]


def write_files(folder: str | Path, files: Mapping[str, Content]) -> list[Path]:
    """Write several files into `folder` as a set: on a Failure (CNN400) no existing file has changed and no new one stands.

    The first name is the main file; it is put in place last, so that it never speaks of a file that is not there yet.
    The folder must exist. A file that exists is replaced and keeps its permissions; a link is followed.
    """
    paths = [Path(folder) / name for name in files]
    with ExitStack() as temporaries:
        staged = []
        for path, content in zip(paths, files.values(), strict=True):
            with explained(path):
                staged.append((_stage(path, content, temporaries), _target(path), path))
        _commit(list(reversed(staged)))
    return paths


@contextmanager
def staged(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path`, with its suffix, for a library that writes a file or a folder by itself.

    When the `with` block ends well, what stands there takes the place of `path`; when it raises, `path` is as before and the
    temporary is removed. OSErrors inside the block become Failure CNN400.
    """
    path = Path(path)
    with ExitStack() as temporaries, explained(path):
        _check_folder(path)
        target = _target(path)
        temporary = _temporary_beside(target, target.suffix)
        temporaries.callback(_remove, temporary)
        yield temporary
        _sync_tree(temporary)
        if target.is_dir():
            _replace_folder(temporary, target)
        else:
            os.replace(temporary, target)
        sync_folder(target.parent)


def _stage(path: Path, content: Content, temporaries: ExitStack) -> Path | None:
    """Write `content` beside `path`, to the disk. None where `path` is a device or pipe, which was written directly."""
    _check_folder(path)
    target = _target(path)
    mode = target.stat().st_mode if target.exists() else None
    if mode is not None and stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if mode is not None and not stat.S_ISREG(mode):
        with target.open("wb") as device:
            _write(device, content)
        return None
    if mode is not None and not os.access(target, os.W_OK):  # a rename would replace it all the same
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    temporary = _temporary_beside(target, ".tmp")
    temporaries.callback(_remove, temporary)
    with temporary.open("xb") as file:
        _write(file, content)
        file.flush()
        os.fsync(file.fileno())
    if mode is not None:
        temporary.chmod(stat.S_IMODE(mode))
    return temporary


def _write(file: BinaryIO, content: Content) -> None:
    if isinstance(content, str):
        file.write(content.encode())
    elif isinstance(content, bytes):
        file.write(content)
    else:
        content(file)


def _commit(files: list[tuple[Path | None, Path, Path]]) -> None:
    """Rename every (temporary, target, name to show) into place; where one fails, undo those before it."""
    with ExitStack() as backups, ExitStack() as undo:  # undone before the backups go
        for temporary, target, shown in files:
            if temporary is None:
                continue
            with explained(shown):
                if len(files) > 1:
                    undo.callback(_restore, _back_up(target, backups), target)
                os.replace(temporary, target)
        undo.pop_all()
        for folder in {target.parent for temporary, target, _ in files if temporary is not None}:
            sync_folder(folder)


def _back_up(target: Path, backups: ExitStack) -> Path | None:
    """A second name for the file at `target`, for as long as the set is being put in place."""
    if not target.exists():
        return None
    backup = _temporary_beside(target, ".old")
    backups.callback(_remove, backup)
    try:
        os.link(target, backup)
    except OSError:  # a file system without hard links
        shutil.copy2(target, backup)
    return backup


def _restore(backup: Path | None, target: Path) -> None:
    """Bring back what stood at `target`. `backup` None: nothing did."""
    with suppress(OSError):
        if backup is None:
            target.unlink(missing_ok=True)
        else:
            os.replace(backup, target)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an OSError into Failure CNN400 that names `path` and the reason."""
    try:
        yield
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise fail(error("CNN400", f"cannot write {path}: {reason[:1].lower()}{reason[1:]}", hint=_hint(problem))) from None


def _hint(problem: OSError) -> str | None:
    match problem.errno:
        case errno.ENOENT:
            return "make the folder first; only files are made here"
        case errno.EISDIR:
            return "name a file, not a folder"
        case errno.ENOSPC | errno.EDQUOT:
            return "free some space or write elsewhere; nothing has been changed"
    return None


def _check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        code = errno.ENOTDIR if path.parent.exists() else errno.ENOENT
        raise OSError(code, f"the folder {path.parent} does not exist" if code == errno.ENOENT else os.strerror(code))


def _target(path: Path) -> Path:
    """The file that `path` stands for: links are followed, so that the link stays and its target changes."""
    return path.resolve() if path.is_symlink() else path


def _temporary_beside(target: Path, suffix: str) -> Path:
    """A name that is free and short, so that a target's name of 255 characters is no problem."""
    return target.parent / f".convspec-{secrets.token_hex(6)}{suffix}"


def _replace_folder(temporary: Path, target: Path) -> None:
    """Put `temporary` where the folder `target` stands; a folder cannot be replaced by one rename."""
    retired = _temporary_beside(target, ".old")
    os.replace(target, retired)
    try:
        os.replace(temporary, target)
    except BaseException:
        os.replace(retired, target)
        raise
    _remove(retired)


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _sync_tree(path: Path) -> None:
    """Bring a file, or every file in a folder, to the disk."""
    files = [path] if path.is_file() else [inner for inner in path.rglob("*") if inner.is_file()]
    for file in files:
        with file.open("rb+") as handle:
            os.fsync(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Bring the renames to the disk. Some systems cannot open a folder; the files are whole all the same."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


__all__ = ["Content", "explained", "same_file", "staged", "sync_folder", "write_file", "write_files"]
