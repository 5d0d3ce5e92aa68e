"""One run reports every independent error, and nothing that only follows from another."""

from __future__ import annotations

import pytest

from convspec.limits import Limits
from tests.syntax.helpers import errors, messages

HEAD = "model M {\n    input x: float32[N, 3]\n"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("    a = = 1\n    b = 2\n    c = 3 +\n    output x\n}",
         ["3:9 expected a value, found `=`", "5:11 a value is missing after `+`"]),
        ("    a = f(1, )) \n    b = ]\n}", ["3:15 this `)` closes nothing", "4:9 this `]` closes nothing"]),
        # The head of a loop or branch is broken: its body is read all the same.
        ("    for i xs {\n        a = * 2\n    }\n    b = )\n}",
         ["3:11 expected `,` or `in`, found `xs`", "4:13 expected a value, found `*`", "6:9 this `)` closes nothing"]),
        ("    if a = 1 {\n        b = ]\n    } else if c = 2{\n        d = )\n    } else {\n        e = *\n    }\n    f = ]\n}",
         ["3:10 `=` does not compare", "4:13 this `]` closes nothing", "5:17 `=` does not compare",
          "6:13 this `)` closes nothing", "8:13 expected a value, found `*`", "10:9 this `]` closes nothing"]),
        # A call over several lines: its arguments are not taken for statements.
        ("    a = x -> conv(8 8,\n        stride = 2,\n        pad = 1)\n    b = = 1\n}",
         ["3:21 expected `)` or `,`, found `8`", "6:9 expected a value, found `=`"]),
        # A call that is not closed: what follows is a statement again.
        ("    a = x -> conv(8,\n        stride = 2\n    b = = 1\n    c = 1\n}",
         ["3:18 this `(` is not closed", "5:9 expected a value, found `=`"]),
        ("    a = [1, 2\n    output a\n}", ["3:9 this `[` is not closed"]),
        # Braces.
        ("    for i in xs\n        a = 1\n    }\n    output x -> )\n}",
         ["4:9 expected `{`, found `a`", "6:17 this `)` closes nothing"]),
        ("    d = {1: 2, 3: 4}\n    e = )\n}", ["3:9 expected a value, found `{`", "4:9 this `)` closes nothing"]),
        ("    while a {\n        b = )\n    }\n    c = )\n}",
         ["3:5 there is no `while`", "4:13 this `)` closes nothing", "6:9 this `)` closes nothing"]),
        # Malformed literals leave the rest of the statement to be read.
        ("    a = 08 + 1. + )\n}", ["3:9 `08` begins with a zero", "3:14 `1.` has no digit after its point"]),
        ("    a = 08\n    b = \"x{\"\n    c = 1 $ 2\n    d = 09\n}",
         ["3:9 `08` begins with a zero", "4:11 `{` is not closed in this string", "5:11 `$` is not a character of the language",
          "6:9 `09` begins with a zero"]),
    ],
)  # fmt: skip
def test_in_a_body(body: str, found: list[str]) -> None:
    assert messages(HEAD + body) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("block A(x tensor) {\n  return )\n}\nmodel B {\n  y = ]\n}",
         ["1:11 expected `)`, `,`, `=` or `:`, found `tensor`", "2:10 this `)` closes nothing", "5:7 this `]` closes nothing"]),
        ("let A = \nlet B = 2 +\nlet C = 3\nuse D from e\nblock F() { }",
         ["1:7 a value is missing after `=`", "2:11 a value is missing after `+`", "4:12 expected a string, found `e`"]),
        ("model A {\n  for i in xs {\n    y = 1\n  z = 2\n}\nmodel B {\n  y = ]\n}",
         ["2:15 this `{` is not closed", "7:7 this `]` closes nothing"]),
        ("model A {\n}\n  y = 1\n  z = 2\n}\nmodel B {\n  y = ]\n}",
         ["3:3 a binding stands outside of any model or block", "7:7 this `]` closes nothing"]),
        ("x = 1\ny = 2\nmodel A { z = ) }",
         ["1:1 a binding stands outside of any model or block", "3:15 this `)` closes nothing"]),
        ("model A {\n  y = f(\n}\n\nmodel B {\n  y = [\n}", ["2:8 this `(` is not closed", "6:7 this `[` is not closed"]),
        ("model A { y = 1\nmodel B { y = 1\nmodel C { y = 1 }", ["1:9 this `{` is not closed", "2:9 this `{` is not closed"]),
    ],
)  # fmt: skip
def test_between_items(text: str, found: list[str]) -> None:
    assert messages(text) == found


def test_errors_stand_in_the_order_of_the_text() -> None:
    text = HEAD + "    a = None\n    b = )\n    c = True\n    d = 08\n    e = ]\n}"
    assert [message.split()[0] for message in messages(text)] == ["3:9", "4:9", "5:9", "6:9", "7:9"]


def test_there_is_an_end_to_errors() -> None:
    text = HEAD + "    a = )\n" * 1000 + "}"
    assert len(errors(text)) == 100
    assert len(errors(text, Limits(errors=7))) == 7


def test_much_nonsense_is_answered() -> None:
    for piece in ("}", "( ", "a = )\n", "model M {\n", '"', "$ ", "-> ", "x = (\n", "if a {\n"):
        assert errors(piece * (60_000 // len(piece)))
