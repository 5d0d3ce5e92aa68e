"""Applying a block or a model: a frame of its own, its parameters bound, its body run, its results handed back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from convspec.elaborate.defaults import defaults_at
from convspec.elaborate.evaluation import evaluate, wanted_by
from convspec.elaborate.frame import Context, Frame
from convspec.elaborate.inputs import match_input
from convspec.elaborate.labels import Registry
from convspec.elaborate.lookup import find_in_file
from convspec.elaborate.module import Application, BlockEvent
from convspec.elaborate.nearest import did_you_mean
from convspec.elaborate.parameters import bind_parameters, convert, signature
from convspec.elaborate.place import Spot
from convspec.elaborate.statements import run_body
from convspec.elaborate.use import Use
from convspec.elaborate.values import BlockValue, holds_tensors
from convspec.ir.graph import Value
from convspec.syntax import ast


def apply_block(use: Use, value: BlockValue, spot: Spot) -> Any:
    """Apply a block, a model or a configuration at a spot. One result is itself, several are a list."""
    meter = use.env.context.meter
    meter.enter(f"`{value.name}`", use.span, steps=10)
    try:
        block, preset = resolve(value)
        frame = new_frame(use.env.context, block, spot.path)
        frame.chain = (*use.place.frame.chain, use.place.frame.call_description(block.item.name.text, use.span))
        frame.shared = use.place.frame.shared or spot.shared
        return _run(use, block, preset, frame, spot)
    finally:
        meter.leave()


def _run(use: Use, value: BlockValue, preset: Mapping[str, Any], frame: Frame, spot: Spot) -> Any:
    block = value.item
    assert isinstance(block, ast.Block)
    if block.kind == "model":
        use = _feed_inputs(use, block, frame)
    written = bind_parameters(use, frame, block.name.text, block.params, preset, use.piped)
    frame.application.bindings = dict(frame.names)
    use.place.record(use.site, BlockEvent(frame.application, spot.label, written, spot.shared))

    def body() -> Any:
        results = run_body(frame, block)
        frame.application.results = tuple(results)
        return results[0] if len(results) == 1 else list(results)

    counting = use.env.context.counting
    if counting is None:
        return body()
    return counting.run(use.env.context.meter, block, frame.names.values(), use.span, body)


def new_frame(context: Context, value: BlockValue, path: str) -> Frame:
    """A frame for one run of a block's body."""
    block = value.item
    assert isinstance(block, ast.Block)
    return Frame(
        context=context,
        scope=value.scope,
        application=Application(block, path, value.scope, {}),
        names={},
        defaults=defaults_at(value.scope, block),
        stage_names=context.stage_names(block.body),
        registry=Registry(),
    )


def resolve(value: BlockValue) -> tuple[BlockValue, dict[str, Any]]:
    """The block behind a configuration, and the parameters that configurations on the way fixed, nearer ones first."""
    chain: list[tuple[Frame, ast.Configuration]] = []
    while isinstance(value.item, ast.Configuration):
        frame, configuration = value.scope.frame, value.item
        assert frame is not None
        base = find_in_file(value.scope, configuration.base.text)
        if not isinstance(base, BlockValue):
            known = [name for name in value.scope.names() if name != configuration.name.text]
            message = f"there is no model called `{configuration.base.text}`"
            raise frame.fail("CNN021", message, configuration.base.span, hint=did_you_mean(configuration.base.text, known))
        chain.append((frame, configuration))
        value = base
    assert isinstance(value.item, ast.Block)
    if chain and value.item.kind == "block":
        frame, configuration = chain[-1]
        message = f"`{value.name}` is a block, and a configuration is one of a model"
        raise frame.fail("CNN021", message, configuration.base.span)
    preset: dict[str, Any] = {}
    for frame, configuration in reversed(chain):
        preset |= fixed_parameters(frame, configuration, value.item)
    return value, preset


def fixed_parameters(frame: Frame, configuration: ast.Configuration, block: ast.Block) -> dict[str, Any]:
    """What `model A = B(args)` says, by parameter."""
    fixed: dict[str, Any] = {}
    names = [param.name.text for param in block.params]
    position = 0
    for arg in configuration.args:
        if arg.name is None:
            if position >= len(names):
                raise frame.fail(
                    "CNN042", f"`{block.name.text}` has {len(names)} parameters", arg.span, hint=signature_of(block)
                )
            name, position = names[position], position + 1
        else:
            name = arg.name.text
        if name not in names:
            assert arg.name is not None
            message = f"`{block.name.text}` has no parameter `{name}`"
            raise frame.fail("CNN022", message, arg.name.span, hint=did_you_mean(name, names, signature_of(block)))
        if name in fixed:
            raise frame.fail("CNN042", f"`{name}` is given twice", arg.span)
        param = block.params[names.index(name)]
        fixed[name] = convert(frame, param, evaluate(frame, arg.value, wanted_by(param)), arg.value.span)
    return fixed


def signature_of(block: ast.Block) -> str:
    """The block's parameters as written, for hints."""
    return signature(block.name.text, block.params)


def _feed_inputs(use: Use, block: ast.Block, frame: Frame) -> Use:
    """Bind a model's inputs to the tensors it is applied to: piped first, then positional, then by name."""
    inputs = [statement for statement in block.body.statements if isinstance(statement, ast.Input)]
    given = [(value, use.span) for value in use.piped]
    rest: list[ast.Arg] = []
    for arg in use.args:
        if arg.name is None and len(given) < len(inputs) and holds_tensors(value := evaluate(use.env, arg.value)):
            given.append((value, arg.span))
        else:
            rest.append(arg)
    if len(given) != len(inputs) or not all(isinstance(value, Value) for value, _ in given):
        wanted = ", ".join(statement.name.text for statement in inputs)
        message = f"the model `{block.name.text}` takes {len(inputs)} input tensors ({wanted}), and {len(given)} are given"
        raise use.env.fail("CNN041", message, use.span)
    for statement, (value, span) in zip(inputs, given, strict=True):
        match_input(use.env, frame, statement, value, span)
    return replace(use, piped=(), args=tuple(rest))
