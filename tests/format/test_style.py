"""The canonical style, rule by rule: what is written, and what becomes of it."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from convspec.format import format_text


def formatted(body: str) -> str:
    """The statements of a model, formatted."""
    lines = format_text(f"model M {{\n{body}\n}}\n").splitlines()
    assert (lines[0], lines[-1]) == ("model M {", "}")
    return dedent("\n".join(lines[1:-1]))


LONG = ", ".join(f"argument{i} = {i}" for i in range(12))

CASES = {
    "spaces": (
        "y=x->c:conv( 4 ,3x3,pad=[1 , 2])->2*B( a = -1 )->(n-1)*relu",
        "y = x -> c: conv(4, 3x3, pad = [1, 2]) -> 2 * B(a = -1) -> (n - 1) * relu",
    ),
    "operators": (
        "let a=b+c*2**-d//3 ==4 and not(e or f.channels>xs[ -1 ])",
        "let a = b + c * 2 ** -d // 3 == 4 and not (e or f.channels > xs[-1])",
    ),
    "ranges and slices": (
        "let a=[xs[1 .. n+1],xs[ .. 2],xs[2 .. ]]",
        "let a = [xs[1..n + 1], xs[..2], xs[2..]]",
    ),
    "sizes of an input are tight": (
        "input x : float32 [ N,3 , 32 * h, 2*(w + 1) ,W>=8]as picture( size = 3 )",
        "input x: float32[N, 3, 32*h, 2*(w + 1), W >= 8] as picture(size = 3)",
    ),
    "statements": (
        'output a , "p{i}"=b\nreturn a,b\na,b=c\ndefault conv( bias=false )\nlayer t=Tower( 1 )\nassert a<b , "why"',
        'output a, "p{i}" = b\nreturn a, b\na, b = c\ndefault conv(bias = false)\nlayer t = Tower(1)\nassert a < b, "why"',
    ),
    "control": (
        "for i,[a , b]in rows{y=x}if a{y=x}else if b{}else{y=x}",
        "for i, [a, b] in rows {\n    y = x\n}\nif a {\n    y = x\n} else if b {} else {\n    y = x\n}",
    ),
    "breaks before arrows are kept": ("y = x\n -> a\n   -> b -> c", "y = x\n    -> a\n    -> b -> c"),
    "a break after an arrow goes": ("y = x ->\n a", "y = x -> a"),
    "breaks in the midst go": ("y\n=\nconv\n(x\n,4)", "y = conv(x, 4)"),
    "brackets that the author opened": (
        "y = concat([\n a, b,\n c -> relu])",
        "y = concat([\n    a, b,\n    c -> relu\n])",
    ),
    "a group": ("y = x -> f: [\nconv(4)\n-> relu]", "y = x -> f: [\n    conv(4)\n    -> relu\n]"),
    "a trailing comma goes": ("let a = [1, 2,]\nlet b = f(x,)", "let a = [1, 2]\nlet b = f(x)"),
    "arguments that do not fit": (
        f"y = x -> stage({LONG})",
        "y = x\n    -> stage(\n        "
        + ", ".join(f"argument{i} = {i}" for i in range(7))
        + ",\n        "
        + ", ".join(f"argument{i} = {i}" for i in range(7, 12))
        + "\n    )",
    ),
    "a pipeline that does not fit": (
        "y = x " + " ".join(f"-> layer{i}(argument = {i})" for i in range(8)),
        "y = x "
        + " ".join(f"-> layer{i}(argument = {i})" for i in range(4))
        + "\n    "
        + " ".join(f"-> layer{i}(argument = {i})" for i in range(4, 8)),
    ),
    "rows of a table": (
        "let rows = [" + ", ".join("[1_000_000, 2_000_000]" for _ in range(6)) + "]",
        "let rows = [\n" + ",\n".join("    [1_000_000, 2_000_000]" for _ in range(6)) + "\n]",
    ),
    "one empty line at most": ("\n\na = b\n\n\n\nc = d\n\n", "a = b\n\nc = d"),
    "comments": (
        "#first\ny = x #why\n\n\n# of z\n##and more\nz = x\n   # inside\n   -> a\n   -> b   # last\n# end",
        "# first\ny = x  # why\n\n# of z\n## and more\nz = x\n    # inside\n    -> a\n    -> b  # last\n# end",
    ),
    "comments in brackets": (
        "y = f(a, # one\nb,\n# two\nc\n# three\n)",
        "y = f(\n    a,  # one\n    b,\n    # two\n    c\n    # three\n)",
    ),
    "a comment in the midst of a statement": ("y = # why\nx -> relu", "y = x  # why\n    -> relu"),
}


@pytest.mark.parametrize("name", CASES)
def test_style(name: str) -> None:
    written, expected = CASES[name]
    assert formatted(written) == expected
    assert formatted(expected) == expected


def test_items_stand_apart() -> None:
    text = 'use A,B from "a.cnn"\nuse C from "c.cnn"\nlet A=1\n\n\nlet B=2\n## Of M.\nmodel M{}\nmodel N=M( )\nmodel O=M()'
    expected = """
        use A, B from "a.cnn"
        use C from "c.cnn"
        let A = 1

        let B = 2

        ## Of M.
        model M {}

        model N = M()
        model O = M()
    """
    assert format_text(text) == dedent(expected).lstrip()


def test_parameters_that_do_not_fit_have_lines_of_their_own() -> None:
    names = [f"parameter{i}: int = {i}" for i in range(8)]
    made = format_text(f"block B(x: tensor, {', '.join(names)}) {{ return x }}")
    assert made == "block B(\n" + indent(",\n".join(["x: tensor", *names]), "    ") + "\n) {\n    return x\n}\n"


def test_a_file_ends_with_one_line_end_and_has_no_mark_of_utf8() -> None:
    assert format_text("\ufefflet a = 1\r\n\r\n\r\n") == "let a = 1\n"
    assert format_text("let a = 1  # end") == "let a = 1  # end\n"


def test_the_documentation_of_a_file_stays_its_own() -> None:
    text = "## Of the file.\n\n## Of M.\nmodel M {}\n"
    assert format_text(text) == text
    assert format_text("## Of M.\nmodel M {}\n") == "## Of M.\nmodel M {}\n"
