"""What could stand at a place, in the author's words."""

from __future__ import annotations

from convspec.syntax.situation import KEYWORDS, LITERALS, OPERATORS, STATEMENTS
from convspec.syntax.tokens import Token

_VALUE = LITERALS | {"NAME", "LPAR", "LSQB", "MINUS", "NOT", "IF"}
_STAGE = frozenset({"NAME", "STRING", "INT", "LPAR", "LSQB"})
_STATEMENT = STATEMENTS | {"NAME"}
_ITEM = frozenset({"BLOCK", "MODEL", "USE", "LANGUAGE", "LET", "DEFAULT"})
_AFTER_A_VALUE = OPERATORS | {"ARROW", "DOT"}
_POSTFIX = frozenset({"LPAR", "LSQB"})

THE_END = "the end of the file"
_SHOWN = {
    "RPAR": "`)`", "RSQB": "`]`", "COMMA": "`,`", "RBRACE": "`}`", "LPAR": "`(`", "LSQB": "`[`", "LBRACE": "`{`",
    "EQUAL": "`=`", "COLON": "`:`", "ARROW": "`->`", "DOT": "`.`", "RANGE": "`..`", "STAR": "`*`",
    "NAME": "a name", "INT": "an integer", "STRING": "a string", "$END": THE_END,
}  # fmt: skip
_ORDER = [*_SHOWN]


def describe(accepts: frozenset[str]) -> str:
    """`)` or `,`; a value; a statement or `}`: the tokens that would fit, summed up."""
    rest = set(accepts)
    said: list[str] = []
    for words, kinds, sign in (
        ("a statement", _STATEMENT, {"RETURN", "ASSERT"}),
        ("a model, a block, `let`", _ITEM, {"BLOCK", "MODEL"}),
        ("a value", _VALUE, {"NAME", "INT", "MINUS"}),
        ("a layer, a block, a group", _STAGE, {"NAME", "STRING", "INT", "LSQB"}),
    ):
        if sign <= rest and not (words == "a value" and rest >= _AFTER_A_VALUE):
            said.append(words)
            rest -= kinds
    if len(rest & _AFTER_A_VALUE) > 3:
        rest -= _AFTER_A_VALUE | _POSTFIX
        if not rest or said:
            said.insert(0, "an operator")
    said += [_shown(kind) for kind in sorted(rest, key=lambda kind: (_ORDER.index(kind) if kind in _ORDER else 99, kind))]
    said = ", ".join(said).split(", ")
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"


def _shown(kind: str) -> str:
    return _SHOWN.get(kind, f"`{kind.lower()}`" if kind in KEYWORDS else kind.lower())


def describe_found(token: Token) -> str:
    """The token itself, cut short."""
    if token.type == "$END":
        return THE_END
    text = str(token)
    return f"`{text}`" if len(text) <= 30 else f"`{text[:27]}…`"
