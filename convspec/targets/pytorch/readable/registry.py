"""Under which names `__init__` keeps its modules, and how `forward` reaches them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from convspec.elaborate.module import Application
from convspec.syntax import ast
from convspec.targets.pytorch.readable.body import Body
from convspec.targets.pytorch.readable.expressions import value
from convspec.targets.pytorch.readable.values import Unsayable, Varied
from convspec.targets.source import code, quote
from convspec.targets.source.code import Code
from convspec.targets.source.statements import Line, essential


def register(body: Body, labels: Sequence[str], made: Code) -> Code:
    """Write the statement of `__init__` that keeps a module under its label; gives how to reach it in both methods."""
    levels = level_codes(body, labels)
    listed = _module_list(body, labels, levels, made)
    return listed or attach(body, levels, made)


def attach(body: Body, levels: Sequence[Code | str], made: Code) -> Code:
    """Keep a module under a path of levels: as an attribute where they are plain names, else with `add_module` or `add`."""
    if all(isinstance(level, str) and quote.is_identifier(level) for level in levels):
        reached = Code("self." + ".".join(map(str, levels)))
        if len(levels) == 1:
            body.attached.append(str(levels[0]))
            body.init.append(essential(made, f"{reached} = {made}"))
            return reached
    else:
        reached = Code(f"self.get_submodule({path_code(levels)})", code.ATOM, path_code(levels).reads)
    path = path_code(levels)
    if len(levels) == 1:
        body.init.append(Line(f"self.add_module({path}, {made})", path.reads | made.reads, essential=True))
    else:
        body.program.uses_add = True
        body.init.append(Line(f"add(self, {path}, {made})", path.reads | made.reads, essential=True))
    return reached


def path_code(levels: Sequence[Code | str]) -> Code:
    """A dotted path as a string."""
    parts: list[str | Code] = []
    for index, level in enumerate(levels):
        parts += ["."] if index else []
        parts += level.parts if isinstance(level, Formatted) else [level]
    return code.formatted(_joined(parts))


def _joined(parts: Sequence[str | Code]) -> list[str | Code]:
    found: list[str | Code] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        else:
            found.append(part)
    return found


@dataclass(frozen=True, slots=True)
class Formatted(Code):
    """A level made of text and expressions: `layer{i + 1}`."""

    parts: tuple[str | Code, ...] = ()


def formatted(parts: Sequence[str | Code]) -> Formatted:
    """A string expression that remembers its parts."""
    whole = code.formatted(parts)
    return Formatted(whole.text, whole.level, whole.reads, tuple(parts))


def _module_list(body: Body, labels: Sequence[str], levels: Sequence[Code | str], made: Code) -> Code | None:
    """`self.conv1 = nn.ModuleList()` before the loop and `append` in it, where labels are `conv1.0`, `conv1.1` and so on."""
    if len(levels) != 2 or not body.loops or not isinstance(levels[0], str) or not isinstance(levels[1], Code):
        return None
    name, turn = levels
    if not isinstance(name, str) or not isinstance(turn, Code) or not quote.is_identifier(name) or name in body.attached:
        return None
    for application in {id(moment.application): moment.application for moment in body.moments}.values():
        below = [label for label in labels_below(application, name)]
        mine = [label for label, moment in zip(labels, body.moments, strict=True) if moment.application is application]
        if below != [f"{name}.{index}" for index in range(len(below))] or sorted(mine) != sorted(below):
            return None
    frame = body.loops[0]
    number = turn.parts[0] if isinstance(turn, Formatted) and len(turn.parts) == 1 else None
    if not isinstance(number, Code):
        return None
    position = next(i for i, statement in enumerate(frame.parent) if statement is frame.statement)
    frame.parent.insert(position, Line(f"self.{name} = nn.ModuleList()", essential=True))
    body.attached.append(name)
    body.init.append(essential(made, f"self.{name}.append({made})"))
    return code.index(Code(f"self.{name}"), number)


def labels_below(application: Application, prefix: str) -> Iterator[str]:
    """The labels `prefix.…` of a block, in the order in which its stages ran, each once."""
    seen = set()
    for event in application.events.values():
        label = getattr(event, "label", None)
        if isinstance(label, str) and label.startswith(prefix + ".") and label not in seen:
            seen.add(label)
            yield label


# ── labels as expressions ────────────────────────────────────────────────────────────────────────────────────


def level_codes(body: Body, labels: Sequence[str]) -> list[Code | str]:
    """Each level of a label: plain text where it is the same at every moment, else an expression that gives it."""
    split = [label.split(".") for label in labels]
    if len({len(levels) for levels in split}) > 1:
        raise Varied("the levels of a label", body.moments, [len(levels) for levels in split])
    found: list[Code | str] = []
    for values in zip(*split, strict=True):
        found.append(values[0] if len(set(values)) == 1 else _dynamic(body, list(values)))
    return found


def _dynamic(body: Body, values: list[str]) -> Code:
    for parts in _label_pieces(body):
        candidate = formatted(parts)
        if body.evaluates(candidate, values):
            return candidate
    for frame in reversed(body.loops):
        for offset in _offsets(body, frame.depth, values):
            turn = frame.turn if offset == 0 else code.binary("+", frame.turn, code.value(offset))
            candidate = formatted([turn])
            if body.evaluates(candidate, values):
                return candidate
    raise Varied("a label", body.moments, values)


def _offsets(body: Body, depth: int, values: list[str]) -> list[int]:
    """What to add to the turn of a loop so that it gives the first level."""
    if not values[0].isdigit():
        return []
    return [int(values[0]) - body.moments[0].turns[depth]]


def _label_pieces(body: Body) -> Iterator[list[str | Code]]:
    """The levels of the labels that are written around the stage being walked, innermost first."""
    for label in reversed(body.labels):
        pieces: list[list[str | Code]] = [[]]
        try:
            for part in label.parts:
                if isinstance(part, str):
                    head, *rest = part.split(".")
                    pieces[-1] += [head] if head else []
                    pieces.extend([[text] if text else [] for text in rest])
                else:
                    expression = value(body, part).init
                    if expression is None:
                        raise Unsayable("a label")
                    pieces[-1].append(expression)
        except Unsayable:
            continue
        yield from (piece for piece in pieces if any(isinstance(part, Code) for part in piece))


def label_depth(label: ast.StrLit) -> int:
    """How many levels a label has."""
    return 1 + sum(part.count(".") for part in label.parts if isinstance(part, str))
