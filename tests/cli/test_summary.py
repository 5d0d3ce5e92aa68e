"""`convspec summary`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.helpers import convspec


def test_the_table() -> None:
    done = convspec("summary", "small.cnn", "--sizes", "N=1")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "Small(image: float32[1, 1, 8, 8]) at N = 1"
    assert any(line.split()[0] == "fc" and "196" in line for line in lines if line.strip())  # 48 * 4 + 4
    assert "parameters         226 learnable" in lines  # and 3 * 9 + 3


def test_settings_and_json() -> None:
    done = convspec("summary", "small.cnn", "--set", "classes=10", "--format", "json")
    found = json.loads(done.out)
    assert found["name"] == "Small"
    assert found["totals"]["parameters"] == 30 + 490


def test_sizes_that_are_not_there() -> None:
    done = convspec("summary", "small.cnn", "--sizes", "h=3")
    assert (done.code, done.out) == (1, "")
    assert done.err == "error[CNN401]: there is no symbolic size `h`\n  = the inputs have N\n"


def test_columns_in_every_form() -> None:
    chosen = ("--columns", "label,params,macs%")
    text = convspec("summary", "small.cnn", *chosen).out.splitlines()
    assert text[2].split() == ["label", "parameters", "share"]
    markdown = convspec("summary", "small.cnn", *chosen, "--format", "markdown").out.splitlines()
    assert markdown[2:4] == ["| label | parameters | share |", "| --- | ---: | ---: |"]
    comma = convspec("summary", "small.cnn", *chosen, "--format", "csv").out.splitlines()
    assert comma[0] == "label,params,macs%"
    assert comma[1].split(",")[:2] == ["conv1", "30"]


def test_folds_and_orders() -> None:
    done = convspec("summary", "zoo:resnet18", "--depth", "1", "--sort", "params")
    assert done.code == 0, done.err
    assert done.out.splitlines()[4].split()[:4] == ["layer4", "2", "*", "BasicBlock"]
    assert "sorted             by parameters at N = 1, h = 7, w = 7" in done.out
    blocks = json.loads(convspec("summary", "zoo:resnet18", "--by", "block", "--format", "json").out)
    assert sum(group["parameters"] for group in blocks["groups"]) == blocks["totals"]["parameters"] == 11_689_512


def test_several_networks() -> None:
    done = convspec("summary", "zoo:lenet5", "small.cnn", "--sort", "params", "--columns", "network,params,input")
    assert (done.code, done.err) == (0, "")
    assert [line.split()[:2] for line in done.out.splitlines()[2:4]] == [["zoo:lenet5", "61,706"], ["small.cnn", "226"]]
    found = json.loads(convspec("summary", "zoo:lenet5", "small.cnn", "--sizes", "N=4", "--format", "json").out)
    assert [each["sizes"] for each in found["networks"]] == [{"N": 4}, {"N": 4}]
    assert found["networks"][0]["macs"] == 4 * 416_520


def test_one_of_several_that_is_wrong() -> None:
    """The others are shown; what is wrong is told; the exit status says so."""
    done = convspec("summary", "nope.cnn", "small.cnn", "zoo:nothing_of_the_kind")
    assert done.code == 1
    assert "small.cnn" in done.out and "nope.cnn" not in done.out
    assert done.err.count("error[") == 2
    done = convspec("summary", "nope.cnn", "zoo:nothing_of_the_kind")
    assert (done.code, done.out, done.err.count("error[")) == (1, "", 2)


def test_json_of_several_is_one_value_whatever_fails() -> None:
    done = convspec("summary", "nope.cnn", "small.cnn", "--format", "json")
    found = json.loads(done.out)
    assert (done.code, done.err) == (1, "")
    assert [each["network"] for each in found["networks"]] == ["small.cnn"]
    assert [each["code"] for each in found["diagnostics"]] == ["CNN010"]
    assert json.loads(convspec("summary", "nope.cnn", "none.cnn", "--format", "json").out)["diagnostics"]


def test_a_setting_that_one_of_several_lacks() -> None:
    done = convspec("summary", "small.cnn", "two.cnn", "--set", "classes=7")
    assert done.code == 1
    assert "small.cnn" in done.out and "error[CNN022]: `Two` has no parameter `classes`" in done.err


def test_the_largest_batch() -> None:
    done = convspec("summary", "zoo:lenet5", "--memory", "1MiB", "--train", "--optimizer", "sgd")
    assert "largest batch      N = " in done.out and "(training in fp32 with sgd)" in done.out
    none = convspec("summary", "zoo:lenet5", "--memory", "100kB", "--infer")
    assert "largest batch      none: N = 1 takes 284,456 bytes (277.79 KiB) of 100,000 bytes (97.66 KiB)" in none.out
    found = json.loads(convspec("summary", "zoo:lenet5", "--memory", "1GB", "--format", "json").out)["largest_batch"]
    for each in found.values():
        assert each["bytes"] <= each["budget"] == 10**9 < each["beyond"]
    assert set(found) == {"training", "inference"}


def test_mistakes() -> None:
    for args, message in (
        (("--columns", "lable"), "--columns: there is no column `lable`"),
        (("--sort", "label"), "--sort: there is no column `label`"),
        (("--train",), "--train and --infer say which batch --memory is about"),
        (("--memory", "lots"), "--memory takes a size such as 2GB, 1.5GiB or 800MB, not `lots`"),
        (("two.cnn", "--depth", "2"), "--depth is about the layers of one network, and several are named"),
        (("two.cnn", "--by", "block"), "--by block is about the layers of one network, and several are named"),
        (("two.cnn", "--sizes", "q=1"), "there is no symbolic size `q`"),
        (("two.cnn", "--sort", "rf"), "--sort: networks cannot be sorted by `rf`"),
    ):
        done = convspec("summary", "small.cnn", *args)
        assert (done.code, done.out) == (1, "")
        assert done.err.splitlines()[0] == f"error[CNN401]: {message}"


def test_a_file_is_never_written_over_its_spec() -> None:
    done = convspec("summary", "small.cnn", "-o", "small.cnn")
    assert done.code == 1 and "cannot tell what to write as small.cnn" in done.err
    Path("odd.txt").write_text(Path("small.cnn").read_text())
    for spec in ("odd.txt", "odd.txt:Small"):
        done = convspec("summary", spec, "-o", "odd.txt")
        assert done.code == 1 and "it is read by this command" in done.err
    assert convspec("summary", "small.cnn", "-o", "table.csv").out == "wrote table.csv\n"
