"""What each target makes of a node, as a reader would write it: one statement a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from convspec.ir.graph import Node
from convspec.ir.lowering import Apply, Arg, Args, Call, Const, Item, Unsupported, Weight
from convspec.targets.pytorch import helpers_text as torch_helpers
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.source.layout import Writer
from convspec.targets.source.render import HELPERS, find_apply, render
from convspec.targets.tensorflow import helpers_text as keras_helpers
from convspec.targets.tensorflow.expressions import Expressions

LANGUAGES = {"onnx": "", "pytorch": "python", "tensorflow": "python"}
NAMES = {"onnx": "ONNX", "pytorch": "PyTorch", "tensorflow": "Keras (TensorFlow)"}
_MOST = 12
"""A constant with more numbers than this is only described."""


def emitted(node: Node, target: str) -> str:
    """The text for one target; `x` and so on are the inputs. What a target cannot express is said in words."""
    tree = node.op.lower[target](node.attrs, *node.input_types)  # type: ignore[index]
    if isinstance(tree, Unsupported):
        return f"not expressible: {tree.reason}"
    inputs = [value.name for value in node.inputs]
    return {"onnx": _onnx, "pytorch": _torch, "tensorflow": _keras}[target](node, tree, inputs)


def _torch(node: Node, tree: Any, names: Sequence[str]) -> str:
    apply = find_apply(tree)
    writer = Writer()
    if apply is not None:
        made = code.call(apply.fn.removeprefix(HELPERS), _values(apply.args), _named(apply))
        writer.statement(f"layer = {made}")
    result = render(tree, [code.name(name) for name in names], lambda _: Code("layer"))
    writer.statement(f"y = {result}")
    return "\n".join([*writer.lines, *_helpers(torch_helpers.helper_texts([tree]))])


def _keras(node: Node, tree: Any, names: Sequence[str]) -> str:
    expressions, writer = Expressions(), Writer()

    def made(apply: Apply) -> Code:
        writer.statement(f"layer = {expressions.constructor(apply)}")
        return Code("layer")

    result = expressions.of(tree, [code.name(name) for name in names], made)
    writer.statement(f"y = {result}")
    return "\n".join([*writer.lines, *_helpers(keras_helpers.helper_texts(expressions.helpers))])


def _helpers(texts: Sequence[str]) -> list[str]:
    """The definitions that the file carries with it."""
    return [line for text in texts for line in ("", *text.splitlines())]


def _values(items: Sequence[Any]) -> list[Code]:
    return [code.value(item) for item in items]


def _named(apply: Apply) -> dict[str, Code]:
    return {name: code.value(item) for name, item in apply.kwargs.items()}


# ── ONNX ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _onnx(node: Node, tree: Any, names: Sequence[str]) -> str:
    writing = _Nodes(names)
    results = [writing.name(part) for part in (tree if isinstance(tree, tuple) else (tree,))]
    if not writing.lines:
        return f"y is {results[0]}"
    last = writing.lines[-1].partition(" = ")[2] if len(results) == 1 else ""
    return "\n".join([*writing.lines[:-1], f"y = {last}"] if last else [*writing.lines, f"y = {', '.join(results)}"])


class _Nodes:
    """Calls as statements, innermost first."""

    def __init__(self, inputs: Sequence[str]) -> None:
        self.inputs = inputs
        self.lines: list[str] = []
        self.made: dict[int, str] = {}

    def name(self, part: Any) -> str:
        match part:
            case Arg(index=index):
                return self.inputs[index]
            case Args():
                return ", ".join(self.inputs)
            case Weight(role=role):
                return role or "weight"
            case Const(data=data):
                return _constant(data)
            case Item(call=call, index=index):
                return f"{self.name(call)}[{index}]"
            case Call():
                return self._call(part)
        return '""'

    def _call(self, call: Call) -> str:
        if id(call) not in self.made:
            inputs = ", ".join(self.name(arg) for arg in call.args)
            attributes = ", ".join(f"{name}={_constant(value)}" for name, value in call.kwargs.items())
            self.made[id(call)] = f"t{len(self.lines) + 1}"
            self.lines.append(f"{self.made[id(call)]} = {call.fn}({inputs}{'; ' if attributes else ''}{attributes})")
        return self.made[id(call)]


def _constant(data: Any) -> str:
    count = _count(data)
    if count > _MOST:
        return f"<{count} numbers>"
    return repr(list(data)) if isinstance(data, tuple) else repr(data)


def _count(data: Any) -> int:
    return sum(map(_count, data)) if isinstance(data, tuple | list) else 1


__all__ = ["LANGUAGES", "NAMES", "emitted"]
