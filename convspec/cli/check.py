"""`convspec check`: is the spec right? Nothing is compiled, and nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Set
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
    """Report every error in a spec.

    Without --model, each model in the file is checked; one that needs arguments where a configuration gives them.
    """
    from convspec.cli.values import parse_settings

    given = parse_settings(settings or [])
    if model is not None or given:
        names, open_models = [_check_one(spec, model, given, root)], {}
    else:
        open_models = _open_models(spec)
        names = _check_all(spec, root, set(open_models))
    if output_format is Format.json:
        write_json({"models": names, "diagnostics": []})
        return
    typer.echo(
        f"{spec}: no errors in {', '.join(names)}" if names else f"{spec}: no errors; no model could be checked by itself"
    )
    for name, missing in open_models.items():
        typer.echo(f"{name} needs {', '.join(missing)}: it was checked only where a configuration gives them")


def _check_one(spec: Path, model: str | None, given: dict[str, object], root: Path | None) -> str:
    from convspec.analysis.budgets import check_asserts
    from convspec.elaborate import load

    module = load(spec, model=model, settings=given, root=root)
    check_asserts(module)
    return module.name


def _open_models(spec: Path) -> dict[str, list[str]]:
    """Models that cannot be compiled without arguments, and the parameters that have no default."""
    from convspec.elaborate.files import read_source
    from convspec.limits import DEFAULT
    from convspec.syntax import ast, parse

    models = [item for item in parse(read_source(spec, spec.name, DEFAULT)).items if isinstance(item, ast.Block)]
    needed = {
        model.name.text: [p.name.text for p in model.params if p.default is None] for model in models if model.kind == "model"
    }
    return {name: parameters for name, parameters in needed.items() if parameters}


def _check_all(spec: Path, root: Path | None, apart: Set[str]) -> list[str]:
    """Check every model but those `apart`; Failure with the errors of all, each once."""
    from convspec.elaborate import model_names

    found: dict[object, Diagnostic] = {}
    names = [name for name in model_names(spec, root=root) if name not in apart]
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
