"""The grammar's LALR tables, kept beside the code, since working them out takes longer than compiling most networks.

`tables.json` is used only where the grammar's text and Lark's version are those it was made with; otherwise Lark builds the
tables anew, slower and the same. After a change of the grammar: `make tables`. JSON, not pickle: reading it runs nothing.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark

PATH = Path(__file__).parent / "tables.json"


def dump(parser: Lark, grammar: str) -> str:
    """The tables of `parser` as text, with what they were made from."""
    import lark
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    data, memo = parser.memo_serialize([TerminalDef, Rule])
    data["options"]["postlex"] = None
    return json.dumps({"made_from": _key(grammar, lark.__version__), "data": data, "memo": memo}, separators=(",", ":"))


def load(grammar: str, postlex: Any) -> Lark | None:
    """A parser from the stored tables, or None where they are not those of this grammar and this Lark."""
    import lark

    try:
        stored = json.loads(PATH.read_text("utf-8"))
    except OSError:
        return None
    if stored.get("made_from") != _key(grammar, lark.__version__):
        return None
    tables = _integer_keys({"data": stored["data"], "memo": stored["memo"]})
    parser: Lark = lark.Lark._load_from_dict(tables["data"], tables["memo"], postlex=postlex)
    return parser


def _key(grammar: str, version: str) -> dict[str, str]:
    return {"grammar": sha256(grammar.encode()).hexdigest(), "lark": version}


def _integer_keys(value: Any) -> Any:
    """JSON turns the integer keys of the tables into strings; this turns them back."""
    if isinstance(value, dict):
        return {int(key) if key.isdigit() else key: _integer_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_integer_keys(item) for item in value]
    return value


def write() -> None:
    """Work the tables out and store them."""
    from convspec.syntax import grammar

    text = grammar.grammar_path().read_text("utf-8")
    PATH.write_text(dump(grammar.build(text), text), "utf-8")
