"""What is told under the mouse, and in the margin."""

from __future__ import annotations

import pytest
from lsprotocol import types

from convspec.lsp.hover import hover
from convspec.lsp.inlay import inlay_hints
from tests.lsp.helpers import Session, ask, run

NET = """\
## Twice.
block Twice(x: tensor, width: int, act: stage = relu) {
    return x -> first: conv(width, 3x3, pad = 1) -> act
}

let WIDTHS = [8, 16]

model Net(classes: int = 10) {
    input image: float32[N, 3, 8*h, 8]
    x = image
    for i, width in WIDTHS {
        x = x -> "stage{i}": Twice(width) -> maxpool(2)
    }
    output logits = x -> global_avgpool -> flatten -> linear(classes)
}
"""


def told(marked: str) -> str:
    found = ask(marked, hover)
    if found is None:
        return ""
    assert isinstance(found.contents, types.MarkupContent)
    return found.contents.value


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        # 8 * 3 * 3 * 3 + 8 weights; 16 * 8 * 3 * 3 + 16 weights; a 3x3 window, then one on a jump of 2: 4 + 2*2
        ("co|nv(width", "", ["[N, 3, 8*h, 8]` → `[N, 8, 8*h, 8]", "parameters: 224 | 1,168", "3x3 | 8x8", "Cross-correlation"]),
        ("Tw|ice(width)", "", ["block Twice(x: tensor, width: int", "Twice.", "224 | 1,168"]),
        ("ma|xpool(2)", "", ["[N, 8, 8*h, 8]` → `[N, 8, 4*h, 4]", "stride = [2, 2]"]),
        ("conv(wid|th", "", ["width: int", "8 | 16"]),
        ("-> a|ct", "", ["act: stage = relu"]),
        ("pa|d = 1", "", ["`pad` = 0"]),
        ("WID|THS {", "", ["[8, 16]"]),
        ("image: flo|at32", "", ["float32"]),
        ("8*|h, 8]", "", ["a size of the input `image`"]),
        ("in|put image", "", ["Declares an input"]),
        ("fir|st: conv", "", ["stage0.first.weight"]),
        ("linear(cla|sses)", "", ["classes: int = 10", "= `10`"]),
        ("for i, wid|th", "", ["8 | 16"]),
        ('"stage|{i}": Twice', "", ["stage1.first.bias` 16", "[N, 16, 4*h, 4]"]),
        ("lin|ear(classes)", "", ["[N, 16]` → `[N, 10]", "170"]),
        ("## Tw|ice", "", []),
    ],
)
def test_hover(before: str, after: str, parts: list[str]) -> None:
    clean = before.replace("|", "")
    assert NET.count(clean) == 1, "the mark has to be in one place"
    text = told(NET.replace(clean, before))
    for part in parts:
        assert part in text, text
    assert parts or not text


def test_a_variable_has_the_shape_of_its_last_binding() -> None:
    text = "model M {\n input x: float32[1, 3, 8, 8]\n y = x -> conv(4, 1)\n y = y -> conv(5, 1)\n output |y\n}\n"
    assert "float32[1, 5, 8, 8]" in told(text)
    assert "float32[1, 4, 8, 8]" in told(text.replace("|", "").replace("= y ->", "= |y ->"))


def test_a_layer_is_explained_where_nothing_parses() -> None:
    assert "cross-correlation" in told("model M { input x: float32[1, 3, 8, 8]\n x = x -> co|nv(8, -> }}}").lower()


def test_a_name_in_a_string_or_comment_is_nothing() -> None:
    assert told("# co|nv\nmodel M {") == ""


def hints(text: str, broken: str | None = None) -> list[str]:
    async def work(session: Session) -> list[str]:
        document = await session.open(text)
        if broken is not None:
            document = await session.type(broken)
        found = inlay_hints(session.project, document, document.lines.range(0, len(document.text)))
        return [f"{hint.position.line}:{hint.label}" for hint in found]

    return run(work)


def test_hints() -> None:
    assert hints(NET) == [
        "2:[N, 8, 8*h, 8] | [N, 16, 4*h, 4]",
        "2:[N, 8, 8*h, 8] | [N, 16, 4*h, 4]",
        "11:[N, 8, 8*h, 8] | [N, 16, 4*h, 4]",
        "11:[N, 8, 4*h, 4] | [N, 16, 2*h, 2]",
        "13:[N, 16, 1, 1]",
        "13:[N, 16]",
        "13:[N, 10]",
    ]


def test_hints_stay_while_another_item_is_broken() -> None:
    text = NET + "\nmodel Other {\n    input x: float32[1, 3, 4, 4]\n    output x -> conv(2, 1)\n}\n"
    assert hints(text, text.replace("conv(2, 1)", "conv(2, "))[:7] == hints(NET)


def test_hints_stay_while_the_item_itself_is_broken() -> None:
    text = "model M {\n    input x: float32[1, 3, 4, 4]\n    y = x -> conv(2, 1)\n    output y -> relu\n}\n"
    assert hints(text, text.replace("output y -> relu", "z = \n    output y -> relu")) == ["2:[1, 2, 4, 4]", "4:[1, 2, 4, 4]"]


def test_many_shapes_are_shortened() -> None:
    text = "model M {\n input x: float32[1, 1, 64, 64]\n for i in 1..7 { x = x -> conv(i, 1) }\n output x\n}\n"
    assert hints(text) == ["2:[1, 1, 64, 64] | [1, 2, 64, 64] | [1, 3, 64, 64] | +3"]


def test_hints_up_to_a_mistake_and_beside_it() -> None:
    text = "model M {\n input x: float32[1, 3, 4, 4]\n y = x -> conv(2, 1)\n z = y -> conv(2, 9x9)\n w = z -> relu\n"
    text += " output y -> relu\n}\n"
    assert hints(text) == ["2:[1, 2, 4, 4]", "5:[1, 2, 4, 4]"]
