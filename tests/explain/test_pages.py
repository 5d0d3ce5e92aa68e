"""The reference pages: written anew they are what lies in docs, they say everything, and the terminal shows the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import convspec
from convspec import ops
from convspec.cli.app import app
from convspec.diagnostics.codes import CODES
from convspec.elaborate import loads
from convspec.elaborate.libraries import shipped
from convspec.explain.code import FOLDER as CODE_FOLDER
from convspec.explain.geometry import Geometry, draw
from convspec.explain.layer import layer_page, model_text
from convspec.explain.library import blocks_of, library_page
from convspec.explain.topics import page
from convspec.explain.write import stale
from convspec.ir.opdef import OpDef

DOCS = Path(__file__).parent.parent.parent / "docs"


def find(name: str) -> OpDef:
    op = ops.find(name)
    assert op is not None
    return op


def test_the_documentation_is_fresh() -> None:
    assert stale(DOCS) == [], "run `make reference`"


@pytest.mark.parametrize("name", ops.built_in())
def test_a_layer_says_everything(name: str) -> None:
    op = find(name)
    assert op.formula
    assert op.shape
    assert op.example
    nodes = loads(model_text(op)).graph.nodes
    assert name in {node.op.name for node in nodes}, "the example uses the layer"


@pytest.mark.parametrize("name", ops.built_in())
def test_a_page_has_every_parameter_and_target(name: str) -> None:
    text = layer_page(find(name)).markdown()
    for attribute in find(name).attributes:
        assert f"| `{attribute.name}` |" in text
    for target in ("PyTorch", "Keras (TensorFlow)", "ONNX"):
        assert f"## On {target}\n\n```" in text


@pytest.mark.parametrize("name", shipped("std"))
def test_a_library_documents_every_block(name: str) -> None:
    for section in library_page(name).sections[1:]:
        assert section.parts, section.heading
    assert len(library_page(name).sections) == 1 + len(blocks_of(name))


def test_what_a_window_reads() -> None:
    """Counted by hand: kernel 3, stride 2, pad 1 on 5 cells; output cell 1 reads cells 1, 2, 3."""
    picture = draw("p", Geometry(5, 3, 2, (1, 1), 1, at=1))
    rows = picture.characters.splitlines()
    left = [row[:13] for row in rows]
    assert left == ["░ ░ ░ ░ ░ ░ ░", "░ · · · · · ░", *["░ · █ █ █ · ░"] * 3, "░ · · · · · ░", "░ ░ ░ ░ ░ ░ ░"]
    assert picture.svg.count("<rect") == 7 * 7 + 3 * 3
    assert "5x5 gives 3x3" in picture.caption


def test_a_dilated_window_reads_padding() -> None:
    picture = draw("p", Geometry(3, 2, 1, (1, 0), 2, at=0))
    left = [row[:7] for row in picture.characters.splitlines()]
    assert left == ["▒ ░ ▒ ░", "░ · · ·", "▒ · █ ·", "░ · · ·"]


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_explained(code: str) -> None:
    text = page(code.lower()).markdown()
    assert CODES[code].split(" ", 1)[1] in text


def test_every_explained_code_is_known() -> None:
    assert {path.stem for path in CODE_FOLDER.glob("*.md")} <= set(CODES)


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["explain", *args])
    return result.exit_code, result.stdout, result.stderr


def test_the_terminal_shows_the_page() -> None:
    status, shown, _ = run("maxpool")
    assert status == 0
    written = (DOCS / "layers" / "maxpool.md").read_text()
    table = written[written.index("## Parameters") : written.index("## Shapes")]
    assert table in shown
    assert "█" in shown


def test_blocks_and_libraries() -> None:
    assert "std:attention" in run("SqueezeExcite")[1]
    assert run("std:attention")[1].startswith("# `std:attention`")


def test_the_list_of_everything() -> None:
    status, shown, _ = run()
    assert status == 0
    for topic in ("conv", "std:attention", "CNN031"):
        assert f"`{topic}`" in shown or f"| {topic} |" in shown


def test_what_is_not_known() -> None:
    status, _, told = run("convv")
    assert status == 1
    assert "CNN402" in told
    assert "did you mean conv?" in told
    with pytest.raises(convspec.Failure):
        page("std:nothing")
