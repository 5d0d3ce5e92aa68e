"""Applying an op: arguments to attributes, shapes checked, parameters made, one node added to the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, field
from typing import Any

from convspec.diagnostics import Failure, Label
from convspec.elaborate.arithmetic import LARGEST
from convspec.elaborate.evaluation import evaluate
from convspec.elaborate.foreign import hint_for_parameter
from convspec.elaborate.frame import Frame
from convspec.elaborate.hints import declare_hint
from convspec.elaborate.history import size_notes
from convspec.elaborate.module import OpEvent
from convspec.elaborate.place import Spot
from convspec.elaborate.use import Use
from convspec.elaborate.values import BlockValue, FunctionValue, LayerValue, StageValue, describe, holds_tensors
from convspec.ir import attrs as kinds
from convspec.ir.dims import DimError
from convspec.ir.graph import Node, Parameter, Value
from convspec.ir.opdef import ITSELF, AttrError, OpDef, ParamSpec, ShapeError
from convspec.ir.types import FLOATS, LARGEST_FLOAT, TensorType
from convspec.records import dataclass
from convspec.source import Span
from convspec.syntax import ast


def apply_op(use: Use, op: OpDef, spot: Spot) -> Any:
    """Apply an op as the author wrote it; the value is its output tensor, or a list of them."""
    call = _sort_arguments(use, op)
    attributes = _attributes(use, op, call)
    if call.given:
        attributes["given"] = call.given
    tensors = [_anchor(use, op)] if op.anchored else call.tensors
    site = Site(use.env, use.place.frame, use.span, call.expressions, call.tensor_spans)
    node = add_node(site, op, op.attrs(**attributes), tensors, spot)
    use.place.record(use.site, OpEvent((node,), spot.label, call.expressions, spot.shared))
    return node.outputs[0] if op.is_single(node.attrs) else list(node.outputs)


@dataclass(frozen=True, slots=True)
class Site:
    """What messages about a node point at."""

    env: Frame
    frame: Frame
    span: Span
    expressions: Mapping[str, ast.Expr]
    tensor_spans: Sequence[Span | None]


@dataclass(slots=True)
class _Arguments:
    tensors: list[Value]
    tensor_spans: list[Span | None]
    positional: list[tuple[ast.Expr, Any]]
    expressions: dict[str, ast.Expr]
    by_name: dict[str, ast.Arg] = field(default_factory=dict)
    """Tensors given by the name of an input."""
    given: tuple[str, ...] = ()
    """Where an op has optional inputs: the names of those that are there."""


def _sort_arguments(use: Use, op: OpDef) -> _Arguments:
    """Tensors to the op's inputs, everything else to its attributes."""
    found = _Arguments([], [], [], {})
    for value in use.piped:
        _add_tensors(use, op, found, value, use.span, None)
    known = {attribute.name for attribute in op.attributes}
    inputs = () if op.variadic else input_names(op)
    for arg in use.args:
        if arg.name is None:
            _positional(use, op, found, arg)
        elif arg.name.text not in known and arg.name.text not in inputs:
            raise unknown_attribute(use.env, op, arg.name)
        elif arg.name.text in found.expressions or arg.name.text in found.by_name:
            raise use.env.fail("CNN042", f"`{arg.name.text}` is given twice", arg.name.span)
        elif arg.name.text in inputs:
            found.by_name[arg.name.text] = arg
        else:
            found.expressions[arg.name.text] = arg.value
    _check_arity(use, op, found)
    return found


def input_names(op: OpDef) -> tuple[str, ...]:
    """The names of an op's tensor inputs, as the author may write them."""
    return tuple(name.removeprefix("*").removesuffix("?") for name in op.inputs)


def _add_named(use: Use, op: OpDef, found: _Arguments) -> None:
    """The tensors given by name, behind those given by position, in the order of the op's inputs."""
    names = input_names(op)
    present = list(names[: len(found.tensors)])
    for index, name in enumerate(names):
        arg = found.by_name.get(name)
        if arg is None:
            continue
        if index < len(present) and name in present:
            raise use.env.fail("CNN042", f"`{name}` is given twice", arg.span)
        _add_tensors(use, op, found, evaluate(use.env, arg.value), arg.value.span, arg.value.span)
        present.append(name)
    missing = [name for name in names[: op.required] if name not in present]
    if missing and found.tensors:
        message = f"`{op.name}` needs its tensor `{missing[0]}`"
        raise use.env.fail("CNN042", message, use.span, hint=signature(op))
    if op.required < len(op.inputs):
        found.given = tuple(present)


