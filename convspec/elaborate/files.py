"""Files of a spec: reading them, what each declares, and `use … from` within the project's root."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convspec.diagnostics import Failure, Label, error, fail
from convspec.limits import Limits
from convspec.source import SourceFile
from convspec.syntax import ast, parse

if TYPE_CHECKING:
    from convspec.elaborate.frame import Frame

_LIBRARIES = ("std", "zoo")


@dataclass(slots=True, eq=False)
class FileScope:
    """The top level of one file: what it declares by name, what it imports, and its constants once worked out."""

    tree: ast.File
    items: dict[str, ast.Item] = field(default_factory=dict)
    imports: dict[str, FileScope] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
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
    all_scopes: list[FileScope] = field(default_factory=list)
    """Every file that was read, the main one first."""

    def main(self, source: SourceFile) -> FileScope:
        """The scope of the file that is compiled."""
        if source.path is None:
            return self._declare(source)
        return self._load(source.path.resolve(), source)

    def _load(self, path: Path, source: SourceFile) -> FileScope:
        if path not in self.scopes:
            self.loading.append(path)
            try:
                self.scopes[path] = self._declare(source)
            finally:
                self.loading.pop()
        return self.scopes[path]

    def _declare(self, source: SourceFile) -> FileScope:
        scope = FileScope(parse(source, self.limits))
        self.all_scopes.append(scope)
        problems: list[Failure] = []
        for item in scope.tree.items:
            try:
                if isinstance(item, ast.Use):
                    self._use(scope, item)
                elif not isinstance(item, ast.Default):
                    _add(scope, item.name, item)
            except Failure as failure:
                problems.append(failure)
        if problems:
            raise Failure([diagnostic for problem in problems for diagnostic in problem.diagnostics])
        return scope

    def _use(self, scope: FileScope, use: ast.Use) -> None:
        imported = self._imported(use)
        for name in use.names:
            if imported.owner(name.text) is None:
                near = get_close_matches(name.text, imported.names(), 1)
                hint = f"did you mean `{near[0]}`?" if near else _has(imported)
                raise fail(error("CNN013", f'"{use.path}" has no `{name.text}`', name.span, hint=hint))
            if name.text in scope.items or name.text in scope.imports:
                raise fail(error("CNN023", f"`{name.text}` is defined twice in this file", name.span))
            scope.imports[name.text] = imported

    def _imported(self, use: ast.Use) -> FileScope:
        path = self._resolve(use)
        if path in self.loading:
            chain = " → ".join(f'"{p.name}"' for p in [*self.loading[self.loading.index(path) :], path])
            raise fail(error("CNN012", f"imports form a cycle: {chain}", use.path_span))
        try:
            source = read_source(path, self._shown(path), self.limits)
        except Failure as failure:
            reason = failure.diagnostics[0].message
            raise fail(error("CNN010", reason, use.path_span)) from None
        return self._load(path, source)

    def _resolve(self, use: ast.Use) -> Path:
        library, separator, rest = use.path.partition(":")
        if separator and library in _LIBRARIES:
            base = Path(__file__).parent.parent / library
            path = self._inside(base / f"{rest}.cnn", base, use)
            if not path.is_file():
                raise fail(error("CNN010", f'convspec ships no "{use.path}"', use.path_span))
            return path
        own = use.path_span.file.path
        if own is None or self.root is None:
            raise fail(error("CNN010", "text that is not a file cannot import files", use.path_span))
        if Path(use.path).is_absolute() or separator or "\\" in use.path:
            hint = 'write a path relative to this file, with "/": "blocks/resnet.cnn"'
            raise fail(error("CNN011", f'"{use.path}" is not a relative path', use.path_span, hint=hint))
        return self._inside(own.resolve().parent / use.path, self.root, use)

    def _inside(self, path: Path, base: Path, use: ast.Use) -> Path:
        try:
            resolved = path.resolve()
        except (OSError, ValueError, RuntimeError):
            raise fail(error("CNN010", f'"{use.path}" is not a path', use.path_span)) from None
        if not resolved.is_relative_to(base.resolve()):
            hint = "imports stay inside the folder of the file compiled; --root sets another one"
            raise fail(error("CNN011", f'"{use.path}" leaves the project', use.path_span, hint=hint))
        return resolved

    def _shown(self, path: Path) -> str:
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
    """The text of a file, or a Failure that says why it cannot be read."""
    try:
        if path.stat().st_size > limits.file_bytes:
            raise fail(error("CNN006", f"{name} has more than {limits.file_bytes:,} bytes"))
        data = path.read_bytes()
    except OSError as problem:
        reason = "is a folder" if path.is_dir() else (problem.strerror or str(problem)).lower()
        raise fail(error("CNN010", f"{name} cannot be read: {reason}")) from None
    except ValueError:
        raise fail(error("CNN010", f"{name!r} is not a path")) from None
    try:
        return SourceFile(name, data.decode("utf-8-sig"), path)
    except UnicodeDecodeError as problem:
        message = f"{name} is not UTF-8 text: byte {data[problem.start]:#04x} at offset {problem.start}"
        raise fail(error("CNN006", message)) from None
