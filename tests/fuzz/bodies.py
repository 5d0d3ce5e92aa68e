"""Random bodies of blocks and models: statement after statement, each tried on what the names mean before it is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from convspec.ir.types import TensorType
from tests.fuzz import gadgets, layers
from tests.fuzz.blocks import File, Shared, Turns
from tests.fuzz.layers import Attributes, call, number
from tests.fuzz.loops import header
from tests.fuzz.stages import Place
from tests.fuzz.terms import (
    Env,
    Invalid,
    Term,
    at,
    compare,
    holds_tensors,
    infer,
    list_of,
    literal,
    lookup,
    name,
    operation,
    summed,
    tensor,
)

NAMES = ("y", "z", "skip", "a", "b", "list", "torch", "nn", "out", "keras", "F", "shape")


@dataclass(frozen=True, slots=True)
class Statement:
    """Lines, and what running them does to the names. Invalid where it cannot be."""

    lines: list[str]
    run: Callable[[Env], None]


class Body(Place):
    """Statements, and the values of the names after them. Bodies of loops and branches are drawn by bodies of their own."""

    def __init__(self, file: File, env: Env, main: str) -> None:
        super().__init__(file, env, main)
        self.statements: list[Statement] = []
        self.depth = 0
        self.unread = self.scope.names(TensorType)

    def lines(self) -> list[str]:
        return [line for statement in self.statements for line in statement.lines]

    def run(self, env: Env) -> None:
        for statement in self.statements:
            statement.run(env)

    def target(self) -> str:
        """A name to bind: the main one, a new one, or one that is there."""
        form = self.draw.weighted({"main": 6, "new": 4})
        return self.main if form == "main" else self.draw.pick(NAMES)

    def inner(self, turns: Turns | None = None) -> Body:
        """A body inside this one, which sees what this one sees."""
        made = Body(self.file, dict(self.env), self.main)
        made.scope.defaults = dict(self.scope.defaults)
        made.turns = turns or self.turns
        made.depth, made.count, made.unread = self.depth + 1, self.count, list(self.unread)
        return made

    # ── growing ──

    def grow(self, statements: int) -> None:
        """Draw that many statements; one that does not fit is drawn again, up to three times."""
        for _ in range(statements):
            for _ in range(3):
                if self.attempt(self.statement):
                    break

    def attempt(self, draw: Callable[[], Statement]) -> bool:
        defaults = dict(self.scope.defaults)
        try:
            statement = draw()
            after = dict(self.env)
            statement.run(after)
        except Invalid:
            self.scope.defaults = defaults
            return False
        read = set(re.findall(r"\w+", "\n".join(statement.lines).replace(f"{self.main} = ", "")))
        bound = [text for text, value in after.items() if isinstance(value, TensorType) and value is not self.env.get(text)]
        if self.main in self.unread and self.main in bound and self.main not in read and not self.draw.chance(10):
            return False  # what the body is about would be lost
        self.unread = [text for text in self.unread if text not in read and text not in bound] + bound
        self.scope.env = after
        self.statements.append(statement)
        return True

    def statement(self) -> Statement:
        nested = 0 if self.depth > 1 else 1
        kinds = {
            "flow": (30, self.flow),
            "residual": (10, self.residual),
            "branches": (8, self.branches),
            "merge": (8, self.merge),
            "arithmetic": (6, self.arithmetic),
            "block_results": (4, self.block_results),
            "split": (6, self.split),
            "collect": (5, self.collect),
            "comprehension": (4, self.comprehension),
            "conditional": (5, self.conditional),
            "gadget": (24, lambda: self.assign(self.target(), gadgets.draw(self))),
            "function": (4 if self.file.on_tensors else 0, self.function),
            "shared": (4, self.shared),
            "let": (3, self.let),
            "default": (2, self.default),
            "branch": (9 * nested, self.branch),
            "loop": (10 * nested, self.loop),
        }
        return kinds[self.draw.weighted({kind: weight for kind, (weight, _) in kinds.items()})][1]()

    # ── statements ──

    def assign(self, target: str, term: Term) -> Statement:
        return Statement([f"{target} = {term.text}"], lambda env: env.__setitem__(target, term.value(env)))

    def flow(self) -> Statement:
        return self.assign(self.target(), self.pipeline(self.source(), self.draw.number(1, 4)))

    def residual(self) -> Statement:
        """`x = (x -> …) + x -> relu`."""
        source = self.source()
        total = operation(self.draw.pick("+++-*"), self.kept(source), source)
        if self.draw.chance(50):
            after = layers.activation(self.scope)
            whole = Term(f"{total.text} -> {after.text}", lambda env: after.apply(env, total.value(env)), True)
            return self.assign(self.target(), whole)
        return self.assign(self.target(), total)

    def branches(self) -> Statement:
        """Several ways from one tensor, side by side again."""
        source = self.source()
        ways = [self.kept(source) if self.draw.chance(60) else self.pipeline(source, 1) for _ in range(self.draw.number(2, 3))]
        return self.assign(self.target(), self.concat(ways, tensor(source.value(self.env)).rank))

    def concat(self, parts: Sequence[Term], rank: int) -> Term:
        """`concat(a, b)`, `concat([a, b])`, perhaps along another axis than the channels."""
        attributes: Attributes = {"axis": layers.axis(self.scope, rank)} if self.draw.chance(25) else {}
        text = ", ".join(part.text for part in parts)
        text = f"[{text}]" if self.draw.chance(30) else text
        text += "".join(f", {key} = {term.text}" for key, term in attributes.items())

        def value(env: Env) -> Any:
            given = {key: term.value(env) for key, term in attributes.items()}
            return infer("concat", given, *(part.value(env) for part in parts))

        return Term(f"concat({text})", value)

    def merge(self) -> Statement:
        """Two tensors that are there, put together in the first way that fits."""
        tensors = self.scope.names(TensorType)
        first, second = (name(self.draw.pick(tensors)) for _ in range(2))
        sign = self.draw.pick("+-*+")
        for candidate in (operation(sign, first, second), self.concat([first, second], tensor(first.value(self.env)).rank)):
            try:
                candidate.value(dict(self.env))
            except Invalid:
                continue
            return self.assign(self.target(), candidate)
        raise Invalid("they do not go together")

    def arithmetic(self) -> Statement:
        """A tensor and plain numbers: `1 - x * 0.5`, `-x / 2`."""
        term = self.source()
        for _ in range(self.draw.number(1, 3)):
            term = self.scaled(term)
        return self.assign(self.target(), term)

    def scaled(self, term: Term) -> Term:
        factor = self.draw.pick((0.5, 2, 1.5, 3, -1.25))
        form = self.draw.pick(("{x} * {k}", "{k} + {x}", "{x} - {k}", "{k} - {x}", "{x} / {k}", "-{x}"))
        side = f"({factor})" if factor < 0 else str(factor)
        return Term(form.format(x=term.tight, k=side), lambda env: tensor(term.value(env)), True)

    def block_results(self) -> Statement:
        """`a, b = x -> Two`."""
        several = [block for block in self.file.blocks if block.results > 1]
        if not several:
            raise Invalid("no such block")
        block = self.draw.pick(several)
        source, stage = self.source(), self.block_call(block)
        term = Term(f"{source.text} -> {self.label()}{stage.text}", lambda env: stage.apply(env, source.value(env)), True)
        return self.unpack(term, block.results)

    def unpack(self, term: Term, count: int) -> Statement:
        targets = [self.main, *(text for text in NAMES if text != self.main)]
        offset = self.draw.number(0, len(targets) - count)
        chosen = targets[offset : offset + count]

        def run(env: Env) -> None:
            values = term.value(env)
            if type(values) is not list or len(values) != count:
                raise Invalid("as many names as values")
            env.update(zip(chosen, values, strict=True))

        return Statement([f"{', '.join(chosen)} = {term.text}"], run)

    def split(self) -> Statement:
        """Cut along the channels or space; the parts get names, or one of them is taken by its index."""
        source = self.source()
        x = tensor(source.value(self.env))
        attributes: Attributes = {"axis": layers.axis(self.scope, x.rank)} if self.draw.chance(30) else {}
        parts = self.draw.number(2, 3)
        form: Term = literal(parts)
        if type(x.channels) is int and x.channels > 1 and not attributes and self.draw.chance(50):
            first = number(self.scope, 1, x.channels - 1)
            size = first.value(self.env)
            form, parts = list_of([first, literal(x.channels - size)]), 2
        stage = call(self.scope, "split", {"parts": form, **attributes})
        term = Term(f"{source.text} -> {self.label()}{stage.text}", lambda env: stage.apply(env, source.value(env)), True)
        if self.draw.chance(30):
            index = self.draw.number(-parts, parts - 1)
            chosen = Term(f"({term.text})[{index}]", lambda env: at(term.value(env), index))
            return self.assign(self.target(), chosen)
        return self.unpack(term, parts)

    def collect(self) -> Statement:
        """A list of tensors: begun, added to, or used up."""
        lists = [text for text in self.scope.names(list) if holds_tensors(self.env[text])]
        source = self.source()
        if not lists or self.draw.chance(20):
            return self.assign(f"list{self.fresh()}", list_of([source]))
        chosen = self.draw.pick(lists)
        held = name(chosen)
        form = self.draw.weighted({"add": 5, "concat": 3, "sum": 2, "last": 2})
        if form == "add":
            more = Term(f"{chosen} + [{source.text}]", lambda env: [*held.value(env), source.value(env)], True)
            return self.assign(chosen, more)
        if form == "concat":
            return self.assign(self.target(), Term(f"concat({chosen})", lambda env: infer("concat", {}, *held.value(env))))
        if form == "sum":
            return self.assign(self.target(), Term(f"sum({chosen})", lambda env: summed(held.value(env))))
        index = self.draw.pick((-1, 0))
        return self.assign(self.target(), Term(f"{chosen}[{index}]", lambda env: at(held.value(env), index)))

    def comprehension(self) -> Statement:
        """`concat([x -> "cell{m}": conv(width, 1x1) for m, width in [4, 6]])`."""
        source, inner = self.source(), self.inner(self.turns.inside("m"))
        values = [self.draw.number(1, 6) for _ in range(self.draw.number(1, 3))]
        items = list_of([number(self.scope, value, value) for value in values])
        inner.env.update({"m": 0, "width": values[0]})
        element = inner.kept(source) if self.draw.chance(50) else inner.pipeline(source, self.draw.number(1, 2))
        text = f"[{element.text} for m, width in {items.text}]"

        def value(env: Env) -> list[Any]:
            pairs = enumerate(items.value(env))
            return [element.value({**env, "m": m, "width": width}) for m, width in pairs]

        if self.draw.chance(30):
            return self.assign(f"list{self.fresh()}", Term(text, value))
        return self.assign(self.target(), Term(f"concat({text})", lambda env: infer("concat", {}, *value(env))))

    def conditional(self) -> Statement:
        """`y = if flag then (x -> …) else x`."""
        source, condition = self.source(), self.condition()
        ways = [self.pipeline(source, 1), source if self.draw.chance(50) else self.kept(source)]
        first, second = ways if self.draw.chance(70) else ways[::-1]

        def value(env: Env) -> Any:
            return first.value(env) if condition.value(env) else second.value(env)

        return self.assign(self.target(), Term(f"if {condition.text} then {first.tight} else {second.tight}", value, True))

    def function(self) -> Statement:
        """`y = gated(x)`: a `let` function of a tensor."""
        chosen, source = self.draw.pick(list(self.file.on_tensors)), self.source()
        meaning = self.file.on_tensors[chosen]
        return self.assign(self.target(), Term(f"{chosen}({source.text})", lambda env: meaning(source.value(env))))

    def condition(self) -> Term:
        """A bool over what is bound; where nothing is, a comparison of numbers."""
        choices = [layers.flag(self.scope, True) for _ in self.scope.names(bool)[:1]]
        left, bound = number(self.scope, 0, 9, 90), self.draw.number(0, 6)
        sign = self.draw.pick(("==", "!=", ">", "<="))
        choices.append(Term(f"{left.tight} {sign} {bound}", lambda env: compare(sign, left.value(env), bound), True))
        for text in self.scope.names(str):
            choices.append(Term(f'{text} == "max"', lambda env, text=text: lookup(env, text) == "max", True))  # type: ignore[misc]
        chosen = self.draw.pick(choices)
        if self.draw.chance(15):
            other = choices[0]
            return Term(f"{chosen.tight} and {other.tight}", lambda env: chosen.value(env) and other.value(env), True)
        return chosen

    def shared(self) -> Statement:
        """`layer tower = Tower(64)`; in a loop it would be made anew in each turn, so only outside."""
        if self.depth:
            raise Invalid("inside a loop")
        x = tensor(self.source().value(self.env))
        made = self.block_call(self.draw.pick(self.file.blocks)) if self.file.blocks and self.draw.chance(40) else None
        stage = made or layers.keeping(self.scope, x)
        target = f"layer{self.fresh()}"
        label = f'"shared.{self.fresh()}": ' if self.draw.chance(30) else ""

        def run(env: Env) -> None:
            before = dict(env)
            env[target] = Shared(lambda x: stage.apply(before, x), {})

        return Statement([f"layer {target} = {label}{stage.text}"], run)

    def let(self) -> Statement:
        target = f"k{self.fresh()}"
        term = number(self.scope, 1, 6, 80)
        keyword = self.draw.pick(("", "let "))
        return Statement([f"{keyword}{target} = {term.text}"], lambda env: env.__setitem__(target, term.value(env)))

    def default(self) -> Statement:
        """`default conv(bias = false)`: from here to the end of the braces."""
        op, key, value = self.draw.pick((("conv", "bias", False), ("maxpool", "ceil", True), ("avgpool", "count_pad", False)))
        self.scope.defaults[op] = {**self.scope.defaults.get(op, {}), key: literal(value)}
        return Statement([f"default {op}({key} = {str(value).lower()})"], lambda env: None)

    def branch(self) -> Statement:
        condition = self.condition()
        ways = [self.inner() for _ in range(self.draw.number(1, 2))]
        for way in ways:
            way.grow(self.draw.number(1, 2))
            if not way.statements:
                raise Invalid("an empty branch")
        lines = [f"if {condition.text} {{", *_indented(ways[0].lines()), "}"]
        if len(ways) == 2:
            lines[-1:] = ["} else {", *_indented(ways[1].lines()), "}"]

        def run(env: Env) -> None:
            if condition.value(env):
                ways[0].run(env)
            elif len(ways) == 2:
                ways[1].run(env)

        return Statement(lines, run)

    def loop(self) -> Statement:
        """`for i in 0..n`, `for width in widths`, `for i, [k, f] in rows`."""
        text, targets, items = header(self, self.depth)
        index = targets[0] if text.startswith(f"{targets[0]} in 0..") or len(targets) > 1 else None
        inner = self.inner(self.turns.inside(index))
        rows = items(self.env)
        if not rows:
            raise Invalid("no turn")
        inner.env.update(zip(targets, rows[0], strict=True))
        inner.grow(self.draw.number(1, 3))
        if not inner.statements:
            raise Invalid("an empty loop")

        def run(env: Env) -> None:
            for row in items(env):
                env.update(zip(targets, row, strict=True))
                inner.run(env)

        return Statement([f"for {text} {{", *_indented(inner.lines()), "}"], run)


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]
