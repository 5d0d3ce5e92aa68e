"""Expressions keep their meaning: what is built by hand evaluates like the tree it was built from."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convspec.targets.source import code
from convspec.targets.source.code import Code
from convspec.targets.source.layout import Writer, wrap
from convspec.targets.source.statements import Block, Branch, Line, Loop, assign, essential, prune, write
from convspec.targets.source.tracked import Operation, Ref, TrackedFloat, TrackedInt, origin_of, track

NUMBERS = {"a": 3, "b": 7, "c": 2}
LEAVES = st.sampled_from([code.name(n) for n in NUMBERS] + [code.value(v) for v in (1, 2, 5, -3)])


def bracketed(build: Any) -> Any:
    """The same builder with every operand in parentheses, as the truth."""
    return lambda *parts: build(*(p if isinstance(p, str) else Code(f"({p.text})", code.ATOM, p.reads) for p in parts))


@st.composite
def pairs(draw: Any, depth: int = 3) -> tuple[Code, Code]:
    """An expression with as few parentheses as it needs, and the same with all of them."""
    if depth == 0 or draw(st.booleans()):
        leaf = draw(LEAVES)
        return leaf, leaf
    kind = draw(st.sampled_from(["binary", "unary", "conditional"]))
    if kind == "unary":
        operator, (one, full) = draw(st.sampled_from(["-", "not"])), draw(pairs(depth - 1))
        return code.unary(operator, one), bracketed(code.unary)(operator, full)
    if kind == "conditional":
        parts = [draw(pairs(depth - 1)) for _ in range(3)]
        return code.conditional(*(p[0] for p in parts)), bracketed(code.conditional)(*(p[1] for p in parts))
    operator = draw(st.sampled_from(["+", "-", "*", "//", "%", "**", "==", "<", "and", "or"]))
    (left, full_left), (right, full_right) = draw(pairs(depth - 1)), draw(pairs(depth - 1))
    return code.binary(operator, left, right), bracketed(code.binary)(operator, full_left, full_right)


def outcome(text: str) -> Any:
    try:
        value = eval(text, dict(NUMBERS))
        return value if not isinstance(value, int) or abs(value) < 10**9 else "large"
    except (ZeroDivisionError, OverflowError, TypeError) as problem:
        return type(problem).__name__


@settings(max_examples=300)
@given(pairs())
def test_parentheses_stand_where_they_are_needed(pair: tuple[Code, Code]) -> None:
    plain, full = pair
    if "**" in plain.text and plain.text.count("**") > 1:
        return  # towers of powers take too long
    assert outcome(plain.text) == outcome(full.text)


@pytest.mark.parametrize(
    ("built", "text"),
    [
        (code.binary("**", code.value(2), code.name("i")), "2**i"),
        (code.binary("**", code.value(2), code.binary("+", code.name("i"), code.value(1))), "2 ** (i + 1)"),
        (code.binary("-", code.name("a"), code.binary("-", code.name("b"), code.name("c"))), "a - (b - c)"),
        (code.attribute(code.value(2), "real"), "(2).real"),
        (code.slice_of(code.name("a"), code.value(1), None), "a[1:]"),
        (code.slice_of(code.name("a"), None, code.binary("+", code.name("b"), code.value(1))), "a[: b + 1]"),
        (code.formatted(["layer", code.binary("+", code.name("i"), code.value(1)), "{x}"]), 'f"layer{i + 1}{{x}}"'),
        (code.formatted(["a", code.value("q")]), '"a{}".format("q")'),
        (code.formatted(["plain"]), '"plain"'),
        (code.sequence([code.value(1)], "()"), "(1,)"),
        (code.call("f", [code.name("a")], {"k": code.conditional(code.name("c"), code.name("a"), code.name("b"))}),
         "f(a, k=a if c else b)"),
    ],
)  # fmt: skip
def test_how_it_looks(built: Code, text: str) -> None:
    assert built.text == text


def test_what_is_read() -> None:
    item = code.binary("+", code.name("x"), code.name("y"))
    assert code.comprehension(item, "x", ["x"], code.name("xs")).reads == {"y", "xs"}


LONG = [
    "x = some_function(first_argument_of_it, another_call(with_an_argument, and_another_one), keyword=a_value_here)",
    "return first_operand_of_a_long_sum + second_operand_of_a_long_sum + third_operand_of_a_long_sum + fourth_one",
    "def forward(self, first_tensor: torch.Tensor, second_tensor: torch.Tensor, third: int) -> torch.Tensor:",
    'x = self.get_submodule("a_label.of_some.length.and_more")(first_argument_of_the_call, second_argument_of_it)',
    "grid = [[some_call(with_this, and_that) for inner in enumerate(inner_values)] for outer in enumerate(outer_values)]",
    "sides_channels_that_are_long = sides_channels_that_are_long + [x_channels_with_a_very_long_name, another_long_name]",
    "assert_it = a_very_long_condition_number_one(x) and another_very_long_condition_number_two(y) and a_third_one(zz)",
    "value = first_alternative_of_it(with_argument) if some_condition_that_is_long > 0 else second_alternative(of_it)",
]


@pytest.mark.parametrize("statement", LONG)
def test_long_lines_break_as_the_formatter_breaks_them(statement: str) -> None:
    lines = wrap(statement, "    ")
    assert len(lines) > 1
    body = ["        pass"] if statement.startswith("def") else []
    source = "\n".join(["def outer():", *lines, *body]) + "\n"
    command = [sys.executable, "-m", "ruff", "format", "--line-length", "100", "-"]
    assert subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout == source


def test_what_nobody_reads_is_left_out() -> None:
    block: Block = [
        assign("a", code.value(1)),
        assign("b", code.name("a")),
        assign("unused", code.name("b")),
        Loop("i", "x", frozenset(("x",)), code.name("xs"), [assign("c", code.name("x"))]),
        Branch(code.name("flag"), [essential(code.name("b"), "print(b)")], [assign("d", code.value(2))]),
    ]
    kept, reads = prune(block)
    writer = Writer()
    write(writer, kept)
    assert writer.lines == ["a = 1", "b = a", "if flag:", "    print(b)"]
    assert {"a", "b", "flag"} <= reads
    assert "xs" not in reads


@pytest.mark.parametrize(
    ("read", "iterable", "header"),
    [
        (("i", "x"), code.name("xs"), "for i, x in enumerate(xs):"),
        (("x",), code.name("xs"), "for x in xs:"),
        (("i",), code.name("xs"), "for i in range(len(xs)):"),
        (("i",), Code("range(n)", code.ATOM, frozenset("n")), "for i in range(n):"),
        (("i",), code.value([4, 5]), "for i in range(2):"),
        ((), code.name("xs"), "for _ in xs:"),
    ],
)
def test_loops_bind_what_is_read(read: tuple[str, ...], iterable: Code, header: str) -> None:
    inner = Line("work()", frozenset(read), essential=True)
    writer = Writer()
    write(writer, [Loop("i", "x", frozenset(("x",)), iterable, [inner])])
    assert writer.lines == [header, "    work()"]


def test_an_empty_then_is_turned_round() -> None:
    writer = Writer()
    write(writer, [Branch(code.name("flag"), [], [essential(code.name("a"), "work(a)")])])
    assert writer.lines == ["if not flag:", "    work(a)"]


def test_tracked_numbers_count_like_plain_ones_and_remember() -> None:
    a, b = TrackedInt(6, Ref(("attr", "a"))), TrackedInt(3, Ref(("attr", "b")))
    total = 2 * a + b // 1 - 0
    assert total == 15
    assert origin_of(total) == Operation("+", Operation("*", 2, Ref(("attr", "a"))), Ref(("attr", "b")))
    assert origin_of(0 + a) == Ref(("attr", "a"))
    assert origin_of(10 - b) == Operation("-", 10, Ref(("attr", "b")))
    assert origin_of("x") is None
    assert origin_of(True) is None
    assert hash(a) == hash(6)
    assert a.__add__("x") is NotImplemented


def test_tracking_goes_into_tuples() -> None:
    value = track(((1, 2), 0.5, True, "x"), ("attr", "pad"))
    assert value == ((1, 2), 0.5, True, "x")
    assert value[0][1].origin == Ref(("attr", "pad"), (0, 1))
    assert isinstance(value[1], TrackedFloat)
    assert value[2] is True
