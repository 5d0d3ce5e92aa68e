"""`return` and `output`: what `forward` gives back, and the channels that the class tells its users."""

from __future__ import annotations

from convspec.elaborate.walk import descendants
from convspec.syntax import ast
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.expressions import value
from convspec.targets.pytorch.readable.values import NotSequential, Unsayable, Val
from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.source.statements import Line, assign, essential

OUT = "<out>"
"""Marks the line of `__init__` that is printed only where somebody reads it."""


def walk_return(body: Body, statement: ast.Return) -> None:
    """`return a, b`: the last statement of a block."""
    vals = [_returned(body, expr, list(statement.values)) for expr in statement.values]
    _give(body, [val for val in vals])
    if all(val.init is not None for val in vals):
        _tell(body, [val.init for val in vals if val.init is not None])


def _returned(body: Body, expr: ast.Expr, together: list[ast.Expr]) -> Val:
    """A returned value; steps on the way may reuse the name of the tensor that goes in, since nothing comes after."""
    with body.aiming(_reusable(body, expr, together)):
        return value(body, expr)


def _reusable(body: Body, expr: ast.Expr, together: list[ast.Expr]) -> str | None:
    if not isinstance(expr, ast.Pipeline) or not isinstance(expr.source, ast.NameRef) or body.loops:
        return None
    name = expr.source.text
    count = sum(isinstance(n, ast.NameRef) and n.text == name for e in together for n in descendants(e))
    val = body.env.get(name)
    if body.applications[0].block.kind == "model" and count == 1 and val is not None and name != "x":
        inputs = [s.name.text for s in body.applications[0].block.body.statements if isinstance(s, ast.Input)]
        return body.temporary() if name in inputs else body.local(name)
    return body.local(name) if count == 1 and val is not None and val.fwd == code.name(body.local(name)) else None


def _give(body: Body, vals: list[Val]) -> None:
    codes = [val.fwd for val in vals if val.fwd is not None]
    if len(codes) != len(vals):
        raise Unsayable("a tensor that forward cannot say")
    given = codes[0] if len(codes) == 1 else code.sequence(codes, "()")
    text = given.text if len(codes) == 1 else ", ".join(each.at(code.TERNARY) for each in codes)
    body.fwd.append(essential(given, f"return {text}"))


def _tell(body: Body, channels: list[Code]) -> None:
    name = body.attribute("out_channels", "out_channels")
    told = channels[0] if len(channels) == 1 else code.sequence(channels, "()")
    body.told = channels[0] if len(channels) == 1 else None
    body.init.append(Line(f"self.{name} = {told}", told.reads, frozenset((OUT,))))


# ── models ───────────────────────────────────────────────────────────────────────────────────────────────────


def walk_output(body: Body, statement: ast.Output) -> None:
    """`output`: given back at once where it is the model's only and last statement of its kind, else collected."""
    if body.sequence is not None:
        raise NotSequential("an output")
    exprs = [item.value for item in statement.items]
    last = _is_last(body, statement)
    vals = [_returned(body, expr, exprs) if last and not _assigned(body) else value(body, expr) for expr in exprs]
    single = body.program.is_single_output(body)
    if single and last:
        _give(body, vals)
        _tell_all(body, vals)
        return
    if single or not body.is_root:
        raise Unsayable("outputs of a model used as a block, or one that is not the last statement")
    pairs = [(_name(body, statement, index), val) for index, val in enumerate(vals)]
    if last and not _assigned(body):
        items = ", ".join(f"{name}: {val.fwd}" for name, val in pairs)
        used = code.reads([part for name, val in pairs for part in (name, val.fwd) if part is not None])
        body.fwd.append(Line(f"return {{{items}}}", used, essential=True))
        return
    _collect(body, pairs)


def _tell_all(body: Body, vals: list[Val]) -> None:
    if all(val.init is not None for val in vals):
        _tell(body, [val.init for val in vals if val.init is not None])


def _assigned(body: Body) -> bool:
    """Whether outputs are collected in a dictionary already."""
    return "<outputs>" in body.env


def _is_last(body: Body, statement: ast.Output) -> bool:
    """Whether it is the only `output` of the model, at the top, with nothing but assertions after it."""
    statements = body.applications[0].block.body.statements
    all_outputs = [n for s in statements for n in descendants(s) if isinstance(n, ast.Output)]
    if len(all_outputs) != 1 or statement not in statements:
        return False
    return all(isinstance(s, ast.Assert) for s in statements[statements.index(statement) + 1 :])


def _collect(body: Body, pairs: list[tuple[Code, Val]]) -> None:
    """`outputs[name] = x`; the dictionary is made at the top of `forward` and given back at its end."""
    outputs = body.names.of("outputs", "outputs")
    body.env.setdefault("<outputs>", Val(None, code.name(outputs)))
    for name, val in pairs:
        if val.fwd is None:
            raise Unsayable("a tensor that forward cannot say")
        body.fwd.append(Line(f"{outputs}[{name}] = {val.fwd}", val.fwd.reads | name.reads | {outputs}, essential=True))


def finish_outputs(body: Body) -> None:
    """Open and close the dictionary of outputs, if there is one."""
    outputs = body.names.of("outputs", "outputs")
    if any(outputs in line.reads and line.text.startswith(f"{outputs}[") for line in body.fwd_lines()):
        body.fwd.insert(0, assign(outputs, Code("{}")))
        body.fwd.append(essential(code.name(outputs), f"return {outputs}"))


def _name(body: Body, statement: ast.Output, index: int) -> Code:
    """The name of an output as a string expression."""
    item = statement.items[index]
    if item.name is not None:
        parts: list[str | Code] = []
        for part in item.name.parts:
            said = part if isinstance(part, str) else value(body, part).fwd
            if said is None:
                raise Unsayable("the name of an output")
            parts.append(said)
        return code.formatted(parts)
    match item.value:
        case ast.NameRef(text=text):
            return code.value(text)
        case ast.Pipeline(stages=stages):
            labels = [stage.label for stage in stages if stage.label is not None]
            if labels:
                return code.formatted(_parts(body, labels[-1]))
    return code.value("output")


def _parts(body: Body, label: ast.StrLit) -> list[str | Code]:
    said = [part if isinstance(part, str) else value(body, part).fwd for part in label.parts]
    if None in said:
        raise Unsayable("the name of an output")
    return [part for part in said if part is not None]
