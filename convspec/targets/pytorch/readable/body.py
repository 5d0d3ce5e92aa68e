"""The state of walking one block: its moments, names, the statements written so far, and questions about expressions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from types import CodeType
from typing import TYPE_CHECKING, Any

from convspec.elaborate.module import Application, BindEvent, Event, LoopEvent, Site
from convspec.elaborate.walk import assigned_names
from convspec.ir.dims import Dim
from convspec.syntax import ast
from convspec.targets.pytorch.readable.values import UNKNOWN, Moment, NotSequential, Unsayable, Val, holds_tensors, same, shadow
from convspec.targets.pytorch.reserved import RESERVED
from convspec.targets.source import code, quote
from convspec.targets.source.code import Code
from convspec.targets.source.replay import bind
from convspec.targets.source.statements import Block, Line, Loop, assign, lines

if TYPE_CHECKING:
    from convspec.targets.pytorch.readable.program import Program
    from convspec.targets.pytorch.readable.sequence import Sequence as Sequential

_MATH = {"math": math}


@dataclass(slots=True, eq=False)
class LoopFrame:
    """A loop being walked. `turn` is the expression that counts its turns from 0; `parent` the block in which it stands."""

    depth: int
    turn: Code
    parent: Block
    statement: Loop
    site: object


@dataclass(slots=True, eq=False)
class Body:
    """The walk over one block for a group of its applications."""

    program: Program
    applications: tuple[Application, ...]
    unrolled: frozenset[int] = frozenset()
    """ids of the loops that are written turn by turn."""
    fixed: frozenset[str] = frozenset()
    """Parameters that are written as their values, since a branch was dropped that depends on them."""
    invariant: frozenset[str] = frozenset()
    """Generated names of channel counts that no turn of a loop changes."""
    short: str | None = None
    """The variable of the source whose number of channels is called plainly `channels`."""
    moments: list[Moment] = field(default_factory=list)
    env: dict[str, Val] = field(default_factory=dict)
    init: Block = field(default_factory=list)
    fwd: Block = field(default_factory=list)
    names: quote.Names = field(default_factory=quote.Names)
    attributes: quote.Names = field(default_factory=quote.Names)
    meaning: dict[str, Callable[[Moment], Any]] = field(default_factory=dict)
    """What a name of the generated `__init__` is worth at a moment."""
    loops: list[LoopFrame] = field(default_factory=list)
    labels: list[ast.StrLit] = field(default_factory=list)
    depth: int = 0
    """How many levels of labels the labelled groups around have."""
    sequence: Sequential | None = None
    source_names: frozenset[str] = frozenset()
    """Every name that the block binds."""
    temporaries: set[str] = field(default_factory=set)
    """Names of intermediate tensors in the statement being walked."""
    tensor_names: frozenset[str] = frozenset()
    """Variables of the source that hold tensors at some time."""
    carried: set[str] = field(default_factory=set)
    """Names whose channels must be kept in a variable, since loops or branches change them."""
    made: dict[tuple[str, ...], Val] = field(default_factory=dict)
    """Layers made so far: labels at the moments → how `forward` reaches them. Shared layers are found here again."""
    attached: list[str] = field(default_factory=list)
    """Attributes of `self` that hold modules, in order."""
    target: str | None = None
    """The name that a statement assigns, which may serve for steps on the way."""
    env_params: set[str] = field(default_factory=set)
    """Parameters of the block that are plain values."""
    factories: set[str] = field(default_factory=set)
    """Stage parameters that are passed as functions from channels to a module."""
    carried_names: set[str] = field(default_factory=set)
    """Generated names of channel counts that loops and branches carry."""
    told: Code | None = None
    """The channels of the one result."""
    dropped: set[str] = field(default_factory=set)
    """Parameters that the conditions of dropped branches depend on."""
    entries: dict[str, Code] = field(default_factory=dict)
    """What a channel count was when a loop or branch was entered."""
    changed: set[str] = field(default_factory=set)
    """Generated names of channel counts that some turn of a loop changes."""
    channel_names: dict[str, str] = field(default_factory=dict)
    """Generated name of a channel count → the variable of the source."""

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────

    def local(self, name: str) -> str:
        """The Python name of a variable of the source."""
        python = self.names.of(("var", name), name)
        if python not in self.meaning:
            self.meaning[python] = lambda moment: moment.names.get(name, UNKNOWN)
        return python

    def channels(self, name: str) -> str:
        """The Python name of the number of channels of a tensor variable (or of the list of them)."""
        wanted = "channels" if name == self.short else f"{name}_channels"
        python = self.names.of(("channels", name), wanted)
        if python not in self.meaning:
            self.meaning[python] = lambda moment: shadow(moment.names.get(name, UNKNOWN))
        self.channel_names[python] = name
        return python

    def attribute(self, key: object, wanted: str) -> str:
        """The name of an attribute of `self` that is no module."""
        return self.attributes.of(key, wanted)

    @property
    def is_root(self) -> bool:
        """Whether this is the model that is compiled."""
        return self.program.module.root in self.applications

    def factory(self, name: str) -> str:
        """The Python name of a stage parameter that is passed as a function; it becomes a parameter of `__init__`."""
        python = self.local(name)
        self.factories.add(name)
        self.meaning[python] = lambda moment: UNKNOWN
        return python

    @property
    def constants_of_block(self) -> frozenset[str]:
        """Python names in `__init__` that nothing binds anew: parameters, and those at the top of the file."""
        assigned = assigned_names(self.applications[0].block.body)
        own = {self.local(name) for name in self.env_params - assigned}
        return frozenset(own | self.program.constants.keys())

    def fwd_lines(self) -> list[Line]:
        """Every line of `forward` so far."""
        return list(lines(self.fwd))

    # ── moments ──────────────────────────────────────────────────────────────────────────────────────────────

    def events(self, site: Site) -> list[Event | None]:
        """What happened at a site, for each moment."""
        return [moment.application.events.get((site, moment.turns)) for moment in self.moments]

    def at(self, statement: ast.Statement) -> None:
        """Move on to a statement: names are bound as they were before it."""
        self.moments = [
            Moment(m.application, m.turns, self.program.history(m.application).get((statement, m.turns), m.names))
            for m in self.moments
        ]

    @contextmanager
    def only(self, moments: Sequence[Moment]) -> Iterator[None]:
        """Walk something for these moments."""
        saved = self.moments
        self.moments = list(moments)
        try:
            yield
        finally:
            self.moments = saved

    # ── expressions ──────────────────────────────────────────────────────────────────────────────────────────

    def evaluate(self, expression: Code, moment: Moment) -> Any:
        """The value of an expression of `__init__` at a moment, or UNKNOWN."""
        names: dict[str, Any] = {**self.program.constants, **_MATH}
        for read in expression.reads:
            meaning = self.meaning.get(read)
            value = meaning(moment) if meaning is not None else UNKNOWN
            if value is UNKNOWN and read not in self.program.constants:
                return UNKNOWN
            if value is not UNKNOWN:
                names[read] = value
        try:
            return eval(_compiled(expression.text), names)  # an expression of our own making
        except Exception:
            return UNKNOWN

    def evaluates(self, expression: Code, values: Sequence[Any]) -> bool | None:
        """Whether an expression has these values at the moments; None where that cannot be told."""
        known = True
        for moment, value in zip(self.moments, values, strict=True):
            found = self.evaluate(expression, moment)
            if found is UNKNOWN:
                known = False
            elif not same(found, value):
                return False
        return True if known else None

    def constant(self, values: Sequence[Any]) -> Code | None:
        """The literal that is the same at every moment, if it can be written."""
        first = values[0]
        if isinstance(first, Dim) or not all(same(value, first) for value in values):
            return None
        try:
            return code.value(first)
        except TypeError:
            return None

    # ── statements ───────────────────────────────────────────────────────────────────────────────────────────

    def set_init(self, python: str, value: Code) -> None:
        """`python = value` in `__init__`. Values that were written in terms of the old one are put into variables first."""
        for name, val in list(self.env.items()):
            if val.init is not None and python in val.init.reads and val.init.text != python:
                self.keep(name)
        if value.text != python:
            self.init.append(assign(python, value))

    def keep(self, name: str) -> None:
        """Put the channels of a variable into a variable of their own in `__init__`."""
        val = self.env[name]
        if val.init is None or not self.is_tensor(name):
            return
        python = self.channels(name)
        self.entries[python] = val.init
        if python in self.invariant:
            return
        if val.init.text != python:
            self.init.append(assign(python, val.init))
            self.env[name] = replace(val, init=code.name(python))

    def is_tensor(self, name: str) -> bool:
        """Whether a variable holds tensors at any time; `skips = []` does if tensors are added later."""
        return name in self.tensor_names

    def spare(self, candidates: Sequence[str], taken: Iterable[str] = ()) -> str:
        """A name that no variable of the source has and that is not in use just now; it may be used again later."""
        for candidate in candidates:
            if candidate not in self.source_names and candidate not in taken and candidate in self.names.spares(candidates):
                return candidate
        return self.names.fresh(candidates[0])

    def step(self, val: Val) -> Val:
        """Give an intermediate tensor of `forward` a name, so that lines stay short."""
        if val.fwd is None:
            raise Unsayable("a tensor that forward cannot say")
        python = self.target or self.temporary()
        self.fwd.append(assign(python, val.fwd))
        return val.named(code.name(python))

    def temporary(self) -> str:
        """A name for a tensor within one statement."""
        python = self.spare(("x", "y", "z", "h"), self.temporaries)
        self.temporaries.add(python)
        return python

    @contextmanager
    def blocks(self) -> Iterator[tuple[Block, Block]]:
        """Write into fresh blocks for `__init__` and `forward`, which are handed out."""
        saved = self.init, self.fwd
        self.init, self.fwd = [], []
        try:
            yield self.init, self.fwd
        finally:
            self.init, self.fwd = saved

    @contextmanager
    def aiming(self, target: str | None) -> Iterator[None]:
        """Let steps on the way take the name `target`."""
        saved = self.target
        self.target = target
        try:
            yield
        finally:
            self.target = saved

    def attempt(self, walk: Callable[[], Any]) -> Any:
        """What `walk` gives, or None with everything as before if it finds that nn.Sequential will not do."""
        saved = (dict(self.env), set(self.carried), dict(self.made), list(self.attached), list(self.loops), list(self.labels))
        state = self.moments, self.depth, self.sequence, self.target, self.init, self.fwd
        lengths = len(self.init), len(self.fwd)
        try:
            return walk()
        except NotSequential:
            self.env, self.carried, self.made, self.attached, self.loops, self.labels = saved
            self.moments, self.depth, self.sequence, self.target, self.init, self.fwd = state
            del self.init[lengths[0] :], self.fwd[lengths[1] :]
            return None


def top_labels(applications: Sequence[Application]) -> set[str]:
    """The first levels of all labels in a block: names that attributes must leave free."""
    found = set(RESERVED)
    for application in applications:
        for event in application.events.values():
            label = getattr(event, "label", None)
            if label:
                found.add(label.partition(".")[0])
    return found


def tensor_names(applications: Sequence[Application]) -> frozenset[str]:
    """Every variable that holds a tensor, or a list with one, at some time."""
    found: set[str] = set()
    for application in applications:
        found.update(name for name, value in application.bindings.items() if holds_tensors(value))
        for (site, _), event in application.events.items():
            match site, event:
                case (ast.Assign(targets=targets), BindEvent(values=values)):
                    found.update(t.text for t, v in zip(targets, values, strict=True) if holds_tensors(v))
                case (ast.For(targets=targets) | ast.Comprehension(targets=targets), LoopEvent(items=items)):
                    for item in items:
                        found.update(name for name, value in bind(targets, 0, item).items() if holds_tensors(value))
    return frozenset(found)


@cache
def _compiled(text: str) -> CodeType:
    return compile(text, "<expression>", "eval")
