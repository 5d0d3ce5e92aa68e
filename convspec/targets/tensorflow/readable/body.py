"""The state of writing one block: its moments, names, the statements so far, and what expressions are worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from types import CodeType
from typing import TYPE_CHECKING, Any

from convspec.elaborate.module import Application, Turns
from convspec.elaborate.values import FunctionValue, LayerValue, StageValue
from convspec.elaborate.walk import assigned_names
from convspec.ir.graph import Value
from convspec.syntax import ast
from convspec.targets.source import code, quote
from convspec.targets.source.code import Code
from convspec.targets.source.statements import Block, assign
from convspec.targets.tensorflow.readable.values import (
    UNKNOWN,
    Moment,
    Stand,
    Unsayable,
    Val,
    holds_tensors,
    same,
    stand_in,
)

if TYPE_CHECKING:
    from convspec.targets.tensorflow.readable.program import Program


@dataclass(slots=True, eq=False)
class LoopFrame:
    """A loop being written. `turn` is the variable that counts its turns from 0, once somebody has asked for it."""

    site: Any
    depth: int
    turn: str | None = None


@dataclass(slots=True, eq=False)
class Body:
    """One function being written, for a group of applications of its block."""

    program: Program
    applications: tuple[Application, ...]
    prefix: Code | None
    """The parameter that holds the label path of the application; None in the model itself, whose path is empty."""
    names: quote.Names
    unrolled: frozenset[int] = frozenset()
    """ids of the loops that are written turn by turn."""
    moments: list[Moment] = field(default_factory=list)
    env: dict[str, Val] = field(default_factory=dict)
    """Names that are not plain variables: arguments of a function that is written in place, turns of an unrolled loop."""
    block: Block = field(default_factory=list)
    meaning: dict[str, Callable[[Moment], Any]] = field(default_factory=dict)
    """What a variable of the generated function is worth at a moment."""
    loops: list[LoopFrame | None] = field(default_factory=list)
    """The loops around, outermost first; None for one that is unrolled."""
    labels: list[ast.StrLit] = field(default_factory=list)
    target: str | None = None
    """The variable that steps on the way may be kept in."""
    results: list[tuple[str, Code]] = field(default_factory=list)
    """What a model gives out so far, with its name."""
    collects: bool = False
    """Whether outputs are collected in a dict, since some are given under conditions or in a loop."""
    reuse: str | None = None
    """The variable or parameter with the layers that are shared by several applications, once somebody needs it."""
    reusing: bool = False
    """Whether layers are being made that further applications share."""
    layers: dict[str, Code] = field(default_factory=dict)
    """Shared layers that have been made, by the name of their declaration."""

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────

    def local(self, name: str) -> str:
        """The Python variable for a variable of the source."""
        python = self.names.of(("var", name), name)
        if python not in self.meaning:
            self.meaning[python] = lambda moment: stand_in(moment.names.get(name, UNKNOWN))
        return python

    def name(self, name: str) -> Val | None:
        """What a name of the source is in this function, or None if the body does not bind it."""
        if name in self.env:
            return self.env[name]
        found = [moment.names[name] for moment in self.moments if name in moment.names]
        if not found:
            return None
        if isinstance(found[0], StageValue | LayerValue | FunctionValue):
            raise Unsayable(f"`{name}` as a value")
        return Val(code.name(self.local(name)), holds_tensors(found[0]), isinstance(found[0], list))

    def turn(self, loop: LoopFrame) -> Code:
        """The variable that counts a loop's turns. A loop that has none so far gets one."""
        if loop.turn is None:
            loop.turn = self.names.of(("turn", loop.depth), "ijklmn"[loop.depth % 6])
            self.meaning[loop.turn] = lambda moment, depth=loop.depth: moment.turns[depth]  # type: ignore[misc]
        return code.name(loop.turn)

    @contextmanager
    def looping(self, loop: LoopFrame | None) -> Iterator[None]:
        """Write what lies inside a loop. (When something fails, the loop stays on record, for whoever asks where.)"""
        self.loops.append(loop)
        yield
        self.loops.pop()

    # ── moments ──────────────────────────────────────────────────────────────────────────────────────────────

    def events(self, site: Any) -> list[Any]:
        """What happened at a site, for each moment."""
        return [moment.event(site) for moment in self.moments]

    def at(self, statement: ast.Statement) -> None:
        """Move on to a statement: names are bound as they were before it."""
        self.moments = [
            Moment(m.application, m.turns, self.program.history(m.application).get((statement, m.turns), m.names))
            for m in self.moments
        ]

    @contextmanager
    def only(self, moments: Sequence[Moment]) -> Iterator[None]:
        """Write something for these moments."""
        saved = self.moments
        self.moments = list(moments)
        try:
            yield
        finally:
            self.moments = saved

    # ── expressions ──────────────────────────────────────────────────────────────────────────────────────────

    def evaluate(self, expression: Code, moment: Moment) -> Any:
        """The value of an expression at a moment, or UNKNOWN."""
        names: dict[str, Any] = {"math": math, **self.program.constants}
        for read in expression.reads:
            if read in self.meaning:
                names[read] = self.meaning[read](moment)
            if names.get(read, UNKNOWN) is UNKNOWN:
                return UNKNOWN
        try:
            return eval(_compiled(expression.text), names)  # an expression of our own making
        except Exception:
            return UNKNOWN

    def values(self, expression: Code) -> list[Any]:
        """The value of an expression at every moment."""
        return [self.evaluate(expression, moment) for moment in self.moments]

    def agrees(self, expression: Code, values: Sequence[Any]) -> bool:
        """Whether an expression has these values at the moments."""
        return all(same(found, value) for found, value in zip(self.values(expression), values, strict=True))

    def seen(self, expression: Code, tensors: bool = False) -> Val:
        """An expression with what its value at the first moment says of it; `tensors`, where it has none there."""
        found = self.evaluate(expression, self.moments[0])
        if found is UNKNOWN:
            return Val(expression, tensors)
        return Val(expression, _stands(found), isinstance(found, list))

    # ── statements ───────────────────────────────────────────────────────────────────────────────────────────

    def keep(self, val: Val) -> Val:
        """Give an intermediate tensor a name, so that lines stay short."""
        if self.target is None:
            self.target = self.spare()
        self.block.append(assign(self.target, val.code))
        if self.target not in self.meaning:
            self.meaning[self.target] = lambda moment: UNKNOWN
        return val.named(code.name(self.target))

    def shared(self, made: Code) -> Code:
        """A layer that is about to be made, or the one that was made under its name before."""
        return code.call(self.reuse_name(), [made]) if self.reusing else made

    def reuse_name(self) -> Code:
        """The variable with the layers that are shared."""
        if self.reuse is None:
            self.reuse = self.names.fresh("reuse")
        return code.name(self.reuse)

    def spare(self) -> str:
        """A new variable for steps on the way, called like none of the source."""
        taken = {name for application in self.applications[:1] for name in source_names(application.block)}
        return self.names.fresh(next(name for name in ("x", "y", "z", "step") if name not in taken))

    @contextmanager
    def aiming(self, target: str | None) -> Iterator[None]:
        """Let steps on the way be kept in `target`; None: in a new variable."""
        saved = self.target
        self.target = target
        try:
            yield
        finally:
            self.target = saved

    @contextmanager
    def writing(self) -> Iterator[Block]:
        """Write into a fresh block, which is handed out."""
        saved = self.block
        self.block = []
        try:
            yield self.block
        finally:
            self.block = saved


@cache
def source_names(block: ast.Block) -> frozenset[str]:
    """Every name that a block binds: parameters, inputs, variables."""
    return frozenset((*(param.name.text for param in block.params), *assigned_names(block.body)))


def _stands(value: Any) -> bool:
    if isinstance(value, list):
        return any(_stands(item) for item in value)
    return isinstance(value, Stand | Value)


def within(turns: Turns, outer: Turns) -> bool:
    """Whether `turns` lie inside the turns `outer`."""
    return turns[: len(outer)] == outer


@cache
def _compiled(text: str) -> CodeType:
    return compile(text, "<expression>", "eval")
