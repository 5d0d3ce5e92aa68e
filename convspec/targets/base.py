"""What a target is: a name, its options, and `emit`, which turns a module and its weights into files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from convspec.diagnostics import error, fail
from convspec.elaborate.module import Module
from convspec.ir.types import Array
from convspec.records import dataclass
from convspec.targets.files import Content, write_files

Weights: TypeAlias = Mapping[str, Array]
"""Every parameter of a graph by name, in the order of `Graph.parameters()`, in canonical (PyTorch's) layout."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a target made: file name → content. The first file is the main one; names are plain, without folders."""

    files: Mapping[str, Content]
    beside: Mapping[str, Path] = field(default_factory=dict)
    """Files that are there already, by the name under which the main file looks for them in its own folder."""

    @property
    def main(self) -> str:
        """The name of the file that a user opens."""
        return next(iter(self.files))

    def write(self, folder: str | Path) -> list[Path]:
        """Write all files into `folder` as a set, whole or not at all. Failure CNN400 where that cannot be done, CNN401 where a
        file that has to lie beside them is elsewhere, or would be overwritten.
        """
        for name, path in self.beside.items():
            if name in self.files or not _is_same(Path(folder) / name, path):
                hint = f"write to {path.parent}, or name a file there"
                raise fail(error("CNN401", f"{path} has to lie beside {self.main}, and be another file", hint=hint))
        return write_files(folder, self.files)

    def data(self, name: str | None = None) -> bytes:
        """The content of a file (default: the main one) in memory."""
        content = self.files[name or self.main]
        if isinstance(content, str):
            return content.encode()
        if isinstance(content, bytes):
            return content
        buffer = BytesIO()
        content(buffer)
        return buffer.getvalue()

    def text(self, name: str | None = None) -> str:
        """The content of a text file (default: the main one)."""
        content = self.files[name or self.main]
        if not isinstance(content, str):
            raise TypeError(f"{name or self.main} is not a text file")
        return content


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitOptions:
    """Options that every target has; a target's own options derive from it."""

    stem: str | None = None
    """The name of the main file without its ending, on which other files' names build. None: from the model's name."""


@runtime_checkable
class Target(Protocol):
    """A module `convspec.targets.<name>`, or an object behind the entry point group `convspec.targets`, offers these."""

    name: str
    """As `--target` takes it."""
    suffix: str
    """How the main file's name ends: `.onnx`, `.py`."""
    options: type[EmitOptions]

    def emit(self, module: Module, weights: Weights, options: Any) -> Artifact:
        """The files. `options` is an instance of `self.options`. Failure (CNN090, CNN091, CNN401) where it cannot be done."""
        ...


BUILT_IN = ("onnx", "pytorch", "tensorflow")
GROUP = "convspec.targets"


def target_names() -> tuple[str, ...]:
    """Every known target: the built-in ones, then those of installed packages, sorted. Imports none of them."""
    return (*BUILT_IN, *sorted({point.name for point in entry_points(group=GROUP)} - set(BUILT_IN)))


@cache
def find_target(name: str) -> Target:
    """The target called `name`. A built-in one is the `TARGET` of `convspec.targets.<name>`. Failure CNN401 where unknown."""
    if name in BUILT_IN:
        built_in: Target = import_module(f"convspec.targets.{name}").TARGET
        return built_in
    for point in entry_points(group=GROUP, name=name):
        return _loaded(name, point.load())
    known = ", ".join(target_names())
    raise fail(error("CNN401", f"there is no target `{name}`", hint=f"the targets are {known}"))


def _loaded(name: str, found: Any) -> Target:
    candidate = found() if isinstance(found, type) else found
    if not isinstance(candidate, Target):
        raise fail(error("CNN401", f"the target `{name}` of an installed package lacks name, suffix, options or emit"))
    return candidate


def file_stem(module: Module, options: EmitOptions) -> str:
    """The main file's name without its ending: as asked, else the model's name."""
    return options.stem or module.name


__all__ = ["Artifact", "Content", "EmitOptions", "Target", "Weights", "file_stem", "find_target", "target_names"]
