"""One Python function: the signature around a body, for a block or for the model itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from convspec.elaborate.module import Application
from convspec.elaborate.values import LayerValue, StageValue
from convspec.elaborate.walk import assigned_names, descendants
from convspec.syntax import ast
from convspec.targets.source import code, quote
from convspec.targets.source.code import Code
from convspec.targets.source.layout import Writer
from convspec.targets.source.statements import Line, Statement, assign, prune, write
from convspec.targets.tensorflow.file import BUILD_DOC
from convspec.targets.tensorflow.readable.body import Body
from convspec.targets.tensorflow.readable.calls import parameters
from convspec.targets.tensorflow.readable.expressions import value
from convspec.targets.tensorflow.readable.values import UNKNOWN, Moment, Unsayable, Varied, same, stand_in
from convspec.targets.tensorflow.readable.walk import walk
from convspec.targets.tensorflow.straight import dictionary, input_call, recursion_statement

if TYPE_CHECKING:
    from convspec.targets.tensorflow.readable.program import Program


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function that was written for some applications of a block."""

    name: str
    applications: tuple[Application, ...]
    parameters: tuple[str, ...]
    """The parameters of the block that the function has, in order."""
    python: Mapping[str, str]
    omitted: Mapping[str, frozenset[Application]]
    """For each parameter, the applications for which its default is right."""
    name_parameter: str | None
    """The parameter that takes the label path, if the function needs it."""
    reuse_parameter: str | None
    """The parameter that takes the layers that its applications share, if they do."""


def write_function(program: Program, applications: tuple[Application, ...], unrolled: frozenset[int]) -> Function:
    """Write a block for these applications, into the program's definitions. Varied where one text will not do."""
    block = applications[0].block
    names = program.names.inner()
    python = {name: names.of(("var", name), name) for name in parameters(block)}
    prefix = names.fresh("name")
    body = Body(program, applications, code.name(prefix), names, unrolled)
    body.reusing = program.is_shared(applications[0])
    body.meaning[prefix] = lambda moment: moment.application.path
    defaults = _defaults(body, block)
    _walk(body, block)
    if body.results:
        found = [result for _, result in body.results]
        result = found[0] if len(found) == 1 else code.sequence(found)
        body.block.append(Line(f"return {result}", result.reads, essential=True))
    late = [assign(python[name], expression) for name, expression in defaults.late.items()]
    kept, needed = prune([*late, *_reuse(body), *body.block])
    reuse = body.reuse if body.reusing and body.reuse in needed else None
    used = tuple(name for name in parameters(block) if python[name] in needed)
    takes_name = prefix in needed
    function_name = program.function_name(block)
    signature = _signature(used, python, defaults, [name for name in (prefix if takes_name else None, reuse) if name])
    writer = Writer()
    writer.open(f"def {function_name}({signature}):")
    writer.raw(quote.docstring(block.doc, writer.indent))
    write(writer, kept)
    program.definitions.append(writer.lines)
    return Function(function_name, applications, used, python, defaults.omitted, prefix if takes_name else None, reuse)


def _reuse(body: Body) -> list[Statement]:
    """The making of what shared layers are kept in, where the function is not given it."""
    if body.reuse is None or body.reusing:
        return []
    body.program.expressions.helpers.setdefault("Reuse")
    return [assign(body.reuse, Code("Reuse()"))]


def _walk(body: Body, block: ast.Block) -> None:
    body.moments = _start(body.applications)
    try:
        walk(body, block.body)
    except Varied as problem:
        problem.loops = problem.loops or tuple(frame.site for frame in body.loops if frame is not None)
        raise


def _start(applications: Sequence[Application]) -> list[Moment]:
    return [Moment(application, (), application.bindings) for application in applications]


@dataclass(frozen=True, slots=True)
class _Defaults:
    """Defaults of parameters. `plain` stand in the signature; `late` depend on other parameters, and are worked out first."""

    plain: dict[str, Code]
    late: dict[str, Code]
    omitted: dict[str, frozenset[Application]]


def _defaults(body: Body, block: ast.Block) -> _Defaults:
    found = _Defaults({}, {}, {})
    body.moments = _start(body.applications)
    for param in block.params:
        name = param.name.text
        if param.default is None or _is_stage(body.applications[0].bindings.get(name)):
            continue
        try:
            expression = value(body, param.default).code
        except Unsayable:
            continue
        right = [
            application
            for application, worth in zip(body.applications, body.values(expression), strict=True)
            if worth is not UNKNOWN and _equals(worth, application.bindings[name])
        ]
        found.omitted[name] = frozenset(right)
        if expression.reads <= body.program.constants.keys():
            found.plain[name] = expression
        else:
            python = body.local(name)
            test = code.binary("==", code.name(python), Code("None"))
            condition = Code(test.text.replace("==", "is"), code.COMPARE, test.reads)
            found.late[name] = code.conditional(condition, expression, code.name(python))
    return found


