"""A file with syntax errors, opened for what is intact in it: mistakes there are told in the same run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from convspec.diagnostics import Diagnostic, Failure
from convspec.elaborate.files import Loader
from convspec.elaborate.network import Opened
from convspec.limits import Limits
from convspec.records import dataclass
from convspec.recursion import deep_recursion
from convspec.source import SourceFile

_OF_NAMES = ("CNN013", "CNN020", "CNN021")


@dataclass(frozen=True, slots=True)
class Salvaged:
    """The intact items of a file as if there were no others."""

    opened: Opened
    lost: frozenset[str]
    """Names that the broken items may declare."""

    def independent(self, problems: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The problems that are not only there because what a broken item declares is missing."""
        return independent(problems, self.lost)


def salvage(failure: Failure, limits: Limits, root: Path | None) -> Salvaged | None:
    """What is left of the file in which `failure` found syntax errors; None where there is nothing to go on with.

    Raises Failure where the intact items by themselves do not make a file, as when one is defined twice.
    """
    from convspec.syntax.intact import intact_items

    file = _file_of(failure)
    intact = intact_items(file, limits) if file is not None and file.path is not None else None
    if file is None or file.path is None or intact is None:
        return None
    loader = Loader(limits, root if root is not None else file.path.resolve().parent, trees={file: intact.tree})
    with deep_recursion():
        try:
            return Salvaged(Opened(file, loader, loader.main(file)), intact.lost)
        except Failure as other:
            raise Failure(independent(other.diagnostics, intact.lost)) from None


def independent(problems: Iterable[Diagnostic], lost: frozenset[str]) -> list[Diagnostic]:
    """The problems that are not only there because a name is missing that may be declared in what is lost."""
    return [problem for problem in problems if not (problem.code in _OF_NAMES and _text(problem) in lost)]


def _text(problem: Diagnostic) -> str | None:
    return problem.primary.span.text if problem.primary is not None else None


def _file_of(failure: Failure) -> SourceFile | None:
    """The file that all of the problems lie in, if it is one."""
    files = {problem.primary.span.file if problem.primary is not None else None for problem in failure.diagnostics}
    return files.pop() if len(files) == 1 else None
