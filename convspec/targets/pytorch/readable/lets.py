"""`let` at the top of a file: constants and functions of the generated module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from convspec.elaborate.files import FileScope
from convspec.elaborate.module import Application
from convspec.syntax import ast
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.expressions import value
from convspec.targets.pytorch.readable.values import Moment, Unsayable, Val, same
from convspec.targets.source import code, quote
from convspec.targets.source.code import Code
from convspec.targets.source.layout import wrap

if TYPE_CHECKING:
    from convspec.targets.pytorch.readable.program import Program


def constant_lines(program: Program, scope: FileScope, let: ast.Let, python: str) -> list[str]:
    """`ROWS = [...]`, as it is written where Python gives the same value, else as the value."""
    wanted = scope.constants.get(let.name.text)
    body = _file_body(program, scope, let)
    try:
        said: Code | None = value(body, let.value).init
    except Unsayable:
        said = None
    if said is None or said.reads - program.constants.keys() or not same(body.evaluate(said, body.moments[0]), wanted):
        try:
            said = code.value(wanted)
        except TypeError:
            raise Unsayable(f"the constant `{let.name.text}`") from None
    return [*quote.comment(let.doc), *wrap(f"{python} = {said}")]


def function_lines(
    program: Program, scope: FileScope, let: ast.Let, python: str, samples: Sequence[Mapping[str, Any]]
) -> list[str]:
    """`def divisible(v, by=8): …`."""
    body = _file_body(program, scope, let)
    params = []
    for param in let.params or ():
        name = body.local(param.name.text)
        default = value(body, param.default).init if param.default is not None else None
        params.append(f"{name}={default}" if default is not None else name)
        body.env[param.name.text] = Val(code.name(name), code.name(name))
    body.moments = [Moment(body.applications[0], (), names) for names in samples] or body.moments
    said = value(body, let.value).init
    if said is None:
        raise Unsayable(f"the function `{let.name.text}`")
    docs = quote.docstring(let.doc, "    ")
    return [*wrap(f"def {python}({', '.join(params)}):"), *docs, *wrap(f"return {said}", "    ")]


def _file_body(program: Program, scope: FileScope, let: ast.Let) -> Body:
    """A body outside all blocks, in which expressions of the file's top can be said."""
    nothing = ast.Body((), let.span)
    block = ast.Block("block", let.name, (), nothing, "", let.span)
    application = Application(block, "", scope, {})
    body = Body(program, (application,), names=program.names.inner())
    body.moments = [Moment(application, (), {})]
    return body
