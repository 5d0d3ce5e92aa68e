"""The summary: one row a layer, totals, symbolic or at given sizes, as text and as JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from convspec.analysis.summary import summarise
from convspec.diagnostics import Failure
from convspec.elaborate import loads
from convspec.ops import find
from tests.analysis.networks import LENET5
from tests.conformance.catalogue import cells, op_names

SMALL = """
model Small {
    input image: float32[N, 3, 4*h, 4*h]
    layer shared = conv(8, 3x3, pad = 1, bias = false)
    a = image -> stem: conv(8, 3x3, stride = 2, pad = [[0, 1], [0, 1]]) -> batchnorm -> relu
    b = a -> shared -> shared
    c, d = concat(a, b) -> split([10, 6])
    output c -> maxpool(2x2) -> head: conv(4, [3, 1], pad = [1, 0], groups = 2)
    output mean = d -> global_avgpool -> flatten -> softmax
}
"""


def test_rows_by_hand() -> None:
    rows = {row.label: row for row in summarise(loads(SMALL)).rows}
    assert rows["stem"].layer == "conv(8, 3x3, stride = 2, pad = [[0, 1], [0, 1]])"
    assert str(rows["stem"].outputs[0]) == "float32[N, 8, 2*h, 2*h]"
    assert rows["stem"].parameters.learnable == 8 * 3 * 9 + 8
    assert str(rows["stem"].cost.macs) == f"{8 * 27 * 4}*N*h**2"
    assert (rows["batchnorm1"].parameters.learnable, rows["batchnorm1"].parameters.statistics) == (16, 16)
    assert rows["split1"].layer == "split([10, 6])"
    assert [str(output) for output in rows["split1"].outputs] == ["float32[N, 10, 2*h, 2*h]", "float32[N, 6, 2*h, 2*h]"]
    assert rows["head"].layer == "conv(4, 3x1, pad = [[1, 1], [0, 0]], groups = 2)"
    assert rows["concat1"].layer == "concat"
    assert rows["softmax1"].layer == "softmax"
    assert rows["maxpool1"].layer == "maxpool(2x2, stride = 2)"


def test_shared_weights_count_once_and_work_each_time() -> None:
    summary = summarise(loads(SMALL), {"N": 1, "h": 1})
    first, second = (row for row in summary.rows if row.label.startswith("shared"))
    assert (first.parameters.learnable, first.shared) == (576, False)
    assert (second.parameters.learnable, second.shared) == (0, True)
    assert first.cost == second.cost
    assert (
        summary.parameters.learnable == sum(row.parameters.learnable for row in summary.rows) == 224 + 16 + 576 + 4 * 5 * 3 + 4
    )
    assert summary.cost.macs == 864 + 2 * 2304 + 4 * 5 * 3


def test_some_sizes_may_be_given() -> None:
    summary = summarise(loads(SMALL), {"h": 2})
    assert summary.open_sizes == ("N",)
    assert str(summary.inputs[0][1]) == "float32[N, 3, 8, 8]"
    assert str(summary.cost.macs) == f"{4 * (864 + 2 * 2304 + 60)}*N"


@pytest.mark.parametrize(
    ("sizes", "message", "hint"),
    [
        ({"q": 1}, "there is no symbolic size `q`", "the inputs have N, h"),
        ({"h": 0}, "`h` is at least 1 and cannot be 0", None),
    ],
)
def test_sizes_that_cannot_be(sizes: dict[str, int], message: str, hint: str | None) -> None:
    with pytest.raises(Failure) as caught:
        summarise(loads(SMALL), sizes)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.message, diagnostic.hint) == ("CNN401", message, hint)


def test_text() -> None:
    expected = (Path(__file__).parent / "lenet5_summary.txt").read_text(encoding="utf-8")
    assert str(summarise(loads(LENET5), {"N": 1})) == expected


def test_text_of_symbolic_sizes() -> None:
    text = str(summarise(loads(SMALL)))
    lines = text.splitlines()
    assert lines[0] == "Small(image: float32[N, 3, 4*h, 4*h])"
    row = next(line.split("  ") for line in lines if line.startswith("shared"))
    assert [cell.strip() for cell in row if cell.strip()] == [
        "shared",
        "conv(8, 3x3, pad = 1, bias = false)",
        "[N, 8, 2*h, 2*h]",
        "576",
        "2,304*N*h**2",
        "7x7",
    ]
    assert len({line.rindex(" ") for line in lines if line.endswith("x3")}) == 1, "columns are aligned"


def test_memory_that_depends_on_the_sizes_is_said_so() -> None:
    net = loads("model Net {\ninput x: float32[1, 1, H, H]\noutput x -> global_avgpool -> flatten -> linear(9) -> linear(9)\n}")
    assert summarise(net).activation_memory is None
    assert "activation memory  depends on the sizes; give them values" in str(summarise(net))


def test_json_is_plain_data() -> None:
    found = summarise(loads(SMALL), {"N": 2}).to_json()
    assert json.loads(json.dumps(found)) == found
    assert found["sizes"] == {"N": 2}
    assert found["open_sizes"] == ["h"]
    assert found["inputs"] == [{"name": "image", "dtype": "float32", "shape": [2, 3, "4*h", "4*h"]}]
    assert found["totals"]["parameters"] == 880
    assert found["totals"]["running_statistics"] == 16
    assert found["totals"]["macs"] == f"{2 * (864 + 2 * 2304 + 60)}*h**2"
    stem = found["layers"][0]
    assert stem["receptive_field"] == [{"size": 3, "jump": "2", "offset": "1"}] * 2
    assert stem["parameters"] == 224
    assert next(layer for layer in found["layers"] if layer["label"] == "softmax1")["receptive_field"] == [None, None]


@pytest.mark.parametrize("op", op_names())
def test_every_layer_is_summarised(op: str) -> None:
    """However it is used: the text of each row names the layer, and gives no attribute that a spec could not."""
    known = {field.name for field in find(op).attributes}  # type: ignore[union-attr]
    seen = 0
    for cell in cells(op):
        table = summarise(cell.module)
        texts = [row.layer for row in table.rows if row.layer.partition("(")[0] == op]
        given = {name for text in texts for name in re.findall(r"(?:\(|, )(\w+) = ", text)}
        assert given <= known, cell
        assert str(table)
        seen += len(texts)
    assert seen


def test_a_layer_that_takes_the_size_of_another() -> None:
    text = "model M { input x: float32[N, 2, 8, 8]  y = x -> maxpool(2x2)  output x -> crop(like = y) }"
    assert [row.layer for row in summarise(loads(text)).rows] == ["maxpool(2x2, stride = 2)", "crop"]
