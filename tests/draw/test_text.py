"""What the author wrote comes through as it is, whatever it holds; and the same network gives the same picture."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from convspec import api
from convspec.draw.diagram import diagram
from convspec.draw.dot import dot, quote
from convspec.draw.lettering import letter
from convspec.draw.look import Look
from convspec.draw.markup import element, escape
from convspec.draw.measure import BOLD, REGULAR, covered, fit, width
from convspec.draw.mermaid import escape as mermaid_escape
from convspec.draw.mermaid import mermaid
from convspec.draw.palette import DARK, LIGHT, STEPS, Palette, inlined, step, style_sheet
from convspec.draw.png import png, size
from convspec.draw.render import draw
from convspec.draw.scene import Scene, watch
from convspec.draw.words import shape_text, short, short_bytes, size_text
from convspec.elaborate.module import Module
from convspec.ir.dims import symbol
from convspec.ir.types import TensorType
from tests.draw.networks import RESIDUAL, TEXTS, module

HOSTILE = ("\"quoted\" 'single' <script>alert(1)</script> & &amp; ]]> --> %% #quot; `code` \\n \\ {x} $y$ ; | [a](b)",
           "emoji 🦊🏳️‍🌈, שלום עולם, 漢字, zero\u200bwidth, \u202edirection\u202c, combining e\u0301, math ∑→×")  # fmt: skip
_SVG = "{http://www.w3.org/2000/svg}"


def hostile(text: str) -> Module:
    """A network whose documentation, names of inputs and values of words are as bad as the language lets them be."""
    spec = "".join(f"## {line}\n" for line in text.splitlines()) + RESIDUAL.partition("## Three residual blocks.\n")[2]
    return api.loads(RESIDUAL.partition("## Three")[0].replace("A block", text) + spec, f"{text[:20]}.cnn").module


@pytest.mark.parametrize("text", HOSTILE)
def test_documentation_comes_through(text: str) -> None:
    of = hostile(text)
    assert of.doc == text
    root = ET.fromstring(str(draw(of, "svg", Look(depth=9))))
    assert text in (root.findtext(f"{_SVG}desc") or "")
    assert any(text in (title.text or "") for title in root.iter(f"{_SVG}title"))
    known = ("svg", "title", "desc", "style", "rect", "g", "path", "text")
    assert {element.tag for element in root.iter()} <= {f"{_SVG}{tag}" for tag in known}
    assert json.loads(str(draw(of, "json")))["doc"] == text


def test_what_xml_cannot_hold_is_replaced() -> None:
    root = ET.fromstring(element("title", escape("a\x00b\x1b\ud800c\ufffe"), id='x"y<z'))
    assert (root.text, root.attrib) == ("a\ufffdb\ufffd\ufffdc\ufffd", {"id": 'x"y<z'})


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_titles_are_text_everywhere(text: str) -> None:
    scene = retitled(text)
    made = dot(scene, Look())
    import pygraphviz

    graph = pygraphviz.AGraph(string=made)
    label = graph.get_node("g2").attr["label"]
    assert text[:16] in label.replace("\\\\", "\\").replace('\\"', '"').replace("&amp;", "&")  # the rest is cut
    assert check_mermaid(mermaid(scene, Look())) > 5


def retitled(text: str) -> Scene:
    """A scene with a title as no spec can have it, and as other makers of diagrams may give one."""
    drawn = diagram(module("residual"))
    drawn.name = text
    for group in drawn.root.groups():
        if group.what == "block":
            group.title = text
    scene = watch(drawn, 1)
    letter(scene, "macs")
    return scene


# ── Mermaid ──────────────────────────────────────────────────────────────────────────────────────────────────

_LABEL = r'"(?:[A-Za-z0-9 _\-+*/=.,:()\[\]|×·…→]|<br/>|#\d+;)*"'
_ID = r"(?:in|out|n|g)\d+"
_STATEMENTS = re.compile(
    rf" +{_ID}(?:\[{_LABEL}\]|\(\[{_LABEL}\]\)|\[\[{_LABEL}\]\])| +subgraph {_ID}\[{_LABEL}\]| +end"
    rf"| +{_ID} -->(?:\|{_LABEL}\|)? {_ID}| +classDef cost\d [^\"]+| +class {_ID}(?:,{_ID})* cost\d"
)
"""What this package may write of Mermaid. The real parser took pictures of the whole zoo in this form."""


def check_mermaid(text: str) -> int:
    """Hold every line against the syntax, and subgraphs to be closed; the number of statements."""
    lines = text.splitlines()
    assert lines[0] == lines[2] == "---" and json.loads(lines[1].removeprefix("title: ")) is not None
    assert re.fullmatch("flowchart (TD|LR)", lines[3])
    depth = 0
    declared: set[str] = set()
    for line in lines[4:]:
        assert _STATEMENTS.fullmatch(line), line
        depth += line.lstrip().startswith("subgraph ") - (line.strip() == "end")
        assert depth >= 0
        if "-->" in line:
            assert set(re.findall(rf"\b{_ID}\b", re.sub(_LABEL, "", line))) <= declared
        else:
            declared.update(re.findall(rf"^ +(?:subgraph )?({_ID})", line))
    assert depth == 0
    return len(lines) - 4


@pytest.mark.parametrize("name", [*TEXTS, "text", "zoo:googlenet", "zoo:resnet50"])
def test_mermaid_is_well_formed(name: str) -> None:
    assert check_mermaid(str(draw(module(name), "mmd", Look(depth=99)))) > 2


def test_mermaid_says_what_the_text_is() -> None:
    assert mermaid_escape('a"b<c>#1 &') == "a#34;b#60;c#62;#35;1 #38;"
    assert mermaid_escape("- item") == "#45; item"
    assert "conv(8, 3x3, pad = 1)" in str(draw(module("residual"), "mmd"))
    assert "Residual 0 … 2 ×3" in str(draw(module("residual"), "mmd", Look(depth=1)))


# ── dot ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [*TEXTS, "text", "zoo:googlenet", "zoo:resnet50"])
def test_dot_is_read_by_graphviz_with_the_same_wires(name: str) -> None:
    import pygraphviz

    of = module(name)
    graph = pygraphviz.AGraph(string=str(draw(of, "dot", Look(depth=99))))
    scene = watch(diagram(of), 99)
    assert sorted(graph.nodes()) == sorted(box.id for box in scene.root.boxes())
    assert sorted(graph.edges()) == sorted((wire.source, wire.target) for wire in scene.wires)
    assert len(graph.subgraphs()) == sum(isinstance(child, type(scene.root)) for child in scene.root.children)


def test_dot_quotes() -> None:
    assert quote('a"b\\N &lt;\n') == '"a\\"b\\\\N &amp;lt;\\n"'


# ── the same every time ──────────────────────────────────────────────────────────────────────────────────────

_TWICE = """
import sys
from convspec import api
from convspec.draw.render import draw
for form in ("svg", "mmd", "dot", "json"):
    sys.stdout.write(draw(api.load("zoo:googlenet").module, form))
