"""Summaries with fewer rows, in other columns, in another order, and as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from convspec import load
from convspec.analysis.columns import SHARED, names_of_columns, parse_columns
from convspec.analysis.folding import folded, ordered
from convspec.analysis.summary import Summary, summarise
from convspec.analysis.summary_text import render_csv, render_markdown, render_text
from convspec.analysis.tables import Table, escape_markdown, markdown_lines, text_lines, width
from convspec.analysis.units import binary, exact_bytes, percent
from convspec.diagnostics import Failure
from convspec.elaborate import Module, loads

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
TOWER = """
block Tower(x: tensor, width: int) { return x -> conv1: conv(width, 3x3, pad = 1) -> relu -> conv2: conv(width, 1x1) }
block Pair(x: tensor, width: int) { return x -> first: Tower(width) -> second: Tower(2 * width) }
model Net {
    input left: float32[N, 4, 8, 8]
    input right: float32[N, 4, 8, 8]
    layer tower = Tower(4)
    a = left -> tower
    b = right -> tower
    both = concat(a, b) -> head: [Pair(3) -> batchnorm]
    output both -> global_avgpool -> flatten -> fc: linear(2)
}
"""


def both(module: Module, by_block: bool, depth: int | None, **sizes: int) -> tuple[Summary, Summary]:
    made = summarise(module, sizes)
    return made, folded(made, module, by_block, depth)


@pytest.mark.parametrize("by_block", [True, False])
@pytest.mark.parametrize("depth", [1, 2, 3, 9])
@pytest.mark.parametrize("name", ["Net", "ResNet18", "Siamese"])
def test_rows_add_up(name: str, by_block: bool, depth: int) -> None:
    """Every layer is in one row: sums of every column are those of the layers, and so are the totals."""
    module = loads(TOWER) if name == "Net" else load(f"zoo:{name}").module
    whole, made = both(module, by_block, depth, N=1)
    assert sum(row.layers for row in made.rows) == whole.layers == len(whole.rows)
    assert [node for row in whole.rows for node in row.nodes] == sorted(
        (node for row in made.rows for node in row.nodes), key=module.graph.nodes.index
    )
    for read in (
        lambda row: row.parameters.learnable,
        lambda row: row.parameters.statistics,
        lambda row: row.activations,
        lambda row: row.kept,
    ):
        assert str(sum(map(read, made.rows))) == str(sum(map(read, whole.rows)))
    assert sum(row.parameters.learnable for row in made.rows) == whole.parameters.learnable
    if depth == 9 and not by_block:
        assert [row.label for row in made.rows] == [row.label for row in whole.rows]


def test_blocks_by_hand() -> None:
    _, made = both(loads(TOWER), True, None, N=1)
    assert [(row.label, row.layer, row.layers) for row in made.rows] == [
        ("tower", "Tower(width = 4)", 3),
        ("tower", "Tower(width = 4)", 3),
        ("concat1", "concat", 1),
        ("head.0", "Pair(width = 3)", 6),
        ("head.1", "batchnorm", 1),
        ("global_avgpool1", "global_avgpool", 1),
        ("flatten1", "flatten", 1),
        ("fc", "linear(2)", 1),
    ]
    first, again = made.rows[:2]
    assert (first.shared, again.shared) == (False, True)
    assert (first.parameters.learnable, again.parameters.learnable) == (4 * 4 * 9 + 4 + 16 + 4, 0)
    assert "shared" in render_text(made).splitlines()[5]
    assert [str(kind) for kind in made.rows[3].inputs] == ["float32[1, 8, 8, 8]"]
    assert [str(kind) for kind in made.rows[3].outputs] == ["float32[1, 6, 8, 8]"]


def test_labels_by_hand() -> None:
    _, made = both(loads(TOWER), False, 1, N=1)
    assert [(row.label, row.layer) for row in made.rows][3] == ("head", "7 layers")
    resnet = load(EXAMPLES / "resnet.cnn", model="ResNet50").module
    _, made = both(resnet, False, 1)
    assert ("layer3", "6 * Bottleneck") in [(row.label, row.layer) for row in made.rows]


def test_sorted_rows_and_shares() -> None:
    made = ordered(summarise(load("zoo:LeNet5").module), "macs", {"N": 2})
    macs = [str(row.cost.macs) for row in made.rows]
    assert macs[:2] == ["240000*N", "117600*N"]
    assert [row.label for row in made.rows][5:7] == ["tanh1", "avgpool1"], "equal ones stay in their order"
    text = render_text(made, ("label", "macs", "macs%", "kept%"))
    assert "57.6 %" in text and "28.2 %" in text
    assert "sorted             by MACs at N = 2" in text


@pytest.mark.parametrize("name", ["resnet.cnn", "unet.cnn", "sequence.cnn", "molecules.cnn"])
def test_every_column_of_every_form(name: str) -> None:
    """Text, Markdown and CSV have a cell for every column; CSV is read back as it is."""
    model = {"resnet.cnn": "ResNet18", "unet.cnn": "UNet2D"}.get(name)
    made = summarise(load(EXAMPLES / name, model=model).module)
    made = ordered(made, "macs", dict.fromkeys(made.open_sizes, 64))
    names = names_of_columns()
    rows = list(csv.reader(io.StringIO(render_csv(made, names))))
    assert rows[0] == names
    assert {len(row) for row in rows} == {len(names)}
    assert [row[0] for row in rows[1:]] == [row.label for row in made.rows]
    assert len({line.count(" | ") for line in render_markdown(made, names).splitlines() if line.startswith("| ")}) == 1
    assert render_text(made, names)


def test_columns_that_are_not_there() -> None:
    with pytest.raises(Failure) as caught:
        parse_columns(["label,mcas"], names_of_columns())
    assert caught.value.diagnostics[0].hint == "did you mean `macs`?"
    assert parse_columns([" Label ,output", "macs%,label"], names_of_columns()) == ("label", "shape", "macs%")
    with pytest.raises(Failure) as caught:
        parse_columns([""], ["a", "b"])
    assert caught.value.diagnostics[0].hint == "there are a, b"


def test_json_of_groups() -> None:
    _, made = both(loads(TOWER), True, None, N=2)
    found = made.to_json()
    assert json.loads(json.dumps(found)) == found
    assert "layers" not in found
    assert [group["layers"] for group in found["groups"]] == [3, 3, 1, 6, 1, 1, 1, 1]
    memory = found["totals"]["memory"]
    assert memory["training"]["total"] == sum(
        memory["training"][part] for part in ("parameters", "gradients", "optimizer", "activations")
    )
    assert summarise(loads(TOWER)).to_json()["totals"]["memory"] is None


def test_cells_that_look_like_markup() -> None:
    table = Table(("a|b", "n"), (False, True), [("<b>*x*</b> [l](u) `c` _u_ | \n end", "1")], ("total", "1"))
    lines = markdown_lines(table)
    assert lines[0] == r"| a\|b | n |"
    assert lines[2] == r"| &lt;b&gt;\*x\*&lt;/b&gt; \[l\](u) \`c\` \_u\_ \|   end | 1 |"
    assert lines[3] == "| **total** | **1** |"
    assert escape_markdown("\\") == "\\\\"


def test_wide_letters_are_aligned() -> None:
    assert [width(text) for text in ("abc", "日本", "é", "e\u0301")] == [3, 4, 1, 1]
    lines = text_lines(Table(("x", "n"), (False, True), [("日本", "1"), ("abcd", "22")]))
    assert lines == ["x      n", "----  --", "日本   1", "abcd  22"]


def test_units() -> None:
    assert [binary(count) for count in (0, 1023, 1024, 2**30 - 1, 2**30)] == [
        "0 B",
        "1,023 B",
        "1.00 KiB",
        "1,024.00 MiB",
        "1.00 GiB",
    ]
    assert exact_bytes(1536) == "1,536 bytes (1.50 KiB)"
    assert [percent(1, 3), percent(0, 3), percent(1, 10**6), percent(1, 0), percent(3, 3)] == [
        "33.3 %",
        "0.0 %",
        "< 0.1 %",
        "-",
        "100.0 %",
    ]


def test_sums_exist_for_every_column_that_can_be_sorted() -> None:
    assert set(SHARED) <= set(names_of_columns())
