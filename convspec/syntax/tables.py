"""The grammar's tables, as Lark makes them, kept beside the code: making them takes longer than compiling most networks.

`tables.json` is used only where the grammar's text is the one that it was made from; otherwise Lark makes the tables anew,
slower and the same. After a change of the grammar: `make tables`. JSON, not pickle: reading it runs nothing.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convspec.syntax.machine import Rule, Tables

if TYPE_CHECKING:
    from lark import Lark
    from lark.grammar import Rule as LarkRule

PATH = Path(__file__).parent / "tables.json"
_FORM = 2
"""Tables of another form are not read. To be raised when `dump` writes another."""


def dump(grammar: str, parser: Lark) -> str:
    """The tables of `parser`, which Lark made from a grammar, as text."""
    return json.dumps({"grammar": grammar, "form": _FORM, **_lexing(lexer(parser)), **_parsing(parser)}, separators=(",", ":"))


def load(grammar: str) -> Tables | None:
    """The stored tables, or None where they are not those of this grammar."""
    try:
        stored = json.loads(PATH.read_text("utf-8"))
    except OSError:
        return None
    return read(stored) if stored.get("grammar") == grammar and stored.get("form") == _FORM else None


def read(stored: dict[str, Any]) -> Tables:
    """Tables from what `dump` wrote."""
    rows = [stored["rows"][index] for index in stored["states"]]
    rules = [Rule(symbol, size, name, single, tuple(spliced)) for symbol, size, name, single, spliced in stored["rules"]]
    starts = {rule: (start, end) for rule, (start, end) in stored["starts"].items()}
    return Tables(stored["pattern"], stored["words"], rows, rules, starts)


def lexer(parser: Lark) -> Any:
    """Lark's lexer, which gives out comments, too: the grammar ignores them."""
    from copy import copy

    from lark.lexer import BasicLexer

    conf = copy(parser.lexer_conf)
    conf.ignore = ("SPACE",)
    return BasicLexer(conf)


_FIRST = ("SPACE", "NAME")
"""What most of a text is. Nothing else begins as these do, but what is UNKNOWN, which comes last."""


def _lexing(made: Any) -> dict[str, Any]:
    """Lark's order of terminals, but for those that can be tried first; words and signs have no group, so as to fail fast."""
    terminals = made.scanner.terminals  # in the order in which Lark tries them; making the scanner sets the callbacks, too
    words = {terminal.pattern.value: terminal.name for terminal in made.callback["NAME"].scanner.terminals}
    signs = {terminal.pattern.value: terminal.name for terminal in terminals if terminal.pattern.type == "str"}
    groups = {
        terminal.name: f"(?P<{terminal.name}>{terminal.pattern.to_regexp()})"
        for terminal in terminals
        if terminal.pattern.type == "re"
    }
    first = [groups.pop(name) for name in _FIRST]
    clear = [re.escape(sign) for sign in signs if not sign.startswith(".")]  # a number may begin with a point
    numbers = [groups.pop(name) for name in list(groups) if name not in ("UNTERMINATED_STRING", "UNKNOWN")]
    dotted = [re.escape(sign) for sign in signs if sign.startswith(".")]
    return {"pattern": "|".join([*first, *clear, *numbers, *dotted, *groups.values()]), "words": words | signs}


def _parsing(parser: Lark) -> dict[str, Any]:
    table = parser.parser.parser._parse_table
    rules = {rule: number for number, rule in enumerate(parser.rules)}
    states = _numbered(table)
    rows = [_row(table.states[state], states, rules) for state in states]
    unique = {json.dumps(row): row for row in rows}
    places = {text: place for place, text in enumerate(unique)}
    return {
        "rules": [_rule(rule) for rule in parser.rules],
        "rows": list(unique.values()),
        "states": [places[json.dumps(row)] for row in rows],
        "starts": {rule: [states[start], states[table.end_states[rule]]] for rule, start in sorted(table.start_states.items())},
    }


def _numbered(table: Any) -> dict[int, int]:
    """Lark's states in the order in which they are come across, which is always the same; Lark's own order is not."""
    from lark.parsers.lalr_analysis import Shift

    found = [table.start_states[rule] for rule in sorted(table.start_states)]
    for state in found:
        for _, (action, argument) in sorted(table.states[state].items(), key=lambda item: item[0]):
            if action is Shift and argument not in found:
                found.append(argument)
    return {state: number for number, state in enumerate(found)}


def _row(actions: dict[str, tuple[Any, Any]], states: dict[int, int], rules: dict[LarkRule, int]) -> dict[str, int]:
    from lark.parsers.lalr_analysis import Shift

    return {
        symbol: states[argument] if action is Shift else ~rules[argument]
        for symbol, (action, argument) in sorted(actions.items(), key=lambda item: item[0])
    }


def _rule(rule: LarkRule) -> list[Any]:
    spliced = [at for at, symbol in enumerate(rule.expansion) if not symbol.is_term and symbol.name.startswith("_")]
    single = bool(rule.options.expand1 and not rule.alias)
    return [rule.origin.name, len(rule.expansion), rule.alias or rule.origin.name, single, spliced]


def write() -> None:
    """Work the tables out and store them."""
    from convspec.syntax import grammar

    text = grammar.grammar_path().read_text("utf-8")
    PATH.write_text(dump(text, grammar.build(text)), "utf-8")
