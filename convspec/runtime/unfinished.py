"""A run that writes rows, from its start to its results: `results.csv.partial` beside `results.csv` holds what is done so far.

In that folder stand `manifest.json` (what makes the results), `pictures.jsonl` (which pictures, in order, as they were at the
start), the rows and a journal of them. When every picture has its row the results take their place and the folder goes. The
same command given again continues where the rows end. Other results are never mixed in: what makes them is compared.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from convspec.diagnostics import Failure, error, fail
from convspec.files import explained, sync_folder, write_file
from convspec.runtime.listing import PictureFile
from convspec.runtime.rows import Columns, shown_name
from convspec.runtime.stores import Store, open_store, prepare_store, rows_are_gone

MakesIt: TypeAlias = Mapping[str, Any]
"""What makes the results, by what a user calls it; values of JSON. Results of two runs are alike where all of it is."""

_FORMAT = 1
_MANIFEST, _PICTURES, _LOCK = "manifest.json", "pictures.jsonl", "lock"
_AGAIN = "repeat the command as it was, name another file, or start over with --overwrite"


@dataclass(slots=True)
class Unfinished:
    """A run under way. `files` are all its pictures in order; the first `done` of them have their rows."""

    target: Path
    folder: Path
    files: list[PictureFile]
    batch: int
    softmax: bool | None
    """Whether scores are made probabilities; None until the first are there."""
    store: Store
    resumed: bool
    notes: list[str] = field(default_factory=list)
    gone: frozenset[str] = frozenset()
    """Names of pictures that were there when the run began, and not when it was continued."""
    _lock: Any = None

    @property
    def done(self) -> int:
        return self.store.journal.rows

    @property
    def errors(self) -> int:
        return self.store.journal.errors

    def settle_softmax(self, softmax: bool) -> None:
        """Decide it, once for all rows."""
        manifest = _read_manifest(self.folder, self.target)
        write_file(self.folder / _MANIFEST, _json({**manifest, "softmax": softmax}))
        self.softmax = softmax

    def finish(self) -> Path:
        """Put the results in place. Failure CNN400 where that cannot be; what is done is kept then."""
        with explained(self.target):
            self.store.finish(_followed(self.target))
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return self.target

    def leave(self) -> None:
        """Let go of it, so that it can be continued; where nothing is done yet, nothing of it stays."""
        self.close()
        if not self.done:
            shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Let go of it as it is."""
        self.store.close()
        if self._lock is not None:
            self._lock.close()


def start_or_continue(
    target: Path, makes: MakesIt, files: Sequence[PictureFile], batch: int | None, usual: int, columns: Columns, overwrite: bool
) -> Unfinished:
    """The run that writes `target`: begun, or continued where an unfinished one by the same means is there.

    `batch` is what was asked for, None to keep that of the unfinished run, or `usual`. `overwrite` lets finished results be
    replaced (when the new ones are complete) and gives up an unfinished run by other means. Failure CNN403 where results are
    there already, where an unfinished run differs, or another process is at it; CNN400 where nothing can be written.
    """
    folder = target.with_name(f"{target.name}.partial")
    makes = json.loads(json.dumps(makes))
    with explained(target):
        if os.path.lexists(folder) and _abandon(folder, target, makes, overwrite):
            shutil.rmtree(folder)
        if not folder.exists():
            if os.path.lexists(target) and not overwrite:
                raise fail(error("CNN403", f"{target} is there already", hint="name another file, or replace it: --overwrite"))
            _begin(folder, target, {**_new_manifest(makes), "batch": batch or usual, "replaces": overwrite}, files)
            return _open(folder, target, columns, None, resumed=False)
        run = _open(folder, target, columns, batch, resumed=True)
        run.notes += _changes(run, files)
        places = {file.name: file.path for file in files}
        run.gone = frozenset(file.name for file in run.files if file.name not in places)
        run.files = [replace(file, path=places.get(file.name, file.path)) for file in run.files]
        return run


def _new_manifest(makes: MakesIt) -> dict[str, Any]:
    return {"format": _FORMAT, "makes": makes, "softmax": None}


def _abandon(folder: Path, target: Path, makes: MakesIt, overwrite: bool) -> bool:
    """Whether the unfinished run in `folder` is given up; False to continue it. Failure CNN403 where neither is asked for."""
    with _locked(folder, target):
        try:
            manifest = _read_manifest(folder, target)
        except Failure:
            if overwrite:
                return True
            raise
        if rows_are_gone(folder):  # its results were put in place, and then it was stopped
            return True
        differing = _differences(manifest["makes"], makes)
        if differing and not overwrite:
            message = f"{folder} is an unfinished run that differs from this one"
            raise fail(error("CNN403", message, notes=differing, hint=_AGAIN))
        if os.path.lexists(target) and not manifest["replaces"] and not differing:
            if not overwrite:
                message = f"{target} is there already, and so is an unfinished run for it, {folder}"
                raise fail(error("CNN403", message, hint="move one of them away, or replace the results: --overwrite"))
            write_file(folder / _MANIFEST, _json({**manifest, "replaces": True}))
        return bool(differing)


