"""Which pictures a run is about: files and folders become one list, in an order that does not depend on the file system.

A name is what results call a picture: the path inside the folder, with `/`, where one folder was given; else the path as given.
Names are sorted as bytes, like `LC_ALL=C sort` does it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from convspec.diagnostics import Diagnostic, error, fail
from convspec.runtime.pictures import is_picture


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture that was found. `size` in bytes and `modified` in nanoseconds tell later whether it is still the same."""

    name: str
    path: str
    size: int
    modified: int


@dataclass(slots=True)
class Listing:
    """The pictures in order. `notes` says what was left out."""

    files: list[PictureFile]
    notes: list[str] = field(default_factory=list)


def find_pictures(sources: Sequence[Path], recursive: bool = False) -> Listing:
    """The pictures that `sources` are or hold: files in the order given, those of a folder by name.

    Subfolders are entered only where `recursive`, links to folders never. Failure CNN300 for what cannot be read or a folder
    without pictures; CNN302 for a file that is no picture.
    """
    listing = Listing([])
    for source in sources:
        if source.is_dir():
            listing.files += _in_folder(source, recursive, listing.notes, whole=len(sources) > 1)
        elif is_picture(source):
            listing.files.append(_found(str(source), str(source)))
        else:
            hint = "give pictures, or one file of arrays"
            raise fail(error("CNN302", f"{source} stands among pictures but is none", hint=hint))
    return listing


def unreadable(path: Path | str, reason: str, hint: str | None = None) -> Diagnostic:
    """CNN300 for a file or folder that cannot be read."""
    return error("CNN300", f"cannot read {path}: {reason}", hint=hint)


def _in_folder(folder: Path, recursive: bool, notes: list[str], whole: bool) -> list[PictureFile]:
    names: list[str] = []
    others = links = 0
    for name, entry in _entries(str(folder), recursive):
        if entry.is_dir():
            links += recursive and entry.is_symlink()
            others += not recursive
        elif is_picture(Path(name)) and entry.is_file():
            names.append(name)
        else:
            others += 1
    if not names:
        hint = None if recursive else "subfolders are entered with --recursive"
        raise fail(unreadable(folder, "there is no PNG or JPEG picture in this folder", hint))
    if others:
        what = "entries that are no pictures were" if others > 1 else "entry that is no picture was"
        notes.append(f"{folder}: {others} {what} left out")
    if links:
        notes.append(f"{folder}: {links} links to folders were not followed")
    paths = ((name, os.path.join(folder, name)) for name in sorted(names, key=os.fsencode))
    return [_found(path if whole else name.replace(os.sep, "/"), path) for name, path in paths]


def _entries(folder: str, recursive: bool) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """What stands in a folder: its path from there, and the entry. Folders stand before what is in them."""
    pending = [""]
    while pending:
        here = pending.pop()
        try:
            with os.scandir(os.path.join(folder, here) if here else folder) as entries:
                for entry in entries:
                    name = os.path.join(here, entry.name)
                    yield name, entry
                    if recursive and entry.is_dir(follow_symlinks=False):
                        pending.append(name)
        except OSError as problem:
            reason = (problem.strerror or str(problem)).lower()
            raise fail(unreadable(os.path.join(folder, here) if here else folder, reason)) from None


def _found(name: str, path: str) -> PictureFile:
    """The file with what is known of it; one that is gone already is told when its turn comes."""
    try:
        status = os.stat(path)
    except OSError:
        return PictureFile(name, path, -1, -1)
    return PictureFile(name, path, status.st_size, status.st_mtime_ns)


__all__ = ["Listing", "PictureFile", "find_pictures", "unreadable"]
