"""The LALR machine: it runs the tables that Lark makes, and builds values while it parses.

Lark's own machine does the same and is held against this one by a test; here chains of rules that only hand on their one child
(`sum`, `product`, `factor`, … for every number) are taken in one step, which the parse of a large spec needs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from sys import maxsize
from typing import Any, TypeAlias

from convspec.records import dataclass
from convspec.syntax.tokens import Token

Build: TypeAlias = Callable[[list[Any]], Any] | None
Row: TypeAlias = dict[str, int]
"""What to do in a state: shift to state `n`, or reduce by rule `~n`. Symbols of rules that are complete lead to states, too."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule makes `symbol` of `size` values; with `single` it hands on its one value. The values at `spliced` are Parts."""

    symbol: str
    size: int
    name: str
    single: bool
    spliced: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """A grammar as the lexer and the machine use it."""

    pattern: str
    """A regular expression of all tokens: the name of the group that matches is the token's type; signs have none."""
    words: dict[str, str]
    """The types of signs, and of names that are keywords."""
    rows: list[Row]
    rules: list[Rule]
    starts: dict[str, tuple[int, int]]
    """For each rule that may be parsed by itself the state at the start, and that at the end."""
    shortcuts: dict[tuple[int, int, str], tuple[int, int | None]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Part:
    """The children that a rule of the grammar whose name begins with `_` adds to its parent."""

    data: str
    children: list[Any]


class Machine:
    """A parse under way. `values` are tokens and what was built of them; `states` begins with the state before any."""

    def __init__(self, tables: Tables, start_rule: str, builds: list[Build]) -> None:
        self.rows, self.rules, self.shortcuts, self.builds = tables.rows, tables.rules, tables.shortcuts, builds
        start, self.end = tables.starts[start_rule]
        self.states, self.values = [start], list[Any]()

    def feed(self, token: Token) -> None:
        """Take one token, which fits."""
        self.run([token])

    def run(self, tokens: list[Token], index: int = 0, tallest: int = maxsize) -> int:
        """Take tokens from `index` on; the index of the first that does not fit, or that makes the stack taller than allowed.

        `$END` never fits: where it is what the grammar wants, the last value is the result.
        """
        rows, states, values, shortcuts = self.rows, self.states, self.values, self.shortcuts
        steps = [(rule.symbol, rule.size, build) for rule, build in zip(self.rules, self.builds, strict=True)]
        for at in range(index, len(tokens)):
            token = tokens[at]
            kind = token.type
            action = rows[states[-1]].get(kind)
            while action is not None and action < 0:
                symbol, size, build = steps[~action]
                if build is None:
                    key = states[-2], states[-1], kind
                    states[-1], action = shortcuts.get(key) or self._hand_on(key)
                    continue
                bottom = len(values) - size
                children = values[bottom:]
                del values[bottom:], states[bottom + 1 :]
                values.append(build(children))
                top = rows[states[-1]][symbol]
                states.append(top)
                action = rows[top].get(kind)
            if action is None:
                return at
            states.append(action)
            values.append(token)
            if len(values) > tallest:
                return at
        return len(tokens)

    def _hand_on(self, key: tuple[int, int, str]) -> tuple[int, int | None]:
        """The state after all rules that hand on their one child, and what is to be done in it."""
        below, top, kind = key
        action = self.rows[top].get(kind)
        while action is not None and action < 0 and self.builds[~action] is None:
            top = self.rows[below][self.rules[~action].symbol]
            action = self.rows[top].get(kind)
        self.shortcuts[key] = top, action
        return top, action

    def accepts(self) -> frozenset[str]:
        """The types of the tokens that would fit."""
        return frozenset(kind for kind in self.rows[self.states[-1]] if kind.isupper() and self._takes(kind))

    def _takes(self, kind: str) -> bool:
        states = self.states.copy()
        while (action := self.rows[states[-1]].get(kind)) is not None:
            if action >= 0:
                return True
            rule = self.rules[~action]
            del states[len(states) - rule.size :]
            states.append(self.rows[states[-1]][rule.symbol])
        return kind == "$END" and states[-1] == self.end

    @property
    def complete(self) -> bool:
        """Whether all of the text was taken, and is what the grammar wants."""
        return self.states[-1] == self.end
