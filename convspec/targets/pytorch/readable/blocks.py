"""Applying a block: an instance of its class in `__init__`, a call of it in `forward`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from convspec.elaborate.module import BlockEvent
from convspec.syntax import ast
from convspec.targets.pytorch.readable import factories
from convspec.targets.pytorch.readable.apply import Given, layer
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.expressions import value
from convspec.targets.pytorch.readable.program import ClassInfo, Parameter
from convspec.targets.pytorch.readable.sequence import add_item
from convspec.targets.pytorch.readable.values import (
    UNKNOWN,
    NotSequential,
    Unsayable,
    Val,
    Varied,
    frozen,
    holds_tensors,
    same,
    shadow,
)
from convspec.targets.source import code
from convspec.targets.source.code import Code


@dataclass(frozen=True, slots=True)
class Made:
    """An instance of a class: the expression that makes it, and its arguments by name."""

    info: ClassInfo
    code: Code
    arguments: Mapping[str, Code]


def apply_block(body: Body, events: Sequence[BlockEvent], given: Given, args: Sequence[ast.Arg]) -> Val:
    """One block at every moment."""
    infos = [body.program.class_of(event.application) for event in events]
    if len({id(info) for info in infos}) > 1:
        raise Varied("the class of a block", body.moments, [info.name for info in infos])
    info = infos[0]
    tensors = _tensor_arguments(body, events, info, given, args)
    made = Made(info, *_instance(body, events, info, given, tensors))
    labels = [event.label for event in events]
    if body.sequence is not None:
        if len(tensors) != 1 or tensors[0].fwd is not body.sequence.mark or len(events[0].application.results) != 1:
            raise NotSequential("a block that is no chain")
        if isinstance(events[0].application.results[0], list):
            raise NotSequential("a block that gives a list")
        item = add_item(body, labels, made.code)
        return Val(_out_channels(body, events, made, item, 0), body.sequence.mark)
    reached = layer(body, labels, made.code, events[0].shared)
    if any(tensor.fwd is None for tensor in tensors):
        raise Unsayable("a tensor that forward cannot say")
    if reached.fwd is None:
        raise Unsayable("a block that forward cannot reach")
    called = code.call(reached.fwd, [tensor.fwd for tensor in tensors if tensor.fwd is not None])
    return _results(body, events, made, reached.init, called, depth=max(t.depth for t in tensors) + 1)


def _tensor_arguments(
    body: Body, events: Sequence[BlockEvent], info: ClassInfo, given: Given, args: Sequence[ast.Arg]
) -> list[Val]:
    """What `forward` of the block is called with, in the order of its tensor parameters."""
    if info.is_model:
        written = {id(expr) for expr in given.attrs.values()}
        return [*given.tensors, *(value(body, arg.value) for arg in args if id(arg.value) not in written)]
    found, piped = [], list(given.tensors)
    for name in info.tensors:
        if name in given.attrs:
            found.append(value(body, given.attrs[name]))
        elif piped:
            found.append(piped.pop(0))
        else:
            raise Unsayable("a tensor argument that is not written")
    return found


def _instance(
    body: Body, events: Sequence[BlockEvent], info: ClassInfo, given: Given, tensors: list[Val]
) -> tuple[Code, dict[str, Code]]:
    """`Bottleneck(channels, 64, stride=2)`, and the arguments by name."""
    arguments: dict[str, Code] = {}
    positional: list[Code] = []
    named: dict[str, Code] = {}
    for parameter in info.parameters:
        bound = [event.application.bindings.get(parameter.source) for event in events]
        if parameter.is_channels:
            expression = _channels(body, tensors[info.tensors.index(parameter.source)], bound)
            by_position = True
        elif parameter.is_stage:
            written = given.attrs.get(parameter.source)
            if written is None and parameter.default is not None:
                continue
            applications = [event.application for event in events]
            expression, by_position = factories.argument(body, parameter.source, applications, written), False
        else:
            written = given.attrs.get(parameter.source)
            found = _argument(body, parameter, written, bound)
            if found is None:
                continue
            expression, by_position = found, written is not None and id(written) in given.positional
        arguments[parameter.python] = expression
        if by_position and not named and len(positional) == info.parameters.index(parameter) and not parameter.keyword_only:
            positional.append(expression)
        else:
            named[parameter.python] = expression
    return code.call(info.name, positional, named), arguments


def _channels(body: Body, tensor: Val, bound: list[Any]) -> Code:
    values = [shadow(item) for item in bound]
    if tensor.init is not None and body.evaluates(tensor.init, values) is not False:
        return tensor.init
    literal = body.constant(values) if all(v is not UNKNOWN for v in values) else None
    if literal is None:
        raise Varied("a number of channels", body.moments, [frozen(v) for v in values])
    return literal


def _argument(body: Body, parameter: Parameter, written: ast.Expr | None, bound: list[Any]) -> Code | None:
    """The expression for a parameter; None where its default says it."""
    if written is not None:
        try:
            found = value(body, written).init
        except Unsayable:
            found = None
        if found is not None and body.evaluates(found, bound) is not False:
            return found
    elif parameter.default is not None:
        known = parameter.default_value
        if known is UNKNOWN or all(same(item, known) for item in bound):
            return None
    literal = body.constant(bound)
    if literal is None:
        raise Varied(f"the argument `{parameter.source}`", body.moments, [frozen(item) for item in bound])
    return literal


def _results(body: Body, events: Sequence[BlockEvent], made: Made, reached: Code | None, called: Code, depth: int) -> Val:
    results = events[0].application.results
    if len(results) == 1:
        many = isinstance(results[0], list)
        return Val(_out_channels(body, events, made, reached, 0), called, many, depth=depth)
    channels = [_out_channels(body, events, made, reached, index) for index in range(len(results))]
    init = code.sequence([each for each in channels if each is not None]) if None not in channels else None
    return Val(init, called, many=True, items=tuple(Val(each, None) for each in channels), depth=depth)


def _passed_on(body: Body, made: Made, values: Sequence[Any]) -> Code | None:
    """The argument that the channels of the result are, where they are just that."""
    out = made.info.out_code
    if out is None or out.text not in made.arguments:
        return None
    found = made.arguments[out.text]
    return found if body.evaluates(found, values) is not False else None


def _out_channels(body: Body, events: Sequence[BlockEvent], made: Made, reached: Code | None, index: int) -> Code | None:
    """The channels of a result: a number where the instance is made of numbers alone, else `….out_channels`."""
    found = [event.application.results[index] for event in events]
    if not all(holds_tensors(item) for item in found):
        return None
    values = [shadow(item) for item in found]
    literal = body.constant(values) if not any(v is UNKNOWN for v in values) else None
    if not made.code.reads and literal is not None:
        return literal
    passed = _passed_on(body, made, values)
    if passed is not None or made.info.out is None or reached is None:
        return passed or literal
    made.info.out_is_read = True
    attribute = code.attribute(reached, made.info.out)
    return attribute if len(events[0].application.results) == 1 else code.index(attribute, code.value(index))
