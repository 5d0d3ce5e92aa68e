"""Files of a spec: reading them, what each declares, and `use … from` within the project's root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convspec.diagnostics import Diagnostic, Failure, Guess, Label, error, fail
from convspec.elaborate.libraries import LIBRARIES, library_name, library_of, shipped
from convspec.elaborate.nearest import did_you_mean
from convspec.limits import Limits
from convspec.records import dataclass
from convspec.source import SourceFile
from convspec.syntax import ast, parse

if TYPE_CHECKING:
    from convspec.elaborate.frame import Defaults, Frame


@dataclass(slots=True, eq=False)
class FileScope:
    """The top level of one file: what it declares by name, what it imports, and its constants once worked out."""

    tree: ast.File
    items: dict[str, ast.Item] = field(default_factory=dict)
    imports: dict[str, FileScope] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    defaults: dict[ast.Item, Defaults] = field(default_factory=dict)
    """The `default` statements that stand before an item, once worked out."""
    frame: Frame | None = None
    """Where the file's own constants and defaults are evaluated."""

    def owner(self, name: str) -> tuple[FileScope, ast.Item] | None:
        """The declaration of `name` seen from this file, and the file that holds it."""
        if name in self.items:
            return self, self.items[name]
        if name in self.imports:
            return self.imports[name].owner(name)
        return None

    def names(self) -> list[str]:
        return [*self.items, *self.imports]


@dataclass(slots=True)
class Loader:
    """Reads and parses files, each once. `root` is the folder that imports must stay in; None: no imports."""

    limits: Limits
    root: Path | None
    scopes: dict[Path, FileScope] = field(default_factory=dict)
    loading: list[Path] = field(default_factory=list)
    read: set[Path] = field(default_factory=set)
    """Every file that `use` led to, also those that could not be read or parsed."""
    all_scopes: list[FileScope] = field(default_factory=list)
    """Every file that was read, the main one first."""
    trees: Mapping[SourceFile, ast.File] = field(default_factory=dict)
    """Files that need not be parsed."""

    def main(self, source: SourceFile) -> FileScope:
        """The scope of the file that is compiled."""
        if source.path is None:
            return self._declare(source)
        return self._load(source.path.resolve(), source)

    def _load(self, path: Path, source: SourceFile) -> FileScope:
        self.loading.append(path)
        try:
            self.scopes[path] = self._declare(source)
        finally:
            self.loading.pop()
        return self.scopes[path]

    def _declare(self, source: SourceFile) -> FileScope:
        scope = FileScope(self.trees.get(source) or parse(source, self.limits))
        self.all_scopes.append(scope)
        problems: list[Diagnostic] = []
        for item in scope.tree.items:
            try:
                if isinstance(item, ast.Use):
                    self._use(scope, item)
                elif not isinstance(item, ast.Default):
                    _add(scope, item.name, item)
            except Failure as failure:
                problems.extend(failure.diagnostics)
        if problems:
            raise Failure(problems)
        return scope

    def _use(self, scope: FileScope, use: ast.Use) -> None:
        imported = self._imported(use)
        problems: list[Diagnostic] = []
        for name in use.names:
            if imported.owner(name.text) is None:
                hint = did_you_mean(name.text, imported.names(), _has(imported))
                problems.append(error("CNN013", f'"{use.path}" has no `{name.text}`', name.span, hint=hint))
            elif name.text in scope.items or name.text in scope.imports:
                problems.append(error("CNN023", f"`{name.text}` is defined twice in this file", name.span))
            else:
                scope.imports[name.text] = imported
        if problems:
            raise Failure(problems)

    def _imported(self, use: ast.Use) -> FileScope:
        path = self._resolve(use)
        if path in self.loading:
            chain = " → ".join(f'"{p.name}"' for p in [*self.loading[self.loading.index(path) :], path])
            raise fail(error("CNN012", f"imports form a cycle: {chain}", use.path_span))
        if path in self.scopes:
            return self.scopes[path]
        if path in self.read:
            raise Failure([])  # its mistakes were reported where it was used first
        self.read.add(path)
        if len(self.read) > self.limits.files:
            message = f"this uses more files than the limit of {self.limits.files:,}"
            raise fail(error("CNN065", message, use.path_span, hint="if this is meant, raise the limit `files`"))
        return self._load(path, self._read(path, use))

    def _read(self, path: Path, use: ast.Use) -> SourceFile:
        if path.exists() and not path.is_file():
            raise fail(error("CNN010", f'"{use.path}" is not a file', use.path_span))
        try:
            return read_source(path, self._shown(path), self.limits)
        except Failure as failure:
            (problem,) = failure.diagnostics
            meant = f"{use.path}.cnn"
            hint = Guess(use.path, meant, f'did you mean "{meant}"?') if path.with_name(f"{path.name}.cnn").is_file() else None
            raise fail(error(problem.code, problem.message, use.path_span, hint=hint)) from None

    def _resolve(self, use: ast.Use) -> Path:
        library, separator, rest = use.path.partition(":")
        if separator and library in LIBRARIES:
            return self._shipped(library, rest, use)
        own = use.path_span.file.path
        if own is None or self.root is None:
            raise fail(error("CNN010", "text that is not a file cannot import files", use.path_span))
        if Path(use.path).is_absolute() or separator or "\\" in use.path:
            hint = 'write a path relative to this file, with "/": "blocks/resnet.cnn"'
            raise fail(error("CNN011", f'"{use.path}" is not a relative path', use.path_span, hint=hint))
        return self._inside(own.resolve().parent / use.path, self.root, use)

    def _shipped(self, library: str, name: str, use: ast.Use) -> Path:
        base = LIBRARIES[library]
        path = self._inside(base / f"{name}.cnn", base, use)
        if not path.is_file():
            known = shipped(library)
            everything = f"it ships {', '.join(known)}" if known else None
            hint = did_you_mean(use.path, known, everything) if name else everything
            raise fail(error("CNN010", f'convspec ships no "{use.path}"', use.path_span, hint=hint))
        return path

    def _inside(self, path: Path, base: Path, use: ast.Use) -> Path:
        try:
            resolved = path.resolve()
            resolved.is_file()  # some names are too long to ask for
        except (OSError, ValueError, RuntimeError):
            raise fail(error("CNN010", f'"{use.path}" is not a path', use.path_span)) from None
        if not resolved.is_relative_to(base.resolve()):
            hint = "imports stay inside the folder of the file compiled; --root sets another one"
            raise fail(error("CNN011", f'"{use.path}" leaves the project', use.path_span, hint=hint))
        return resolved

    def _shown(self, path: Path) -> str:
        if library_of(path) is not None:
            return library_name(path)
        base = self.root.resolve() if self.root else None
        return path.relative_to(base).as_posix() if base and path.is_relative_to(base) else path.name


