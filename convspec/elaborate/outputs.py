"""Outputs of a model and their names."""

from __future__ import annotations

from convspec.diagnostics import Label
from convspec.elaborate.evaluation import evaluate
from convspec.elaborate.frame import Frame
from convspec.elaborate.labels import check_label
from convspec.elaborate.values import describe
from convspec.ir.graph import GraphOutput, Value
from convspec.syntax import ast


def declare_outputs(frame: Frame, statement: ast.Output) -> list[Value]:
    """The tensors of an `output`; for the model that is compiled they are added to the graph under their names."""
    values = []
    for item in statement.items:
        value = evaluate(frame, item.value)
        if not isinstance(value, Value):
            hint = (
                'give each tensor of a list a name: for i, x in xs { output "p{i}" = x }' if isinstance(value, list) else None
            )
            raise frame.fail("CNN048", f"an output is a tensor, not {describe(value)}", item.value.span, hint=hint)
        values.append(value)
        if not frame.chain and frame.context.counting is None:
            _add(frame, item, value)
    return values


def _add(frame: Frame, item: ast.OutputItem, value: Value) -> None:
    name, known = _name(frame, item), frame.context.outputs
    if name in known:
        message = f"two outputs are called `{name}`"
        related = [Label(known[name], "the first one")] if known[name] != item.span else []
        hint = 'name one: output "…" = x'
        raise frame.fail("CNN054", message, item.span, "the second one" if related else "", related=related, hint=hint)
    known[name] = item.span
    frame.context.graph.outputs.append(GraphOutput(name, value, item.span))


def _name(frame: Frame, item: ast.OutputItem) -> str:
    """The name given, a variable's own, or a pipeline's last label; else `output`."""
    if item.name is not None:
        return check_label(_text(frame, item.name), item.name.span)
    match item.value:
        case ast.NameRef(text=text):
            return text
        case ast.Pipeline(stages=stages):
            labels = [stage.label for stage in stages if stage.label is not None]
            if labels:
                return _text(frame, labels[-1])
    return "output"


def _text(frame: Frame, label: ast.StrLit) -> str:
    return str(evaluate(frame, label))
