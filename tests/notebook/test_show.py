"""What a network shows of itself: HTML that holds together, escaped and bounded; text where there is no HTML."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from IPython.core.formatters import DisplayFormatter

import convspec
from convspec.notebook import show

EMPTY = ("img", "br")
HOSTILE = 'a "doc" <script>alert(1)</script> & <img src=x onerror=y>'


class Reader(HTMLParser):
    """Tags in their order, held to be closed; the cells of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def picture(html: str) -> ElementTree.Element:
    """The drawing in the page, read as XML."""
    (image,) = [attributes for tag, attributes in Reader(html).tags if tag == "img"]
    kind, _, data = (image["src"] or "").partition(",")
    assert kind == "data:image/svg+xml;base64"
    return ElementTree.fromstring(base64.b64decode(data, validate=True))


def shown(value: object) -> dict[str, Any]:
    """What IPython would send to the browser."""
    data, _ = DisplayFormatter().format(value)
    return dict(data)


def test_a_network_shows_its_drawing_and_its_table() -> None:
    net = convspec.load("examples/lenet5.cnn")
    bundle = shown(net)
    assert set(bundle) == {"text/plain", "text/html"}
    assert picture(bundle["text/html"]).tag.endswith("svg")
    page = Reader(bundle["text/html"])
    rows = {row[0]: row for row in page.rows}
    assert rows["c1"][1].startswith("conv(")
    assert "61,706" in rows["total"]
    assert "61,706" in bundle["text/plain"] and "linear" in bundle["text/plain"]


def test_a_summary_shows_its_table() -> None:
    summary = convspec.load("examples/lenet5.cnn").summary({"N": 4})
    bundle = shown(summary)
    assert bundle["text/plain"] == str(summary).rstrip("\n")
    assert [row[0] for row in Reader(bundle["text/html"]).rows][1] == "c1"
    assert "at N = 4" in bundle["text/html"]


def test_in_a_list_a_network_is_a_line() -> None:
    net = convspec.load("examples/lenet5.cnn")
    assert shown([net, {"a": net}])["text/plain"] == "[<convspec.Net LeNet5>, {'a': <convspec.Net LeNet5>}]"
    assert repr(net) == "<convspec.Net LeNet5>"


def test_nothing_of_the_author_is_read_as_html() -> None:
    text = (
        f"## {HOSTILE}\nmodel M {{ ## {HOSTILE}\n input x: float32[N, 3, H >= 4, W >= 4]\n output x -> conv(2, 3x3) -> relu }}"
    )
    net = convspec.loads(text, name=HOSTILE)
    html = net._repr_html_()
    picture(html)
    assert {tag for tag, _ in Reader(html).tags} <= {
        "div",
        "img",
        "p",
        "strong",
        "table",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "th",
        "td",
        "pre",
        "code",
    }
    assert not [name for _, attributes in Reader(html).tags for name in attributes if name.startswith("on")]
    assert "H" in html and "<script" not in html


def test_a_large_network_is_folded() -> None:
    net = convspec.load("zoo:resnet152")
    bundle = shown(net)
    page = Reader(bundle["text/html"])
    assert len(page.rows) < 120 and len(bundle["text/html"]) < 300_000
    assert len(bundle["text/plain"].splitlines()) < 120
    assert "60,192,808" in bundle["text/html"] and "60,192,808" in bundle["text/plain"], "the totals are those of the whole"
    assert picture(bundle["text/html"]) is not None


CHAIN = "model M {{ input x: float32[N, 4, 8, 8]\n for i in 0..{} {{ x = x -> {} }}\n output x }}"


@pytest.mark.parametrize("count", [show.MOST_LAYERS + 1, 700])
def test_what_would_freeze_a_browser_is_told_in_words(count: int) -> None:
    stages = "relu" if count > show.MOST_LAYERS else " -> ".join(f"l{k}: relu" for k in range(1))
    text = CHAIN.format(count, stages) if count > show.MOST_LAYERS else _flat(count)
    html = convspec.loads(text)._repr_html_()
    assert not [tag for tag, _ in Reader(html).tags if tag == "img"]
    assert f"{count:,} layers are not drawn here" in html
    assert len(html) < 300_000
    assert "more rows" in html


def _flat(count: int) -> str:
    """Layers beside each other, which nothing folds."""
    branches = ", ".join(f"x -> b{k}: conv(1, 1x1)" for k in range(count - 1))
    return f"model M {{ input x: float32[N, 4, 8, 8]\n output concat({branches}) }}"


def test_without_the_library_that_lays_out_there_is_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    from convspec.draw import layout

    monkeypatch.setattr(layout, "find_spec", lambda name: None)
    html = convspec.load("examples/lenet5.cnn")._repr_html_()
    assert "Not drawn: pygraphviz" in html and "convspec[draw]" in html
    assert "linear" in html


@pytest.mark.parametrize(
    "text",
    [
        "model M { input x: float32[N, 4]\n output x }",
        "model M { input a: float32[N, 4, L]\n input b: float32[N, 4, L]\n output s = a + b\n output d = a - b }",
        "model M { input v: float32[N, 1, 8, 8, 8]\n layer t = conv(1, 3x3x3, pad = 1)\n output v -> t -> t }",
        "model M { input ids: int64[N, L]\n output ids -> embedding(10, 4) -> conv(2, 1) }",
    ],
    ids=["nothing", "two in, two out", "shared and 3D", "integers"],
)
def test_unusual_networks(text: str) -> None:
    bundle = shown(convspec.loads(text))
    assert picture(bundle["text/html"]) is not None
    assert bundle["text/plain"].startswith("M(")


def test_nothing_of_ipython_is_imported_without_it() -> None:
    code = """
import sys, convspec
convspec.loads("model M { input x: float32[N, 4]\\n output x -> relu }")._repr_html_()
print("IPython" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_number_of_rows_is_told() -> None:
    html = convspec.loads(_flat(900)).summary()._repr_html_()
    (told,) = re.findall(r"… and ([0-9,]+) more rows", html)
    assert int(told) == 900 - 400