def _anchor(use: Use, op: OpDef) -> Value:
    """A tensor of the surroundings, for an op that takes none of the author's."""
    frame, context = use.place.frame, use.env.context
    for values in (frame.names, frame.application.bindings):
        bound = next((found for value in values.values() for found in _tensors_in(value)), None)
        if bound is not None:
            return bound
    if not context.graph.inputs:
        raise use.env.fail("CNN048", f"`{op.name}` stands before the first `input`", use.span, hint="declare an input above it")
    return context.graph.inputs[0].value


def _tensors_in(value: Any) -> Iterator[Value]:
    if isinstance(value, Value):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _tensors_in(item)


def _positional(use: Use, op: OpDef, found: _Arguments, arg: ast.Arg) -> None:
    full = len(found.positional) == len(op.positional)
    # One too many, as in `x -> softmax(height)`, is told as that, whatever its name would be.
    surplus = full and not op.variadic and len(found.tensors) == len(op.inputs)
    word = surplus or takes_word(op, len(found.positional))
    value = evaluate(use.env, arg.value, "word" if word else "value")
    if op.variadic and value == []:
        raise use.env.fail("CNN041", f"`{op.name}` needs at least one tensor, and this list is empty", arg.span)
    if holds_tensors(value):
        _add_tensors(use, op, found, value, arg.span, arg.span)
        return
    if full:
        raise _too_many(use, op, arg)
    name = op.positional[len(found.positional)]
    found.positional.append((arg.value, value))
    if name in found.expressions:
        raise use.env.fail("CNN042", f"`{name}` is given twice", arg.span)
    found.expressions[name] = arg.value


def _too_many(use: Use, op: OpDef, arg: ast.Arg) -> Failure:
    names = " and ".join(f"`{name}`" for name in op.positional)
    limit = f"only {names} may be given by position" if names else "it takes no positional arguments"
    if op.attributes and not names:
        limit += ", and what it has is given by name"
    return use.env.fail("CNN042", f"`{op.name}` has too many positional arguments", arg.span, hint=f"{limit}: {signature(op)}")


def takes_word(op: OpDef, place: int) -> bool:
    """Whether the attribute that stands at `place` among the positional ones takes words, such as a dtype or an axis."""
    name = next(iter(op.positional[place:]), None)
    return any(field.metadata["kind"].bare_words for field in op.attributes if field.name == name)


def _add_tensors(use: Use, op: OpDef, found: _Arguments, value: Any, span: Span, shown: Span | None) -> None:
    if isinstance(value, Value):
        found.tensors.append(value)
        found.tensor_spans.append(shown)
    elif op.variadic and isinstance(value, list) and value and all(isinstance(item, Value) for item in value):
        use.env.context.meter.add_length(len(value), span)
        found.tensors.extend(value)
        found.tensor_spans.extend([shown] * len(value))
    else:
        raise use.env.fail("CNN048", f"`{op.name}` takes a tensor, not {describe(value)}", span)


def _check_arity(use: Use, op: OpDef, found: _Arguments) -> None:
    if op.anchored:
        if found.tensors:
            hint = f"write {op.name}(…), without `->`"
            raise use.env.fail("CNN042", f"`{op.name}` takes no tensor: it is one", use.span, hint=hint)
        return
    if not op.variadic:
        _add_named(use, op, found)
    count = len(found.tensors)
    if not count:
        hint = f"write x -> {op.name}(…)"
        raise use.env.fail("CNN048", f"`{op.name}` needs a tensor to work on", use.span, hint=hint)
    if not op.variadic and not op.required <= count <= len(op.inputs):
        least, most = op.required, len(op.inputs)
        wanted = "one tensor" if most == 1 else f"{most} tensors" if least == most else f"{least} to {most} tensors"
        raise use.env.fail("CNN042", f"`{op.name}` takes {wanted}, and {count} are given", use.span)


def unknown_attribute(env: Frame, op: OpDef, name: ast.Name) -> Failure:
    """The error for a parameter that the op does not have."""
    hint = hint_for_parameter(name.text, attribute_names(op), op.name, signature(op))
    return env.fail("CNN022", f"`{op.name}` has no parameter `{name.text}`", name.span, hint=hint)


