"""Slips between statements: what stands where it may not, words of other languages, keywords as names."""

from __future__ import annotations

from convspec.diagnostics import Diagnostic, Fix
from convspec.source import Span
from convspec.syntax.expected import describe, describe_found
from convspec.syntax.situation import (
    ARITHMETIC,
    ITEMS,
    KEYWORDS,
    LITERALS,
    OPERATORS,
    STATEMENTS,
    Situation,
    innermost_open,
    start_of,
)
from convspec.syntax.slips_brackets import is_binding

_PART = "a part of a network is a `block`, a function of numbers a `let`"
_BIND = "a name is bound with `x = …`, at the top level with `let x = …`"
_FOREIGN = {
    "def": _PART, "fn": _PART, "func": _PART, "function": _PART,
    "class": "write `model NAME { … }` or `block NAME(x: tensor) { … }`",
    "while": "loops are bounded: for i in 0..n { … }",
    "elif": "write `else if`",
    "elseif": "write `else if`",
    "import": 'write `use NAME from "file.cnn"`',
    "var": _BIND, "const": _BIND, "val": _BIND,
    "pass": "a body may be empty: { }",
    "break": "a loop runs to its end; `if` leaves out what a turn does not need",
    "continue": "a loop runs to its end; `if` leaves out what a turn does not need",
    "try": "there is nothing to catch: a spec elaborates or fails with an error",
}  # fmt: skip
"""Words with which statements of other languages begin."""


def _foreign_word(s: Situation) -> Diagnostic | None:
    first = s.tokens[s.statement]
    if first.type != "NAME" or first not in _FOREIGN or s.at > s.statement + 1 or s.found.type in ("EQUAL", "COMMA"):
        return None
    return s.error(f"there is no `{first}`", first, hint=_FOREIGN[first])


def _comment(s: Situation) -> Diagnostic | None:
    """`// words`, `/* words */`."""
    index = s.at - 1 if s.at and s.begins_line(s.at) and s.found.type not in ("FLOORDIV", "SLASH") else s.at
    while index > 0 and not s.begins_line(index) and s.tokens[index].type not in ("FLOORDIV", "SLASH"):
        index -= 1
    token = s.tokens[index]
    starred = token.type == "SLASH" and s.kind(index + 1 - s.at) in ("STAR", "POWER")
    words = [t.type in ("NAME", *LITERALS, *KEYWORDS) for t in s.tokens[index + 1 : index + 3]]
    slashed = token.type == "FLOORDIV" and (index == s.at or all(words))
    if starred or slashed:
        return s.error("comments begin with `#`", token)
    return None


def _outside(s: Situation) -> Diagnostic | None:
    """What may not stand at the top level of a file, and what may stand only there."""
    if not s.fresh:
        return None
    found = s.found.type
    if found == "LANGUAGE":
        return s.error("`language` stands first in a file", code="CNN007")
    if found == "ELSE":
        return s.error("this `else` belongs to no `if`", code="CNN007", hint="`else` follows the `}` of an `if`")
    if innermost_open(s.values, ("LBRACE",)) is not None:
        return _item_in_body(s)
    binds = found == "NAME" and is_binding(s.tokens, s.at)
    if found not in STATEMENTS and not binds:
        return None
    hint = f"a constant of the file is `let {s.found} = …`" if binds else None
    return s.error(f"{_statement(s)} stands outside of any model or block", code="CNN007", hint=_early_brace(s) or hint)


def _statement(s: Situation) -> str:
    return "a binding" if s.found.type == "NAME" else f"`{s.found}`"


def _early_brace(s: Situation) -> str | None:
    """A hint where the model above seems to have been closed too early."""
    if s.kind(-1) != "RBRACE":
        return None
    later = s.brackets.extra and start_of(s.brackets.extra[-1]) > start_of(s.found)
    return f"the `}}` on line {s.line(s.tokens[s.at - 1])} may be one too many" if later else None


def _item_in_body(s: Situation) -> Diagnostic | None:
    if s.found.type not in ITEMS:
        return None
    return s.error(f"`{s.found}` stands at the top level of a file, not in a body", code="CNN007")