"""


def test_pictures_do_not_depend_on_hashes() -> None:
    made = [
        subprocess.run([sys.executable, "-c", _TWICE], env={"PYTHONHASHSEED": number, "PYTHONPATH": ":".join(sys.path)},
                       capture_output=True, check=True).stdout
        for number in ("1", "2")
    ]  # fmt: skip
    assert made[0] == made[1] and len(made[0]) > 10_000


def test_the_light_and_the_dark_picture_differ_in_colours_alone() -> None:
    light, dark, auto = (str(draw(module("residual"), "svg", Look(theme=theme))) for theme in ("light", "dark", "auto"))
    bare = [re.sub(r"<style>.*?</style>", "", picture, flags=re.DOTALL) for picture in (light, dark, auto)]
    assert bare[0] == bare[1] == bare[2]
    assert "prefers-color-scheme" in auto and "prefers-color-scheme" not in light
    assert DARK.paper in dark and DARK.paper not in light


# ── PNG ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_png_is_as_large_as_its_picture_and_not_empty() -> None:
    from io import BytesIO

    from PIL import Image

    picture = str(draw(module("residual"), "svg"))
    wide, high = size(picture)
    image = Image.open(BytesIO(png(picture, "auto")))
    assert abs(image.width - 2 * wide) <= 1 and abs(image.height - 2 * high) <= 1
    assert image.getpixel((2, 2))[:3] == (255, 255, 255)  # type: ignore[index]
    assert len(image.convert("RGB").getcolors(1 << 24) or []) > 100  # shades of text and ramp
    dark = Image.open(BytesIO(png(picture, "dark")))
    assert "#" + bytes(dark.getpixel((2, 2))[:3]).hex() == DARK.paper  # type: ignore[index]


def test_text_of_a_png_needs_no_font_of_the_machine() -> None:
    """Without the font of the package nothing would be written: the pixels of a title are dark."""
    from io import BytesIO

    from PIL import Image

    picture = str(draw(module("lenet5"), "svg"))
    image = Image.open(BytesIO(png(picture, "light"))).convert("L")
    title = image.crop((48, 48, 48 + 2 * int(width("LeNet5", 17, True)), 48 + 40))
    assert sum(title.histogram()[:80]) > 200


def test_styles_that_are_put_in_are_those_of_the_sheet() -> None:
    picture = str(draw(module("residual"), "svg"))
    put_in = inlined(picture, "light")
    assert "class=" not in re.sub(r' class="(row|layers|group|flow|shape|head|input|output|cvn|behind)"', "", put_in).replace(
        "<style>", ""
    )
    assert put_in.count("<text") == picture.count("<text")
    ET.fromstring(put_in)


# ── words and colours ────────────────────────────────────────────────────────────────────────────────────────


def test_widths_are_those_of_the_font() -> None:
    from PIL import ImageFont

    for path, bold in ((REGULAR, False), (BOLD, True)):
        font = ImageFont.truetype(str(path), 1000)
        for char in "aAgW01 .,()=×·…éßжλ":
            assert width(char, 1000, bold) == pytest.approx(font.getlength(char), abs=1.5), char


def test_fit_cuts_to_the_room() -> None:
    for text in ("conv(64, 7x7, stride = 2)", "漢字漢字漢字", "🦊" * 20, "a" * 500):
        for room in (20, 50, 120, 5000):
            cut = fit(text, 12, room)
            assert width(cut, 12) <= max(room, width("…", 12)) + 0.02
            assert cut == text or cut.endswith("…")
    assert covered("naïve → ×3…") and not covered("漢")


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0"), (999, "999"), (1000, "1k"), (9995, "10k"), (25_557_032, "25.6M"), (999_499, "999k"), (999_600, "1M"),
     (4_089_184_256, "4.09G"), (10**13, "10T")],
)  # fmt: skip
def test_numbers_are_short(number: int, said: str) -> None:
    assert short(number) == said


def test_sizes_are_short() -> None:
    n, h = symbol("N"), symbol("H")
    assert short(2_000_000 * n * h) == "2M*H*N"
    assert short_bytes(1536) == "1.5 KiB" and short_bytes(12) == "12 B"
    assert size_text(32 * h) == "32H" and size_text(h + 1) == "(H + 1)"
    assert size_text((h + 7) // 8) == "ceil(H/8)" and size_text((h + 6) // 8) == "((H + 6) // 8)"
    assert shape_text(TensorType("float32", (n, 3, 32 * h, 7))) == "3×32H×7"
    assert shape_text(TensorType("float32", (n,))) == "[N]" and shape_text(TensorType("float32", ())) == "[]"


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_text_can_be_read(palette: Palette) -> None:
    pairs = [(ink, ground) for ink in (palette.text, palette.muted) for ground in (palette.paper, palette.frame)]
    pairs += [(palette.terminal_text, palette.terminal), (palette.muted, palette.terminal)]
    pairs += list(zip(palette.ink, palette.ramp, strict=True)) + list(zip(palette.faint, palette.ramp, strict=True))
    for text, ground in pairs:
        assert contrast(text, ground) >= 4.5, (text, ground)
    assert contrast(palette.wire, palette.paper) >= 3 and contrast(palette.accent, palette.paper) >= 3
    steps = [luminance(colour) for colour in palette.ramp]
    assert all((a > b) if palette is LIGHT else (a < b) for a, b in pairwise(steps))  # it reads in grey, too


def test_steps_of_cost() -> None:
    assert [step(weight, 100) for weight in (0, 0.1, 12, 13, 99, 100)] == [0, 1, 1, 2, 8, 8]
    assert step(0, 0) == 0
    assert all(f".c{index}{{" in style_sheet("auto") for index in range(STEPS))
