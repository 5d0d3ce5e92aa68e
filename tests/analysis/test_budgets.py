"""Assertions on params, macs, flops, activation_memory and receptive_field."""

from __future__ import annotations

import pytest

from convspec.analysis.budgets import check_asserts
from convspec.analysis.quantities import part
from convspec.diagnostics import Diagnostic, Failure
from convspec.elaborate import loads

BODY = """
    input x: float32[N, 3, 2*h, W >= 8]
    y = x -> conv(8, 3x3, pad = 1) -> relu -> conv(4, 3x5, stride = 2, pad = [1, 2], bias = false)
    output y -> global_avgpool -> flatten -> linear(10)
"""
PARAMS = 8 * 27 + 8 + 4 * 8 * 15 + 50  # 754
# At N = 1, h = 4, W = 8:
MACS = 8 * 8 * 8 * 27 + 4 * 4 * 4 * 8 * 15 + 40
AT = "(N = 1, h = 4, W = 8)"


def spec(*asserts: str, before: str = "") -> str:
    return f"{before}\nmodel Net(limit: int = 700) {{\n{BODY}\n" + "\n".join(f"    assert {each}" for each in asserts) + "\n}"


def errors(*asserts: str, before: str = "") -> list[Diagnostic]:
    """What is wrong with the assertions; empty if they hold."""
    try:
        check_asserts(loads(spec(*asserts, before=before)))
    except Failure as failure:
        return failure.diagnostics
    return []


@pytest.mark.parametrize(
    "condition",
    [
        f"params == {PARAMS}",
        f"params < {PARAMS + 1} and params > limit",
        f"params < 1 or params == {PARAMS}",
        f"not params < {PARAMS}",
        f"macs{AT} == {MACS}",
        f"macs(W = 8, h = 4, N = 3) == 3 * {MACS}",
        f"flops{AT} > 2 * macs{AT}",
        f"1.0 * params / 1K == {PARAMS / 1000}",
        f"activation_memory{AT} == 4 * (512 + 512)",
        "receptive_field == 7",
        "receptive_field == 5x7",
        "receptive_field >= [5, 6]",
        "receptive_field != 5x8",
        "5x7 <= receptive_field",
        "6 < receptive_field",
        f"activation_memory{AT} // params == {4096 // PARAMS}",
        f"budget(2) < params and params < {PARAMS + 1}",
        "max(params, 5M) == 5M",
    ],
)
def test_what_holds(condition: str) -> None:
    assert errors(condition, before="let budget(n) = 100 * n") == []


@pytest.mark.parametrize(
    ("condition", "message", "marked"),
    [
        ("params < 700", f"params is {PARAMS}, and {PARAMS} < 700 does not hold", "params < 700"),
        ("params < limit", f"params is {PARAMS}, and {PARAMS} < 700 does not hold", "params < limit"),
        (
            "params > 1 and macs(N = 1, h = 4, W = 8) < 1K",
            f"macs(N = 1, h = 4, W = 8) is {MACS:,}, and {MACS:,} < 1,000 does not hold",
            "macs(N = 1, h = 4, W = 8) < 1K",
        ),
        ("2 * params <= 5", f"params is {PARAMS}, and {2 * PARAMS:,} <= 5 does not hold", "2 * params <= 5"),
        ("receptive_field > 7", "receptive_field is 5x7, and 7 > 7 does not hold", "receptive_field > 7"),
        ("receptive_field >= 6x6", "receptive_field is 5x7, and 5x7 >= 6x6 does not hold", "receptive_field >= 6x6"),
        (
            "params < 5 or receptive_field < 5",
            f"params is {PARAMS}, receptive_field is 5x7, and `params < 5 or receptive_field < 5` does not hold",
            "params < 5 or receptive_field < 5",
        ),
        ("not params > 5", f"params is {PARAMS}, and `not params > 5` does not hold", "not params > 5"),
    ],
)
def test_what_is_broken(condition: str, message: str, marked: str) -> None:
    (diagnostic,) = errors(condition)
    assert (diagnostic.code, diagnostic.message) == ("CNN070", message)
    assert diagnostic.primary is not None
    assert diagnostic.primary.span.text == marked


def test_the_message_of_the_assertion_is_told() -> None:
    (diagnostic,) = errors('params < 700, "must fit into the cache of {limit}"')
    assert diagnostic.notes == ("must fit into the cache of 700",)


def test_every_broken_assertion_is_reported() -> None:
    assert [diagnostic.code for diagnostic in errors("params < 1", "macs > 1", "params > 1", "receptive_field > 9")] == [
        "CNN070",
        "CNN071",
        "CNN070",
    ]


@pytest.mark.parametrize(
    ("condition", "message", "hint", "marked"),
    [
        ("macs < 5M", "`macs` depends on N, W and h", "say at which sizes: macs(N = …, W = …, h = …)", "macs"),
        (
            "1 < flops(N = 1, h = 2)",
            "`flops(N = 1, h = 2)` depends on W",
            "say at which sizes: flops(N = 1, h = 2, W = …)",
            "flops(N = 1, h = 2)",
        ),
        (
            "activation_memory(N = 1) < 5",
            "`activation_memory(N = 1)` depends on W and h",
            "say at which sizes: activation_memory(N = 1, W = …, h = …)",
            "activation_memory(N = 1)",
        ),
    ],
)
def test_sizes_that_are_missing(condition: str, message: str, hint: str, marked: str) -> None:
    (diagnostic,) = errors(condition)
    assert (diagnostic.code, diagnostic.message, diagnostic.hint) == ("CNN071", message, hint)
    assert diagnostic.primary is not None
    assert diagnostic.primary.span.text == marked