def attribute_names(op: OpDef) -> list[str]:
    """All that may be given by name: attributes, and tensors beyond the first."""
    return [*(attribute.name for attribute in op.attributes), *(() if op.variadic else input_names(op)[1:])]


def signature(op: OpDef) -> str:
    """`it takes conv(filters, kernel, stride = 1, …)`, for hints; tensors beyond the first stand in front: `[mask]`."""
    names = op.inputs[1:] if not op.variadic else ()
    shown = [f"[{name.removesuffix('?')}]" if name.endswith("?") else name for name in names]
    shown += [f.name if f.default is MISSING else f"{f.name} = {_shown_default(f.default)}" for f in op.attributes]
    return f"it takes {op.name}({', '.join(shown)})"


def _shown_default(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "…" if value is None else str(value)


def _attributes(use: Use, op: OpDef, call: _Arguments) -> dict[str, Any]:
    """Every attribute that is given here or by a `default`, converted; the others keep the op's own default."""
    evaluated = {name: value for name, (_, value) in zip(op.positional, call.positional, strict=False)}
    defaults = use.env.defaults.get(op.name, {})
    result = {}
    for attribute in op.attributes:
        name = attribute.name
        if name in evaluated:
            value = evaluated[name]
        elif name in call.expressions:
            value = evaluate_attribute(use.env, attribute.metadata["kind"], name, call.expressions[name])
        elif name in defaults:
            call.expressions[name], value = defaults[name]
        elif attribute.default is MISSING:
            message = f"`{op.name}` needs its parameter `{name}`"
            raise use.env.fail("CNN041", message, use.span, hint=signature(op))
        else:
            continue
        result[name] = convert_attribute(use.env, attribute.metadata["kind"], name, value, call.expressions[name].span)
    return result


def evaluate_attribute(env: Frame, kind: kinds.Kind, name: str, expr: ast.Expr) -> Any:
    """The value of an attribute's expression, where a bare word may stand for itself."""
    if isinstance(kind, kinds.Initialiser) and isinstance(expr, ast.Call) and expr.function.text in kinds.INIT_NAMES:
        arguments = [evaluate(env, arg.value) for arg in expr.args]
        if len(arguments) != 1 or isinstance(arguments[0], bool) or not isinstance(arguments[0], int | float):
            raise env.fail("CNN202", f"`{expr.function.text}` takes one number", expr.span)
        try:
            return kinds.initialiser(name, expr.function.text, float(arguments[0]))
        except AttrError as problem:
            raise env.fail(problem.code, problem.message, expr.span, hint=problem.hint) from None
    return evaluate(env, expr, "word")


def convert_attribute(env: Frame, kind: kinds.Kind, name: str, value: Any, span: Span) -> Any:
    """The value in the op's form, or the kind's error at the argument."""
    if isinstance(value, Value | StageValue | LayerValue | BlockValue | FunctionValue):
        raise env.fail("CNN040", f"`{name}` takes {kind.name}, not {describe(value)}", span)
    try:
        return kind.convert(name, value)
    except AttrError as problem:
        raise env.fail(problem.code, problem.message, span, hint=problem.hint) from None


def add_node(site: Site, op: OpDef, attributes: Any, tensors: Sequence[Value], spot: Spot) -> Node:
    """Check shapes, make parameters and add the node. `attributes` is an instance of the op's attribute class."""
    context = site.frame.context
    context.meter.add_nodes(1, site.span)
    types = tuple(tensor.type for tensor in tensors)
    try:
        _check_dtypes(op, types)
        if op.resolve is not None:
            attributes = op.resolve(attributes, *types)
        inferred = op.infer(attributes, *types)
        specs = op.params(attributes, *types) if op.params is not None else {}
        _check_numbers(op, attributes, types[0])
        if op.makers is not None:
            op.makers(attributes, types, [_maker(context.graph.nodes, tensor) for tensor in tensors])
    except AttrError as problem:
        expr = site.expressions.get(problem.attribute or "")
        span = expr.span if expr is not None else site.span
        raise site.env.fail(problem.code, problem.message, span, hint=problem.hint) from None
    except DimError as problem:
        raise site.env.fail("CNN033", problem.message, site.span, hint=problem.hint) from None
    except ShapeError as problem:
        raise _shape_failure(site, problem, tensors) from None
    outputs = (inferred,) if isinstance(inferred, TensorType) else tuple(inferred)
    _check_sizes(site, op, outputs)
    building = context.counting is None
    node = Node(
        op=op,
        attrs=attributes,
        inputs=tuple(tensors),
        outputs=_values(site.frame, spot, outputs),
        params={role: _parameter(site, spot, role, spec, types[0]) for role, spec in specs.items()} if building else {},
        path=spot.path,
        frames=site.frame.frames(),
        span=site.span,
    )
    if building:
        context.graph.nodes.append(node)
    return node


def _maker(nodes: Sequence[Node], tensor: Value) -> Node | None:
    """The layer that a tensor comes from; None for an input, and while layers are only counted."""
    return next((node for node in reversed(nodes) if tensor in node.outputs), None)


def _check_numbers(op: OpDef, attributes: Any, first: TensorType) -> None:
    """Frameworks refuse, cut off or turn into infinity a number that the element type cannot hold."""
    largest = LARGEST_FLOAT.get(first.dtype)
    for attribute in op.attributes:
        value = getattr(attributes, attribute.name)
        if largest is not None and isinstance(attribute.metadata["kind"], kinds.Real) and value and abs(value) > largest:
            message = f"{value:g} is no {first.dtype}, whose numbers end at {largest:.5g}"
            raise AttrError(message, attribute.name, "CNN045")


def _check_sizes(site: Site, op: OpDef, types: Sequence[TensorType]) -> None:
    """Sizes have 64 bits in every file and framework."""
    for tensor_type in types:
        if any(isinstance(size, int) and size > LARGEST for size in tensor_type.shape):
            raise site.env.fail("CNN064", f"`{op.name}` makes a size that is larger than 64 bits hold", site.span)


def _check_dtypes(op: OpDef, types: Sequence[TensorType]) -> None:
    for index, tensor_type in enumerate(types):
        if op.dtypes and tensor_type.dtype not in op.dtypes:
            message = f"`{op.name}` works on {', '.join(op.dtypes)}, not on {tensor_type.dtype}"
            raise ShapeError(message, "CNN037", inputs={index: str(tensor_type)})


def _values(frame: Frame, spot: Spot, types: Sequence[TensorType]) -> tuple[Value, ...]:
    if frame.context.counting is not None:
        return tuple(Value("", tensor_type) for tensor_type in types)
    names = [spot.path] if len(types) == 1 else [f"{spot.path}.{index}" for index in range(len(types))]
    unique = frame.context.unique_value_name
    return tuple(Value(unique(name), tensor_type) for name, tensor_type in zip(names, types, strict=True))


def _parameter(site: Site, spot: Spot, role: str, spec: ParamSpec, first: TensorType) -> Parameter:
    """The stored tensor of a role: a new one, or the one that a shared layer made before."""
    context, name = site.frame.context, spot.path if role == ITSELF else f"{spot.path}.{role}"
    dtype = first.dtype if first.dtype in FLOATS and spec.dtype == "float32" else spec.dtype
    existing = context.parameters.get(name)
    if existing is None:
        parameter = Parameter(name, role, spec.shape, dtype, spec.init, spec.trainable, site.span)
        context.parameters[name] = parameter
        return parameter
    if existing.shape != spec.shape or existing.dtype != dtype:
        message = f"the shared weight `{name}` has the shape {_shape(existing.shape)}, and this use needs {_shape(spec.shape)}"
        related = [Label(existing.span, "its first use")] if existing.span != site.span else []
        raise site.env.fail(
            "CNN053", message, site.span, related=related, hint="a layer is applied to inputs that agree in channels"
        )
    return existing


def _shape(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"


def _shape_failure(site: Site, problem: ShapeError, tensors: Sequence[Value]) -> Failure:
    """The op's complaint, with what it says of single tensors under the expressions they came from."""
    placed = [(site.tensor_spans[index], text) for index, text in problem.inputs.items() if index < len(site.tensor_spans)]
    labels = [Label(span, text) for span, text in placed if span is not None]
    loose = tuple(text for span, text in placed if span is None)
    hint = problem.hint
    notes = (*problem.notes, *size_notes(problem.code, site.frame.context.graph, tensors))
    if problem.equality is not None and problem.equality.verdict == "sometimes":
        hint = declare_hint(site.frame.context, problem.equality) or hint
    if labels and len(labels) == len(placed) and len(labels) > 1:
        *others, last = labels
        return site.env.fail(problem.code, problem.message, last.span, last.text, related=others, notes=notes, hint=hint)
    return site.env.fail(problem.code, problem.message, site.span, "; ".join(loose), related=labels, notes=notes, hint=hint)
