"""Under which names `__init__` keeps its modules, and how `forward` reaches them."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from convspec.syntax import ast
from convspec.targets.pytorch.page import GETTERS, reached
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.expressions import value
from convspec.targets.pytorch.readable.values import Scope, Unsayable, Val, Varied
from convspec.targets.source import code, quote
from convspec.targets.source.code import Code
from convspec.targets.source.statements import Line, essential


def register(body: Body, labels: Sequence[str], made: Code, kept: str = "") -> Val:
    """Write the statement of `__init__` that keeps a module under its label; gives how to reach it in each method.

    `kept` is "nn.Parameter" or "nn.Buffer" for a tensor.
    """
    levels = level_codes(body, labels)
    return (None if kept else _module_list(body, labels, levels, made)) or attach(body, levels, made, kept)


def attach(body: Body, levels: Sequence[Level], made: Code, kept: str = "") -> Val:
    """Keep a module under a path of levels: as an attribute where they are plain names, else with `add_module` or `add`."""
    path, found = path_code(levels, "init"), reach(levels, kept)
    if len(levels) == 1 and isinstance(levels[0], str) and quote.is_identifier(levels[0]):
        body.attached.append(levels[0])
        body.init.append(essential(made, f"self.{levels[0]} = {made}"))
        return found
    if len(levels) == 1:
        text = f"setattr(self, {path}, {made})" if kept else f"self.add_module({path}, {made})"
        body.init.append(Line(text, path.reads | made.reads, essential=True))
    else:
        body.program.uses_add = True
        body.init.append(Line(f"add(self, {path}, {made})", path.reads | made.reads, essential=True))
    return found


def reach(levels: Sequence[Level], kept: str = "") -> Val:
    """How each method reaches the module under a path of levels."""
    fixed = [level for level in levels if isinstance(level, str)]
    if len(fixed) == len(levels):
        found = Code(reached(".".join(fixed), kept))
        return Val(found, found)
    return Val(_dynamic_reach(levels, "init", kept), _dynamic_reach(levels, "fwd", kept))


def _dynamic_reach(levels: Sequence[Level], scope: Scope, kept: str) -> Code:
    path = path_code(levels, scope)
    if len(levels) == 1:
        return Code(f"getattr(self, {path})", code.ATOM, path.reads)
    if not any(isinstance(level, str) and keyword.iskeyword(level) for level in levels):
        return Code(f"self.{GETTERS[kept]}({path})", code.ATOM, path.reads)
    found = "self"
    for level in levels:
        found = f"getattr({found}, {path_code([level], scope)})"
    return Code(found, code.ATOM, path.reads)


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A level made of text and expressions, in each method: `layer{i + 1}`."""

    init: tuple[str | Code, ...]
    fwd: tuple[str | Code, ...]


Level: TypeAlias = str | Dynamic


def path_code(levels: Sequence[Level], scope: Scope) -> Code:
    """A dotted path as a string."""
    parts: list[str | Code] = []
    for index, level in enumerate(levels):
        parts += ["."] if index else []
        if isinstance(level, Dynamic):
            parts += level.init if scope == "init" else level.fwd
        else:
            parts.append(level)
    return code.formatted(_joined(parts))


def _joined(parts: Sequence[str | Code]) -> list[str | Code]:
    found: list[str | Code] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        else:
            found.append(part)
    return found


def _module_list(body: Body, labels: Sequence[str], levels: Sequence[Level], made: Code) -> Val | None:
    """`self.conv1 = nn.ModuleList()` before the loop and `append` in it, where labels are `conv1.0`, `conv1.1` and so on."""
    if len(levels) != 2 or not body.loops:
        return None
    name, turn = levels
    if not isinstance(name, str) or not isinstance(turn, Dynamic) or not quote.is_identifier(name) or name in body.attached:
        return None
    for application in {id(moment.application): moment.application for moment in body.moments}.values():
        below = body.program.trace(application).below(name)
        mine = [label for label, moment in zip(labels, body.moments, strict=True) if moment.application is application]
        if below != [f"{name}.{index}" for index in range(len(below))] or sorted(mine) != sorted(below):
            return None
    init, fwd = (parts[0] if len(parts) == 1 else None for parts in (turn.init, turn.fwd))
    if not isinstance(init, Code) or not isinstance(fwd, Code):
        return None
    frame = body.loops[0]
    position = next(i for i, statement in enumerate(frame.parent) if statement is frame.statement)
    frame.parent.insert(position, Line(f"self.{name} = nn.ModuleList()", essential=True))
    body.attached.append(name)
    body.init.append(essential(made, f"self.{name}.append({made})"))
    kept = Code(f"self.{name}")
    return Val(code.index(kept, init), code.index(kept, fwd))


# ── labels as expressions ────────────────────────────────────────────────────────────────────────────────────


def level_codes(body: Body, labels: Sequence[str]) -> list[Level]:
    """Each level of a label: plain text where it is the same at every moment, else an expression that gives it."""
    split = [label.split(".") for label in labels]
    if len({len(levels) for levels in split}) > 1:
        raise Varied("the levels of a label", body.moments, [len(levels) for levels in split])
    return [_level(body, list(values)) for values in zip(*split, strict=True)]


def _level(body: Body, values: list[str]) -> Level:
    constant = len(set(values)) == 1
    for piece in _label_pieces(body) if body.loops or not constant else ():
        if body.evaluates(code.formatted(piece.init), values):
            return piece
    if constant:
        return values[0]
    for frame in reversed(body.loops):
        for offset in _offsets(body, frame.depth, values):
            turn = frame.turn if offset == 0 else code.binary("+", frame.turn, code.value(offset))
            if body.evaluates(code.formatted([turn]), values):
                return Dynamic((turn,), (turn,))
    raise Varied("a label", body.moments, values)


def _offsets(body: Body, depth: int, values: list[str]) -> list[int]:
    """What to add to the turn of a loop so that it gives the first level."""
    if not values[0].isdigit():
        return []
    return [int(values[0]) - body.moments[0].turns[depth]]


def _label_pieces(body: Body) -> Iterator[Dynamic]:
    """The levels with expressions of the labels that are written around the stage being walked, innermost first."""
    for label in reversed(body.labels):
        try:
            parts = [part if isinstance(part, str) else value(body, part) for part in label.parts]
        except Unsayable:
            continue
        pieces: list[list[str | Val]] = [[]]
        for part in parts:
            if isinstance(part, Val):
                pieces[-1].append(part)
                continue
            head, *rest = part.split(".")
            pieces[-1] += [head] if head else []
            pieces.extend([[text] if text else [] for text in rest])
        for piece in pieces:
            dynamic = _dynamic(piece)
            if dynamic is not None:
                yield dynamic


def _dynamic(piece: Sequence[str | Val]) -> Dynamic | None:
    """A level with expressions; None for plain text and for what cannot be said in both methods."""
    init = [part if isinstance(part, str) else part.init for part in piece]
    fwd = [part if isinstance(part, str) else part.fwd for part in piece]
    if None in init or None in fwd or all(isinstance(part, str) for part in piece):
        return None
    return Dynamic(tuple(p for p in init if p is not None), tuple(p for p in fwd if p is not None))


def label_depth(label: ast.StrLit) -> int:
    """How many levels a label has."""
    return 1 + sum(part.count(".") for part in label.parts if isinstance(part, str))