def _is_stage(bound: Any) -> bool:
    return isinstance(bound, StageValue | LayerValue)


def _equals(worth: Any, bound: Any) -> bool:
    stands = stand_in(bound)
    return same(worth, stands) or (isinstance(stands, float) and worth == stands)


def _signature(used: Sequence[str], python: Mapping[str, str], defaults: _Defaults, keywords: Sequence[str]) -> str:
    """Parameters with defaults behind those without, where the block has them so; `keywords` by keyword only."""
    parts = []
    for position, name in enumerate(used):
        later_needs = any(other not in defaults.plain and other not in defaults.late for other in used[position:])
        if later_needs and name in defaults.late:
            raise Unsayable("a default that depends on other parameters, before a parameter without one")
        if later_needs:
            defaults.omitted.pop(name, None)
            parts.append(python[name])
        elif name in defaults.late:
            parts.append(f"{python[name]}=None")
        else:
            parts.append(f"{python[name]}={defaults.plain[name]}")
    return ", ".join([*parts, *(["*", *keywords] if keywords else [])])


# ── the model ────────────────────────────────────────────────────────────────────────────────────────────────


def write_build(program: Program, root: Application, unrolled: frozenset[int]) -> list[str]:
    """The lines of `build`, whose parameters are the model's, with the values of this compilation as defaults."""
    names = program.names.inner()
    names.reserve("outputs")
    block, graph = root.block, program.network.graph
    python = {param.name.text: names.of(("var", param.name.text), param.name.text) for param in block.params}
    body = Body(program, (root,), None, names, unrolled)
    body.collects = any(isinstance(node, ast.Output) and node not in block.body.statements for node in descendants(block.body))
    ends = _inputs(body, block)
    _walk(body, block)
    outputs = dict(body.results)
    kept, needed = prune([*_reuse(body), *body.block], code.reads([*ends.values(), *outputs.values()]))
    used = [name for name in python if python[name] in needed]
    values = [f"{python[name]}={_default(root.bindings[name], python[name], program.mutable)}" for name in used]
    writer = Writer()
    writer.open(f"def build({', '.join(values)}):")
    writer.raw(quote.docstring(BUILD_DOC, writer.indent))
    deep = recursion_statement(program.network)
    if deep:
        writer.raw(quote.comment("Keras walks the graph recursively, a frame or more for every layer.", writer.indent))
        writer.statement(deep)
    if body.collects:
        writer.statement("outputs = {}")
    write(writer, kept)
    if body.collects:
        outputs = {item.name: code.index(Code("outputs"), code.value(item.name)) for item in graph.outputs}
    together = body.collects and len(outputs) > 1
    result = _ends(ends), Code("outputs") if together else _ends(outputs)
    writer.statement(f"return {code.call('keras.Model', result, {'name': code.value(graph.name)})}")
    return writer.lines


def _inputs(body: Body, block: ast.Block) -> dict[str, Code]:
    """A variable for each input; a second one for the model's sake where the body gives the name another value."""
    statements = tuple(statement for statement in block.body.statements if not isinstance(statement, ast.Input))
    assigned = set(assigned_names(ast.Body(statements, block.body.span)))
    ends: dict[str, Code] = {}
    for item in body.program.network.graph.inputs:
        name = item.value.name
        python = body.local(name)
        call = input_call(item.value)
        if name in assigned:
            own = body.names.fresh(f"{name}_input")
            body.block += [assign(own, call), assign(python, code.name(own))]
            ends[name] = code.name(own)
        else:
            body.block.append(assign(python, call))
            ends[name] = code.name(python)
    return ends


def _ends(ends: Mapping[str, Code]) -> Code:
    return next(iter(ends.values())) if len(ends) == 1 else dictionary(dict(ends))


def _default(bound: Any, python: str, mutable: bool) -> Code:
    """The value of this compilation, a list as a tuple unless it must be a list."""
    try:
        return code.value(bound if mutable else _tuples(bound))
    except TypeError:
        raise Unsayable(f"the parameter `{python}`") from None


def _tuples(bound: Any) -> Any:
    return tuple(_tuples(item) for item in bound) if isinstance(bound, list) else bound


__all__ = ["Function", "write_build", "write_function"]
