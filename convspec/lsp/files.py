"""The files of a project: those open in the editor as they are there, the others as they are on the disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pygls.uris import from_fs_path, to_fs_path

from convspec.diagnostics import Failure
from convspec.elaborate.files import Loader, read_source
from convspec.limits import Limits
from convspec.records import dataclass
from convspec.source import SourceFile
from convspec.syntax import ast, parse
from convspec.syntax.incremental import Buffer


@dataclass(frozen=True, slots=True, eq=False)
class OpenFile:
    """A file in the editor as others see it: what of it can be read, and the names that may be declared in the rest."""

    buffer: Buffer
    tree: ast.File | None
    failure: Failure | None
    lost: frozenset[str] = frozenset()


class Disk:
    """Files that were read and parsed, as long as they are as they were."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, int], SourceFile, ast.File]] = {}

    def read(self, path: Path, name: str, limits: Limits) -> tuple[SourceFile, ast.File]:
        """A file and its tree. Failure where it cannot be read or parsed."""
        try:
            found = path.stat()
            stamp = found.st_mtime_ns, found.st_size
        except (OSError, ValueError):
            stamp = 0, 0
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            source = read_source(path, name, limits)
            known = self._known[path] = stamp, source, parse(source, limits)
        return known[1], known[2]


class ProjectLoader(Loader):
    """Reads what `use` names from the editor first."""

    def __init__(self, limits: Limits, root: Path | None, opened: Mapping[Path, OpenFile], disk: Disk) -> None:
        super().__init__(limits, root)
        self.opened, self.disk = opened, disk
        self.known: dict[SourceFile, ast.File] = {}
        self.trees = self.known
        self.lost: frozenset[str] = frozenset()

    def _read(self, path: Path, use: ast.Use) -> SourceFile:
        found = self.opened.get(path)
        if found is None:
            if path.is_file():
                try:
                    source, tree = self.disk.read(path, self._shown(path), self.limits)
                    self.known[source] = tree
                    return source
                except Failure as failure:
                    if any(problem.primary is not None for problem in failure.diagnostics):
                        raise
            return super()._read(path, use)
        self.lost |= found.lost
        if found.tree is None:
            raise found.failure or Failure([])
        self.known[found.buffer] = found.tree
        return found.buffer


def path_of(uri: str) -> Path | None:
    """The file that a URI names; None for a text that is none, such as a new one."""
    if not uri.startswith("file:"):
        return None
    found = to_fs_path(uri)
    try:
        return Path(found).resolve() if found else None
    except (OSError, ValueError, RuntimeError):
        return None


def uri_of(path: Path) -> str:
    """The URI of a file."""
    return from_fs_path(str(path)) or path.as_uri()