@pytest.mark.parametrize(
    ("condition", "code", "message"),
    [
        ("macs(N = 1, h = 4, width = 8) < 5", "CNN022", "the inputs have no symbolic size `width`"),
        ("macs(N = 1, h = 4, W = 7) < 5", "CNN045", "`W` is at least 8 and cannot be 7"),
        ("macs(N = 0, h = 4, W = 8) < 5", "CNN045", "`N` is at least 1 and cannot be 0"),
        ("params", "CNN040", "an assertion is true or false, and this is neither"),
        ("receptive_field > [1, 2, 3]", "CNN046", "5x7 and 1x2x3 do not have the same number of axes"),
    ],
)
def test_mistakes(condition: str, code: str, message: str) -> None:
    (diagnostic,) = errors(condition)
    assert (diagnostic.code, diagnostic.message) == (code, message)


def test_a_network_without_space_has_no_receptive_field() -> None:
    net = loads("model Net {\ninput x: float32[N, 8]\noutput x -> linear(2)\nassert receptive_field > 1\n}")
    with pytest.raises(Failure) as caught:
        check_asserts(net)
    assert caught.value.diagnostics[0].code == "CNN030"


def test_a_whole_axis_counts_as_the_input() -> None:
    text = """model Net {{
        input x: float32[N, 4, {size}, 24]
        gate = x -> conv(4, 1x1) -> global_avgpool -> sigmoid
        output x * gate
        assert receptive_field{at} == 24 and receptive_field{at} == 16x24
    }}"""
    check_asserts(loads(text.format(size="16", at="")))
    check_asserts(loads(text.format(size="2*h", at="(h = 8)")))
    with pytest.raises(Failure) as caught:
        check_asserts(loads(text.format(size="2*h", at="")))
    assert caught.value.diagnostics[0].message == "`receptive_field` depends on h"


# ── models used as blocks ────────────────────────────────────────────────────────────────────────────────────

INNER = """
model Backbone(width: int = 4) {
    input image: float32[N, 3, 8*h, 8*h]
    output image -> conv(width, 3x3, pad = 1) -> flatten -> linear(2)
    ASSERT
}
"""


def used(condition: str, size: str = "[B, 3, 16, 16]", around: str = "") -> list[str]:
    """Codes from a model that uses `Backbone` at label `b`, after a convolution of its own."""
    text = f"""{INNER.replace("ASSERT", f"assert {condition}").replace("-> flatten -> linear(2)", around)}
model Outer {{
    input x: float32{size}
    output x -> conv(3, 5x5, pad = 2) -> b: Backbone(7)
}}"""
    try:
        check_asserts(loads(text, model="Outer"))
    except Failure as failure:
        return [diagnostic.code for diagnostic in failure.diagnostics]
    return []


def test_an_inner_model_speaks_of_itself() -> None:
    assert used("params == 7 * 27 + width") == []
    assert used("params == 7 * 27 + 6") == ["CNN070"]
    assert used("receptive_field == 3") == []
    assert used("activation_memory(N = 1) == 4 * 10 * 256") == []


def test_the_part_below_a_label() -> None:
    net = loads("""block Twice(x: tensor) {
        return x -> conv(3, 1x1) -> relu -> conv(3, 1x1)
    }
    model Net {
        input x: float32[N, 3, 8, 8]
        y = x -> first: Twice -> second: Twice
        output y + x -> last: Twice
    }""")
    second = part(net.graph, "second")
    assert [node.path for node in second.nodes] == ["second.conv1", "second.relu1", "second.conv2"]
    assert [each.value.name for each in second.inputs] == ["first.conv2"]
    assert [each.value.name for each in second.outputs] == ["second.conv2"]
    assert part(net.graph, "last").outputs[0].value is net.graph.outputs[0].value
    assert part(net.graph, "") is net.graph
    assert part(net.graph, "sec").nodes == []


def test_a_peak_that_cannot_be_told_asks_for_sizes() -> None:
    net = loads("""model Net {
        input x: float32[1, 1, H, H]
        output x -> global_avgpool -> flatten -> linear(9) -> linear(9)
        assert activation_memory < 5K
    }""")
    with pytest.raises(Failure) as caught:
        check_asserts(net)
    assert caught.value.diagnostics[0].message == "`activation_memory` depends on H"


def test_sizes_of_an_inner_model_are_its_own() -> None:
    macs = 7 * 27 * 16 * 16
    assert used(f"macs(N = 2) == {2 * macs}") == []
    assert used(f"macs(N = 2, h = 2) == {2 * macs}") == []
    assert used("macs(N = 2, h = 2) == 0") == ["CNN070"]
    assert used(f"macs(N = 2, h = 4) == {8 * macs}", "[B, 3, 16*q, 16*q]") == []
    assert used("macs(N = 2, h = 4) == 0", "[B, 3, 16*q, 16*q]") == ["CNN070"]


def test_an_inner_assertion_about_other_sizes_is_left_alone() -> None:
    assert used("macs(N = 2, h = 3) == 0") == []
    assert used("macs(N = 2, h = 3) == 0", "[B, 3, 16*q, 16*q]") == []
