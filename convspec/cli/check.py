"""`convspec check`: is the spec right? Nothing is compiled, and nothing heavy is imported."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click

from convspec.cli.declare import Argument, Option, command
from convspec.cli.guard import ReportFormat, guarded, write_diagnostics, write_json
from convspec.cli.options import LimitOptions, Model, Root, Settings
from convspec.diagnostics import Diagnostic, Failure
from convspec.limits import Limits
from convspec.records import dataclass

if TYPE_CHECKING:
    from convspec.elaborate import Opened
    from convspec.elaborate.module import Module

EXAMPLES = """Examples:

convspec check resnet.cnn

convspec check examples/*.cnn

convspec check resnet.cnn --model ResNet50 --set classes=10 --format json"""


class Deny(StrEnum):
    """What else than an error makes a spec fail."""

    warnings = "warnings"


_ROUNDS = 20
_FIX = "Mend what has one right answer, in the files that are named."
_DENY = "Count warnings as errors."
_FORMAT = "How errors are written: sarif is for code scanning, github for the log of a workflow."


@command("check", epilog=EXAMPLES)
@guarded
def check(
    specs: Annotated[list[Path], Argument("SPEC", help="One or more .cnn files.")],
    model: Model = None,
    settings: Settings = None,
    root: Root = None,
    limits: LimitOptions = None,
    fix: Annotated[bool, Option("--fix", help=_FIX)] = False,
    deny: Annotated[Deny | None, Option("--deny", help=_DENY)] = None,
    output_format: Annotated[ReportFormat, Option("--format", help=_FORMAT)] = ReportFormat.text,
) -> None:
    """Report every error and warning in a spec, or in several.

    Warnings are what is suspicious in specs without errors, and change no exit status unless --deny counts them as errors.

    Without --model, each model in a file is checked; one that needs arguments where a configuration gives them. A comment
    `# allow: CNN110 the reason` silences a warning.
    """
    from convspec.cli.values import parse_limits, parse_settings
    from convspec.diagnostics.render import to_json

    given, bounds = parse_settings(settings or []), parse_limits(limits or [])
    checked, found = _check_all(specs, model, given, root, bounds)
    for _ in range(_ROUNDS if fix else 0):  # a mistake that is mended may have hidden others
        if not _mended(found, specs):
            break
        checked, found = _check_all(specs, model, given, root, bounds)
    if deny:
        found = [replace(diagnostic, severity="error") for diagnostic in found]
    if any(diagnostic.severity == "error" for diagnostic in found):
        raise Failure(found)
    match output_format:
        case ReportFormat.text:
            write_diagnostics(found, output_format)
            for file in checked:
                file.say()
        case ReportFormat.json:
            write_json({"models": [name for file in checked for name in file.models], "diagnostics": to_json(found)})
        case _:
            write_diagnostics(found, output_format)


def _check_all(
    specs: list[Path], model: str | None, given: dict[str, Any], root: Path | None, limits: Limits
) -> tuple[list[_Checked], list[Diagnostic]]:
    """What was found right, and what was found wrong; then what is suspicious in files without errors."""
    checked: list[_Checked] = []
    found: dict[object, Diagnostic] = {}
    suspicious: dict[object, Diagnostic] = {}
    for spec in specs:
        before = len(found)
        with _collected(found):
            path, chosen = _resolve(spec, model)
            file = replace(_check_file(_File(path, root, limits), chosen, given, found), spec=spec)
            kept = _new(file.warnings if len(found) == before else [], suspicious)
            checked.append(replace(file, warnings=kept))
    return checked, [*found.values(), *suspicious.values()]


def _new(warnings: list[Diagnostic], found: dict[object, Diagnostic]) -> list[Diagnostic]:
    """The warnings that no other spec gave for a file that they both use; they are added to `found`."""
    kept: dict[object, Diagnostic] = {}
    for diagnostic in warnings:
        assert diagnostic.primary is not None
        span = diagnostic.primary.span
        place = diagnostic.code, span.file.path or span.file, span.start
        if place not in found:
            kept[place] = found[place] = diagnostic
    return list(kept.values())


def _mended(found: list[Diagnostic], specs: list[Path]) -> bool:
    """Apply the fixes in files that were named, and say so; whether there were any."""
    from convspec.diagnostics.fixes import apply_fixes
    from convspec.files import same_file, write_file

    some = False
    for file, (text, count) in apply_fixes(found).items():
        path = next((spec for spec in specs if file.path is not None and same_file(spec, file.path)), None)
        if path is None or text == file.text:
            continue
        mark = codecs.BOM_UTF8 if path.read_bytes().startswith(codecs.BOM_UTF8) else b""
        write_file(path, mark + text.encode())
        click.echo(f"{path}: {count} {'mistake' if count == 1 else 'mistakes'} fixed", err=True)
        some = True
    return some


def _resolve(spec: Path, model: str | None) -> tuple[Path, str | None]:
    """The file and the model that a name of the zoo stands for."""
    if not str(spec).startswith("zoo:"):
        return spec, model
    from convspec.zoo import resolve

    return resolve(spec, model)


@dataclass(frozen=True, slots=True)
class _File:
    """A file and how it is read."""

    spec: Path
    root: Path | None
    limits: Limits


@dataclass(frozen=True, slots=True)
class _Checked:
    """What was found right, and the models that could not be checked by themselves, with the parameters they lack."""

    spec: Path
    models: list[str]
    open_models: dict[str, list[str]]
    warnings: list[Diagnostic]

    def say(self) -> None:
        said = f"no errors in {', '.join(self.models)}" if self.models else "no errors; no model could be checked by itself"
        count = len(self.warnings)
        counted = f"; {count} {'warning' if count == 1 else 'warnings'}" if count else ""
        click.echo(f"{self.spec}: {said}{counted}")
        for name, missing in self.open_models.items():
            click.echo(f"{name} needs {', '.join(missing)}: it was checked only where a configuration gives them")


def _check_file(file: _File, model: str | None, given: dict[str, object], found: dict[object, Diagnostic]) -> _Checked:
    """Check one model of a file, or all of them; mistakes are added to `found`."""
    from convspec.elaborate import opened
    from convspec.lint import text_only, warnings

    try:
        spec = opened(file.spec, file.limits, file.root)
    except Failure as failure:
        raise _with_the_rest(file, failure) from None
    alone = model is not None or given
    modules, open_models = ([_check_one(spec, model, given)], {}) if alone else _check_models(spec, found)
    suspicious = warnings(*modules) if modules else text_only(spec.scope.tree)
    return _Checked(file.spec, [module.name for module in modules], open_models, suspicious)


def _check_models(spec: Opened, found: dict[object, Diagnostic]) -> tuple[list[Module], dict[str, list[str]]]:
    """The models that are right by themselves, and the parameters that others lack; mistakes go to `found`."""
    open_models = _open_models(spec)
    modules = []
    for name in spec.models():
        if name not in open_models:
            with _collected(found):
                modules.append(_check_one(spec, name, {}))
    return modules, open_models


def _with_the_rest(file: _File, failure: Failure) -> Failure:
    """What is wrong in the syntax of a file, and in the models that this leaves intact, in the order of the text."""
    from convspec.elaborate.salvage import salvage

    found: dict[object, Diagnostic] = {}
    with _collected(found):
        left = salvage(failure, file.limits, file.root)
        if left is not None:
            _check_models(left.opened, found)
            found = {place: problem for place, problem in found.items() if problem in left.independent([problem])}
    problems = [*failure.diagnostics, *found.values()]
    return Failure(sorted(problems, key=lambda problem: problem.primary.span.start if problem.primary else -1))


@contextmanager
def _collected(found: dict[object, Diagnostic]) -> Iterator[None]:
    """Keep the diagnostics of a Failure, each once, and go on."""
    try:
        yield
    except Failure as failure:
        for diagnostic in failure.diagnostics:
            place = str(diagnostic.primary.span) if diagnostic.primary else None
            found.setdefault((diagnostic.code, diagnostic.message, place), diagnostic)


def _check_one(spec: Opened, model: str | None, given: dict[str, object]) -> Module:
    from convspec.analysis.budgets import check_asserts

    module = spec.module(model, given)
    check_asserts(module)
    return module


def _open_models(spec: Opened) -> dict[str, list[str]]:
    """Models that cannot be compiled without arguments, and the parameters that have no default."""
    from convspec.syntax import ast

    models = {name: item for name, item in spec.models().items() if isinstance(item, ast.Block)}
    needed = {name: [param.name.text for param in model.params if param.default is None] for name, model in models.items()}
    return {name: parameters for name, parameters in needed.items() if parameters}
