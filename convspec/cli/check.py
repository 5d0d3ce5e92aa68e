"""`convspec check`: is the spec right? Nothing is compiled, and nothing heavy is imported."""

from __future__ import annotations

from pathlib import Path

import typer

from convspec.cli.guard import Format, guarded, write_json
from convspec.cli.options import Model, OutputFormat, Root, Settings, Spec
from convspec.diagnostics import Diagnostic, Failure

EXAMPLES = """Examples:

convspec check resnet.cnn

convspec check resnet.cnn --model ResNet50 --set classes=10 --format json"""


@guarded
def check(
    spec: Spec, model: Model = None, settings: Settings = None, root: Root = None, output_format: OutputFormat = Format.text
) -> None:
    """Report every error in a spec, and nothing else; without --model, for each model in the file.

    A model with parameters that have no default is checked where a configuration gives them.
    """
    from convspec.cli.values import parse_settings

    given = parse_settings(settings or [])
    one = model is not None or bool(given)
    names = [_check_one(spec, model, given, root)] if one else _check_all(spec, root)
    if output_format is Format.json:
        write_json({"models": names, "diagnostics": []})
    else:
        typer.echo(f"{spec}: no errors in {', '.join(names)}" if names else f"{spec}: no errors; the file holds no model")


def _check_one(spec: Path, model: str | None, given: dict[str, object], root: Path | None) -> str:
    from convspec.analysis.budgets import check_asserts
    from convspec.elaborate import load

    module = load(spec, model=model, settings=given, root=root)
    check_asserts(module)
    return module.name


def _check_all(spec: Path, root: Path | None) -> list[str]:
    """Check each model that needs no arguments; Failure with the errors of all, each once."""
    from convspec.elaborate import model_names

    found: dict[object, Diagnostic] = {}
    names = model_names(spec, root=root)
    for name in names:
        try:
            _check_one(spec, name, {}, root)
        except Failure as failure:
            for diagnostic in failure.diagnostics:
                place = str(diagnostic.primary.span) if diagnostic.primary else None
                found.setdefault((diagnostic.code, diagnostic.message, place), diagnostic)
    if found:
        raise Failure(list(found.values()))
    return names