def _differences(then: Any, now: MakesIt) -> list[str]:
    if not isinstance(then, dict):
        return ["what made it is not known"]
    names = [name for name in (*now, *(n for n in then if n not in now)) if then.get(name) != now.get(name)]
    return [f"{name}: {_shown(then.get(name))} then, {_shown(now.get(name))} now" for name in names]


def _shown(value: Any) -> str:
    text = "none" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:24]}…{text[-24:]}"


def _begin(folder: Path, target: Path, manifest: Mapping[str, Any], files: Sequence[PictureFile]) -> None:
    """Make the folder whole, under another name, then give it its own."""
    made = Path(tempfile.mkdtemp(prefix=".convspec-", dir=folder.parent))
    try:
        prepare_store(made, target.suffix.lower())
        lines = (json.dumps([file.name, file.path, file.size, file.modified]) + "\n" for file in files)
        _write(made / _PICTURES, "".join(lines))
        _write(made / _MANIFEST, _json(manifest))
        (made / _LOCK).touch()
        made.chmod(0o777 & ~_umask())
        os.rename(made, folder)
        sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _write(path: Path, text: str) -> None:
    with path.open("xb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def _umask() -> int:
    """The mask for new files; it can be read only by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _open(folder: Path, target: Path, columns: Columns, batch: int | None, resumed: bool) -> Unfinished:
    lock = _locked(folder, target)
    try:
        manifest = _read_manifest(folder, target)
        lines = (folder / _PICTURES).read_text(encoding="ascii").splitlines()
        files = [PictureFile(*json.loads(line)) for line in lines]
        store = open_store(folder, target.suffix.lower(), columns, json.dumps(manifest["makes"]))
    except BaseException:
        lock.close()
        raise
    return Unfinished(target, folder, files, batch or manifest["batch"], manifest["softmax"], store, resumed, _lock=lock)


def _read_manifest(folder: Path, target: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] == _FORMAT and {"makes", "softmax", "replaces", "batch"} <= manifest.keys():
            return dict(manifest)
        reason = "it is of another version of convspec"
    except (OSError, ValueError, TypeError, KeyError):
        reason = "it is damaged, or something else"
    message = f"{folder} stands where an unfinished run for {target} would: {reason}"
    raise fail(error("CNN403", message, hint="name another file, or start over with --overwrite"))


class _locked:  # noqa: N801  (used like a function)
    """Keeps other processes out for as long as this one lives, where the system can do that. Failure CNN403 where one is in."""

    def __init__(self, folder: Path, target: Path) -> None:
        self._file: Any = None
        try:
            import fcntl
        except ImportError:  # Windows
            return
        with suppress(FileNotFoundError, NotADirectoryError):
            self._file = (folder / _LOCK).open("rb")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._file.close()
                message = f"another process is writing {target}"
                raise fail(error("CNN403", message, hint="wait for it, or name another file")) from None
            except OSError:  # a file system without locks
                pass

    def __enter__(self) -> None:
        return None

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _changes(run: Unfinished, files: Sequence[PictureFile]) -> list[str]:
    """What has become of the pictures since the run began."""
    then, now = {file.name: file for file in run.files}, {file.name: file for file in files}
    added = [name for name in now if name not in then]
    gone = [name for name in then if name not in now]
    changed = [file.name for file in run.files[: run.done] if file.name in now and _differs(now[file.name], file)]
    kinds = (
        (added, "not there when the run began, and not part of it"),
        (gone, "not there any more; those without a row will be errors"),
        (changed, "changed after their rows were made, which were left as they are"),
    )
    return [
        f"{len(names)} {'picture' if len(names) == 1 else 'pictures'} {what}: {_some(names)}" for names, what in kinds if names
    ]


def _differs(a: PictureFile, b: PictureFile) -> bool:
    return (a.size, a.modified) != (b.size, b.modified)


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(shown_name, names[:3])) + (", …" if len(names) > 3 else "")


def _followed(target: Path) -> Path:
    """Where the results go: a link stays, and what it leads to changes."""
    return target.resolve() if target.is_symlink() else target


def _json(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"


__all__ = ["MakesIt", "Unfinished", "start_or_continue"]
