"""CNN103, CNN104 and CNN105: what a body binds and never reads: a value, an input, a value bound anew before it is used."""

from __future__ import annotations

from collections.abc import Iterator

from convspec.diagnostics import Diagnostic, Label, error
from convspec.elaborate.walk import descendants
from convspec.lint.flow import Binding, Names, Study, bound_by, reads
from convspec.syntax import ast


def find(block: ast.Block, studied: Study) -> Iterator[Diagnostic]:
    """The bindings of a body after which no way reads a name that they bind. Of `a, b = …`, one that is read is enough."""
    dead = [statement for statement, live in studied.bindings if _is_dead(statement, live)]
    if not dead:
        return
    read = reads(block.body)
    for statement in sorted(dead, key=lambda each: each.span.start):
        yield _unused(block, statement, read)


def _is_dead(statement: Binding, live: Names) -> bool:
    names = bound_by(statement)
    return not names & live and not any(name.startswith("_") for name in names)


def _unused(block: ast.Block, statement: Binding, read: Names) -> Diagnostic:
    names = statement.targets if isinstance(statement, ast.Assign) else (statement.name,)
    shown, span = " and ".join(f"`{name.text}`" for name in names), names[0].span.to(names[-1].span)
    verb = "are" if len(names) > 1 else "is"
    if isinstance(statement, ast.Input):
        message = f"the input {shown} is never used"
        return error("CNN104", message, span, hint="who runs the network has to give it, and no output depends on it")
    again = _bound_again(block, statement)
    if len(names) == 1 and again is not None and (names[0].text in read or isinstance(statement, ast.Assign)):
        related = [Label(again.span, "bound again here")]
        return error("CNN105", f"{shown} is bound again before it is used", span, "this value is lost", related=related)
    kind = {ast.Layer: "the layer ", ast.Let: "the constant "}.get(type(statement), "")
    if isinstance(statement, ast.Let) and statement.params is not None:
        kind = "the function "
    hint = "its layers are built and have weights, and no output depends on them" if _has_layers(statement) else None
    return error("CNN103", f"{kind}{shown} {verb} never used", span, hint=hint)


def _bound_again(block: ast.Block, statement: Binding) -> ast.Name | None:
    """The next place in the text where the name is bound by an assignment."""
    (name, *_) = bound_by(statement)
    found = [
        target
        for node in descendants(block.body)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if target.text == name and target.span.start > statement.span.end
    ]
    return min(found, key=lambda each: each.span.start, default=None)


def _has_layers(statement: Binding) -> bool:
    return isinstance(statement, ast.Assign) and any(isinstance(node, ast.StageCall) for node in descendants(statement))
