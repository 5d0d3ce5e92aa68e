"""Calls of blocks: which function, which arguments, and under which label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from convspec.elaborate.module import Application, BlockEvent
from convspec.syntax import ast
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.tensorflow.readable.body import Body
from convspec.targets.tensorflow.readable.holes import constant
from convspec.targets.tensorflow.readable.layers import label_code
from convspec.targets.tensorflow.readable.values import UNKNOWN, Unsayable, Val, Varied, frozen, holds_tensors, same, stand_in


def call_block(body: Body, events: Sequence[Any], piped: Sequence[Val], args: Sequence[ast.Arg]) -> Val:
    """`block(x, 64, stride=2, name="layer1.0")` for a use in the source."""
    block = _block(body, events)
    names = parameters(block)
    given: dict[str, Val] = {}
    for val in piped:
        given[_takes_piped(block, val)] = val
    free = [name for name in names if name not in given]
    positional = [arg.value for arg in args if arg.name is None]
    written = dict(zip(free, positional, strict=False)) | {arg.name.text: arg.value for arg in args if arg.name is not None}
    return _call(body, events, given, written, set(list(given) + free[: len(positional)]))


def call_known(body: Body, events: Sequence[Any], tensors: Mapping[str, Val]) -> Val:
    """A block that a stage value stands for: its arguments were written elsewhere, and may mean nothing here."""
    return _call(body, events, dict(tensors), {k: v for k, v in events[0].args.items() if k not in tensors}, set(tensors))


def tensor_bindings(application: Application) -> list[str]:
    """The parameters that hold tensors."""
    names = parameters(application.block)
    return [name for name in names if holds_tensors(application.bindings.get(name))]


def parameters(block: ast.Block) -> list[str]:
    """The names that a block takes: a model's inputs, then the parameters."""
    inputs = [statement.name.text for statement in block.body.statements if isinstance(statement, ast.Input)]
    return [*inputs, *(param.name.text for param in block.params)]


def _block(body: Body, events: Sequence[BlockEvent]) -> ast.Block:
    blocks = [event.application.block for event in events]
    if any(block is not blocks[0] for block in blocks):
        raise Varied("the block that is used", body.moments, [block.name.text for block in blocks])
    return blocks[0]


def _takes_piped(block: ast.Block, val: Val) -> str:
    """The parameter that a piped value goes to: the first of its kind, else the first without a type."""
    for statement in block.body.statements:
        if isinstance(statement, ast.Input):
            return statement.name.text
    kind = "list" if val.many else "tensor"
    for wanted in (kind, None):
        for param in block.params:
            if (param.type.text if param.type else None) == wanted:
                return param.name.text
    raise Unsayable("a piped value that no parameter takes")


def _call(
    body: Body, events: Sequence[BlockEvent], given: Mapping[str, Val], written: Mapping[str, ast.Expr], positional: set[str]
) -> Val:
    functions = [body.program.function_of(event.application) for event in events]
    if any(function is not functions[0] for function in functions):
        raise Varied("a variant of a block", body.moments, [function.name for function in functions])
    function = functions[0]
    args: list[Code] = []
    kwargs: dict[str, Code] = {}
    for name in function.parameters:
        values = [event.application.bindings[name] for event in events]
        found = _argument(body, name, values, given, written, _omits(function, name, events))
        if found is None:
            continue
        if name in positional and not kwargs and len(args) == function.parameters.index(name):
            args.append(found)
        else:
            kwargs[function.python[name]] = found
    if function.name_parameter is not None:
        kwargs[function.name_parameter] = label_code(body, [event.application.path for event in events])
    if function.reuse_parameter is not None:
        kwargs[function.reuse_parameter] = body.reuse_name()
    found = code.call(function.name, args, kwargs)
    results = events[0].application.results
    many = len(results) != 1 or isinstance(results[0], list)
    depth = 1 + max((val.depth for val in given.values()), default=0)
    return Val(found, holds_tensors(list(results)), many, depth)


def _omits(function: Any, name: str, events: Sequence[BlockEvent]) -> bool:
    """Whether the default of a parameter is right for all these uses."""
    right = function.omitted.get(name, frozenset())
    return all(event.application in right for event in events)


def _argument(
    body: Body,
    name: str,
    values: Sequence[Any],
    given: Mapping[str, Val],
    written: Mapping[str, ast.Expr],
    omits: bool,
) -> Code | None:
    """The expression for a parameter; None where its default will do."""
    from convspec.targets.tensorflow.readable.expressions import value

    if name in given:
        return given[name].code
    if name in written:
        with body.aiming(None):
            val = value(body, written[name])
            if val.tensors:
                return (body.keep(val) if val.depth else val).code
            if _agrees(body, val.code, values):
                return val.code
    elif omits:
        return None
    literal = constant(values)
    if literal is None:
        raise Varied(f"the argument `{name}`", body.moments, [frozen(item) for item in values])
    return literal


def _agrees(body: Body, expression: Code, values: Sequence[Any]) -> bool:
    """Whether the expression is what the parameter was bound to; whole numbers may stand for a float parameter."""
    for found, wanted in zip(body.values(expression), values, strict=True):
        stands = stand_in(wanted)
        if found is UNKNOWN or stands is UNKNOWN:
            return False
        if not same(found, stands) and not (isinstance(stands, float) and found == stands):
            return False
    return True
