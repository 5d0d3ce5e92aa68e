"""`convspec sweep`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from convspec import load
from tests.cli.helpers import SMALL, convspec

NET = """model Net(width: int = 4, depths: list = [1], kernel: int = 3, act: stage = relu) {
    input image: float32[N, 3, 8, 8]
    x = image
    for i, depth in depths { x = x -> "s{i}": depth * conv(width * 2 ** i, kernel, pad = 1) -> act }
    output x
    assert params < 1000
}
"""


@pytest.fixture(autouse=True)
def _net(_in_folder: None) -> None:
    Path("net.cnn").write_text(NET)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_combination_is_what_it_would_be_alone() -> None:
    done = convspec("sweep", "net.cnn", "--set", "width=2,4", "--set", "depths=[1],[1, 2]", "--format", "csv")
    assert (done.code, done.err) == (0, "")
    found = rows(done.out)
    assert [(row["width"], row["depths"]) for row in found] == [("2", "[1]"), ("2", "[1, 2]"), ("4", "[1]"), ("4", "[1, 2]")]
    for row in found:
        net = load("net.cnn", settings={"width": int(row["width"]), "depths": json.loads(row["depths"])})
        assert int(row["params"]) == net.summary({"N": 1}).parameters.learnable
        assert int(row["macs"]) == net.summary({"N": 1}).cost.macs


def test_failures_are_rows_and_the_rest_goes_on() -> None:
    done = convspec("sweep", "net.cnn", "--set", "kernel=3,12", "--set", "width=4,64", "--format", "json")
    assert done.code == 1
    found = json.loads(done.out)["combinations"]
    assert [(each["settings"], bool(each["error"]), len(each["broken"])) for each in found] == [
        ({"kernel": 3, "width": 4}, False, 0),
        ({"kernel": 3, "width": 64}, False, 1),
        ({"kernel": 12, "width": 4}, True, 0),
        ({"kernel": 12, "width": 64}, True, 0),
    ]
    assert found[1]["broken"][0]["code"] == "CNN070" and found[1]["result"]["parameters"] == 64 * 28
    assert found[2]["error"]["code"] == "CNN032" and found[2]["result"] is None
    text = convspec("sweep", "net.cnn", "--set", "kernel=3,12").out
    assert "CNN032: kernel 12x12 does not fit" in text
    assert "1 of 2 combinations failed" in text


def test_a_mistake_that_all_share_is_told_once() -> None:
    done = convspec("sweep", "net.cnn", "--set", "widht=3,4")
    assert (done.code, done.out) == (1, "")
    assert done.err.count("error[") == 1 and "did you mean `width`?" in done.err


def test_ranges_and_words() -> None:
    done = convspec(
        "sweep", "net.cnn", "--set", "width=2..9..2", "--set", "act=relu,silu", "--columns", "layers", "--format", "csv"
    )
    assert done.code == 0, done.err
    assert [row["width"] for row in rows(done.out)][::2] == ["2", "4", "6", "8"]
    assert {row["act"] for row in rows(done.out)} == {"relu", "silu"}
    assert [
        row["kernel"] for row in rows(convspec("sweep", "net.cnn", "--set", "kernel=3..1..-1,3", "--format", "csv").out)
    ] == [
        "3",
        "2",
    ]


def test_models() -> None:
    Path("several.cnn").write_text(SMALL + "model Wide = Small(classes = 9)\n")
    done = convspec("sweep", "several.cnn", "--model", "Small,Wide", "--format", "csv", "--sort", "params")
    assert [row["model"] for row in rows(done.out)] == ["Wide", "Small"]
    assert convspec("sweep", "several.cnn:Wide", "--format", "csv").code == 0
    assert convspec("sweep", "several.cnn").err.startswith("error[CNN014]")


def test_charts_and_tables_in_files() -> None:
    files = ("c.svg", "c.png", "t.csv", "t.md", "t.json")
    done = convspec("sweep", "net.cnn", "--set", "width=2,4", *(arg for name in files for arg in ("-o", name)))
    assert done.code == 0, done.err
    assert done.out.endswith("".join(f"wrote {name}\n" for name in files))
    assert Path("c.svg").read_text().startswith("<svg") and "width=2" in Path("c.svg").read_text()
    assert Path("c.png").read_bytes().startswith(b"\x89PNG")
    assert len(rows(Path("t.csv").read_text())) == len(json.loads(Path("t.json").read_text())["combinations"]) == 2
    as_json = convspec("sweep", "net.cnn", "--set", "width=2,4", "-o", "c.svg", "--format", "json")
    assert json.loads(as_json.out)["x"] == "macs"


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (("--set", "width"), "--set takes NAME=VALUE,…, not `width`"),
        (("--set", "width="), "--set width: `` is not a value"),
        (("--set", "width=2,,3"), "--set width: `` is not a value"),
        (("--set", "width=[2"), "--set width: `[2` is not a value"),
        (("--set", "width=1..1"), "--set width: the range 1..1 is empty"),
        (("--set", "width=1..9..0"), "--set width: the range 1..9..0 is empty"),
        (("--set", "width=1..999999999"), "--set width: the range 1..999999999 has 999,999,998 values"),
        (("--set", "width=1,2", "--set", "width=3"), "--set gives `width` twice"),
        (("--set", "width=1..2000"), "these are 1,999 combinations, and at most 1,000 are made"),
        (("--set", "width=1,2", "--most", "1"), "these are 2 combinations, and at most 1 are made"),
        (("--set", "width=1,2", "--columns", "parms"), "--columns: there is no column `parms`"),
        (("--set", "width=1,2", "--sort", "rf"), "--sort: `rf` is no number"),
        (("--set", "width=1,2", "--x", "input"), "--x: `input` is no number"),
        (("--set", "width=1,2", "--sizes", "q=3"), "there is no symbolic size `q`"),
        (("--set", "width=1,2", "-o", "x.pdf"), "cannot tell what to write as x.pdf"),
        (("--set", "width=1,2", "-o", "no/x.svg"), "cannot write no/x.svg: the folder no does not exist"),
    ],
)
def test_mistakes(args: tuple[str, ...], error: str) -> None:
    done = convspec("sweep", "net.cnn", *args)
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines()[0].partition(": ")[2] == error


def test_nothing_to_combine() -> None:
    done = convspec("sweep", "small.cnn", "--format", "csv")
    assert (done.code, len(rows(done.out))) == (0, 1)
