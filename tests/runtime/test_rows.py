"""Rows as JSON Lines and CSV: what a reader that is not ours gets back."""

from __future__ import annotations

import csv
import io
import json
import math
import os

import ml_dtypes
import numpy as np
import pytest

from convspec.ir.types import Array
from convspec.runtime.rows import Columns, Part, Row, cells, csv_lines, json_line, make_rows, plain, shown_name
from convspec.runtime.signature import TensorSpec, signature_of
from tests.runtime.helpers import SMALL, TWO, module, random

SCORES = signature_of(module(SMALL).graph).outputs[0]
OTHERS = signature_of(module(TWO).graph).outputs
HOSTILE = [
    "plain.png", "a,b.png", 'say "hi".png', "two\nlines.png", "\r.png", "tab\t.png", "ä ö.png", "日本.png", "back\\slash.png",
    "\\xff.png", os.fsdecode(b"\xff.png"), os.fsdecode(b"\xed\xa0\x80.png"), "\\\\xff.png", "=cmd().png", " lead.png",
    "\x1b[31m.png", "nul\\0.png", "\u2028.png", "-o.png", "#.png", "''.png",
]  # fmt: skip


def columns(top: int = 2, labels: list[str] | None = None, values: tuple[TensorSpec, ...] = ()) -> Columns:
    return Columns(SCORES, top, labels, values)


def rows(scores: Array, files: list[str] | None = None, top: int = 2, softmax: bool = True) -> list[Row]:
    files = files or [f"{i}.png" for i in range(len(scores))]
    return make_rows(Part(files, [None] * len(files), {"logits": list(scores)}), columns(top), softmax)


def read_csv(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))


def unescaped(name: str) -> bytes:
    """The rule of `shown_name`, backwards, written anew."""
    raw, out, i = name.encode(), b"", 0
    while i < len(raw):
        if raw[i : i + 2] == b"\\\\":
            out, i = out + b"\\", i + 2
        elif raw[i : i + 2] == b"\\x":
            out, i = out + bytes([int(raw[i + 2 : i + 4], 16)]), i + 4
        else:
            out, i = out + raw[i : i + 1], i + 1
    return out


@pytest.mark.parametrize("name", HOSTILE)
def test_names_come_back(name: str) -> None:
    (row,) = rows(np.eye(4)[:1], [name])
    from_json = json.loads(json_line(row, columns()))["file"]
    from_csv = read_csv(csv_lines([cells(row, columns())]))[0][0]
    assert from_json == from_csv
    assert unescaped(from_json) == os.fsencode(name)
    assert json_line(row, columns()).count(b"\n") == 1


def test_no_two_names_become_the_same() -> None:
    assert len({shown_name(name) for name in HOSTILE}) == len(HOSTILE)


def test_the_likeliest_classes() -> None:
    scores = np.array([[0, 3, 1, 2], [5, 0, 0, 4]], np.float32)
    found = rows(scores, top=3)
    odds = np.exp(scores.astype(np.float64)) / np.exp(scores.astype(np.float64)).sum(axis=1, keepdims=True)
    assert [[g.index for g in row.guesses] for row in found] == [[1, 3, 2], [0, 3, 1]]
    for row, each in zip(found, odds, strict=True):
        np.testing.assert_allclose([g.probability for g in row.guesses], sorted(each, reverse=True)[:3], rtol=1e-12)


def test_a_row_of_one_batch_is_what_it_is_in_another() -> None:
    """Whether softmax is applied is not decided row by row or batch by batch."""
    flat = np.full((1, 4), 0.25, np.float32)
    assert rows(flat, softmax=True)[0].guesses[0].probability == 0.25
    assert rows(np.array([[0.7, 0.3, 0, 0]]), softmax=True)[0].guesses[0].probability != 0.7
    assert rows(np.array([[7.0, 0.3, 0, 0]]), softmax=False)[0].guesses[0].probability == 7.0


def test_errors_stand_among_results() -> None:
    part = Part(["a", "b", "c"], [None, "cannot read b", None], {"logits": [np.eye(4)[0], np.eye(4)[1]]})
    made = make_rows(part, columns(1), softmax=False)
    assert [json.loads(json_line(row, columns(1))) for row in made] == [
        {"file": "a", "error": None, "classes": [{"index": 0, "probability": 1.0}]},
        {"file": "b", "error": "cannot read b", "classes": None},
        {"file": "c", "error": None, "classes": [{"index": 1, "probability": 1.0}]},
    ]
    assert read_csv(csv_lines([columns(1).header(), *(cells(row, columns(1)) for row in made)])) == [
        ["file", "error", "class_1", "probability_1"],
        ["a", "", "0", "1.0"],
        ["b", "cannot read b", "", ""],
        ["c", "", "1", "1.0"],
    ]


def test_only_errors() -> None:
    part = Part(["a"], ["bad"], {"logits": []})
    assert make_rows(part, columns(), softmax=False) == [Row("a", "bad")]


def test_labels() -> None:
    labels = ["tabby, tabby cat", 'a "b"', "é\n", "="]
    (row,) = rows(np.array([[0, 9, 1, 2]]), top=4)
    shape = columns(4, labels)
    found = json.loads(json_line(row, shape))["classes"]
    assert [each["label"] for each in found] == [labels[i] for i in (1, 3, 2, 0)]
    head, line = read_csv(csv_lines([shape.header(), cells(row, shape)]))
    assert dict(zip(head, line, strict=True))["label_1"] == 'a "b"'
    assert head[:5] == ["file", "error", "class_1", "label_1", "probability_1"]


def test_other_outputs_as_numbers() -> None:
    sums, pooled = random(2, 2, 4, 4), random(2, 2, 2, 2, seed=1)
    shape = Columns(None, 5, None, OTHERS)
    part = Part(["a", "b"], [None, None], {"sum": list(sums), "max.0": list(pooled)})
    made = make_rows(part, shape, softmax=False)
    assert shape.header() == ["file", "error", "output_sum", "output_max.0"]
    for place, row in enumerate(made):
        found = json.loads(json_line(row, shape))
        assert "classes" not in found
        np.testing.assert_array_equal(np.array(found["outputs"]["sum"], np.float32), sums[place])
        line = read_csv(csv_lines([cells(row, shape)]))[0]
        np.testing.assert_array_equal(np.array(json.loads(line[3]), np.float32), pooled[place])


def test_numbers_read_back_exactly_and_nan_is_null() -> None:
    values = np.array([0.1, 1e-45, 3.4e38, -0.0, 16777217], np.float32)
    np.testing.assert_array_equal(np.array(json.loads(json.dumps(plain(values))), np.float32), values)
    assert plain(np.array([[1, np.nan], [np.inf, -np.inf]], np.float32)) == [[1, None], [None, None]]
    assert plain(np.array(2.5)) == 2.5 and plain(np.array(np.nan)) is None
    assert plain(np.array([True, False])) == [True, False]
    assert plain(np.array([2**63 - 1])) == [2**63 - 1]
    assert plain(np.array([0.1], ml_dtypes.bfloat16)) == [0.10009765625]


def test_scores_that_are_no_numbers() -> None:
    (row,) = rows(np.array([[math.nan, 1, 2, 3]]))
    assert [c["probability"] for c in json.loads(json_line(row, columns()))["classes"]] == [None, None]
    assert cells(row, columns())[3] is None


def test_fewer_classes_than_columns() -> None:
    (row,) = rows(np.array([[1.0, 2]]), top=4)
    assert len(cells(row, columns(4))) == len(columns(4).header())