def _add(scope: FileScope, name: ast.Name, item: ast.Item) -> None:
    if name.text in scope.items:
        first = scope.items[name.text]
        assert not isinstance(first, ast.Use | ast.Default)
        message = f"`{name.text}` is defined twice in this file"
        raise fail(error("CNN023", message, name.span, "again here", related=[Label(first.name.span, "first here")]))
    if name.text in scope.imports:
        raise fail(error("CNN023", f"`{name.text}` is imported and defined in this file", name.span))
    scope.items[name.text] = item


def _has(scope: FileScope) -> str:
    names = ", ".join(scope.items) or "nothing"
    return f"it has {names}"


def read_source(path: Path, name: str, limits: Limits) -> SourceFile:
    """The text of a file, or a Failure that says why it cannot be read. No more is read than a file may hold."""
    try:
        with path.open("rb") as stream:
            data = stream.read(limits.file_bytes + 1)
    except OSError as problem:
        raise fail(error("CNN010", f"{name} cannot be read: {_reason(problem)}")) from None
    except ValueError:
        raise fail(error("CNN010", f"{name!r} is not a path")) from None
    if len(data) > limits.file_bytes:
        raise fail(error("CNN006", f"{name} has more than {limits.file_bytes:,} bytes"))
    try:
        return SourceFile(name, data.decode("utf-8-sig"), path)
    except UnicodeDecodeError as problem:
        message = f"{name} is not UTF-8 text: byte {data[problem.start]:#04x} at offset {problem.start}"
        raise fail(error("CNN006", message)) from None


def _reason(problem: OSError) -> str:
    return "is a folder" if isinstance(problem, IsADirectoryError) else (problem.strerror or str(problem)).lower()