def _unused_value(s: Situation) -> Diagnostic | None:
    """`x -> relu`, `print(x)`, `x += 1`: a value where a statement should stand."""
    begins = s.statement
    first = s.tokens[begins]
    if innermost_open(s.values, ("LBRACE",)) is None:
        return None
    if s.fresh and s.found.type in LITERALS | {"LPAR", "LSQB", "MINUS", "NOT", "ARROW"} and "RETURN" in s.accepts:
        return s.error("expected a statement, found a value", hint=_use_of_value(s, s.at))
    if first.type != "NAME" or s.at != begins + 1:
        return None
    missing = _missing_arrow(s, begins)
    if missing is not None:
        return missing
    if s.begins_line(s.at) or s.found.type == "RBRACE":
        return s.error("a name alone is not a statement", first, hint=_use_of_value(s, begins))
    if s.found.type in ARITHMETIC and s.kind(1) == "EQUAL":
        return s.error(f"there is no `{s.found}=`", hint=f"write `{first} = {first} {s.found} …`")
    if s.found.type == "ARROW":
        hint = f"bind it (`{first} = {first} -> …`), or `return` or `output` it"
        return s.error("the result of this pipeline goes nowhere", first, hint=hint)
    if s.found.type in OPERATORS | {"LPAR", "LSQB", "DOT"}:
        return s.error("expected a statement, found a value", first, hint=_use_of_value(s, begins))
    return None


_ENDS_VALUE = frozenset({"NAME", "RPAR", "RSQB"})


def _missing_arrow(s: Situation, begins: int) -> Diagnostic | None:
    """`y = x relu`, `x -> relu conv(64, 3x3)`: a name that follows a value on its line, and is no argument."""
    first = s.tokens[begins]
    if s.begins_line(begins) or s.tokens[begins - 1].type not in _ENDS_VALUE:
        return None
    after_stage = begins > 1 and s.tokens[begins - 2].type == "ARROW"
    if s.found.type != "LPAR" and (after_stage or not (s.begins_line(s.at) or s.found.type in ("RBRACE", "ARROW", "NAME"))):
        return None
    arrow = Fix(Span(s.file, first.start_pos, first.start_pos), "-> ", "write `->` before it")
    return s.error(f"`->` is missing before `{first}`", first, suggestions=(arrow,))


def _loop_of_c(s: Situation) -> Diagnostic | None:
    if s.head == "FOR" and s.found.type == "LPAR" and s.at == s.statement + 1:
        return s.error("a loop has no parentheses", hint="write `for i in 0..3 { … }`")
    return None


def _input(s: Situation) -> Diagnostic | None:
    """An input whose type is not written as one; after its brackets something else is wrong."""
    written = [token.type for token in s.tokens[s.statement : s.at]]
    if written[:1] != ["INPUT"] or "RSQB" in written or s.found.type in ("RBRACE", "UNKNOWN"):
        return None
    if "LSQB" in written and s.found.type != "COLON":
        return None
    hint = "an input has a name, a type and sizes: input x: float32[N, 3, 32, 32]"
    return s.error(f"expected {describe(s.accepts)}, found {describe_found(s.found)}", hint=hint)


def _use_of_value(s: Situation, index: int) -> str:
    """The hint for a value that stands alone, its first token given."""
    above = next((i for i in range(index - 1, 0, -1) if s.begins_line(i)), 0)
    if s.tokens[above].type == "ARROW" and s.begins_line(index):
        return "is `->` missing before it?"
    return "bind it (`x = …`), or `return` or `output` it"


def _keyword_as_name(s: Situation) -> Diagnostic | None:
    last = s.tokens[s.at - 1] if s.at else None
    used = OPERATORS | {"EQUAL", "COMMA", "ARROW", "DOT", "COLON", "RPAR"}
    if last is not None and last.type in STATEMENTS | ITEMS | {"FROM", "AS"} and s.found.type in used and last.type != "RETURN":
        hint = "an output is named like this: output logits = x" if last.type == "OUTPUT" and s.found.type == "EQUAL" else None
        return s.error(f"`{last}` is a keyword and cannot be a name", last, hint=hint)
    if s.found.type not in KEYWORDS or "NAME" not in s.accepts:
        return None
    only_a_name = "MINUS" not in s.accepts
    in_expression = {"ELSE", "THEN", "AND", "OR", "NOT", "IF", "FOR", "IN", "TRUE", "FALSE"}
    if (s.found.type in in_expression and not only_a_name) or (s.begins_line(s.at) and s.found.type in STATEMENTS | ITEMS):
        return None
    return s.error(f"`{s.found}` is a keyword and cannot be a name")


def _type_argument(s: Situation) -> Diagnostic | None:
    if s.found.type == "LSQB" and s.head in ("BLOCK", "MODEL") and s.kind(-1) == "NAME" and s.kind(-2) == "COLON":
        return s.error("the type of a parameter is one word", hint="tensor, stage, int, float, bool, string, list or size")
    return None


EARLY = (_comment, _foreign_word, _outside, _unused_value)
LATE = (_keyword_as_name, _type_argument, _loop_of_c, _input)
