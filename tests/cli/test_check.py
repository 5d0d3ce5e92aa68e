"""`convspec check`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.helpers import SMALL, Done, convspec

BROKEN = """model Net {
    input x: float32[N, 3, 8, 8]
    a = x -> conv(4, 9x9)
    output a -> relo
}
"""


def test_a_right_spec() -> None:
    assert convspec("check", "small.cnn") == Done(0, "small.cnn: no errors in Small\n", "")


def test_every_model_is_checked_and_those_that_need_arguments_where_they_get_them() -> None:
    Path("many.cnn").write_text(
        "model Base(depth: int, width: int = 2) {\ninput x: float32[N, depth]\noutput x -> linear(width)\n}\n"
        "model A = Base(depth = 3)\nmodel B = Base(depth = 4)\n"
    )
    assert convspec("check", "many.cnn").out == (
        "many.cnn: no errors in A, B\nBase needs depth: it was checked only where a configuration gives them\n"
    )
    assert convspec("check", "many.cnn", "--model", "B").out == "many.cnn: no errors in B\n"
    assert convspec("check", "many.cnn", "--model", "Base", "--set", "depth=7").out == "many.cnn: no errors in Base\n"
    assert json.loads(convspec("check", "many.cnn", "--format", "json").out) == {"models": ["A", "B"], "diagnostics": []}


def test_a_file_of_blocks_alone() -> None:
    Path("blocks.cnn").write_text("block A(x: tensor) {\nreturn x -> relu\n}\n")
    assert convspec("check", "blocks.cnn") == Done(0, "blocks.cnn: no errors; no model could be checked by itself\n", "")


def test_errors_go_to_stderr() -> None:
    Path("net.cnn").write_text(BROKEN)
    done = convspec("check", "net.cnn")
    assert (done.code, done.out) == (1, "")
    assert [line[:13] for line in done.err.splitlines() if line.startswith("error")] == ["error[CNN032]", "error[CNN021]"]
    assert " --> net.cnn:3:" in done.err


def test_errors_as_json_go_to_stdout() -> None:
    Path("net.cnn").write_text(BROKEN)
    done = convspec("check", "net.cnn", "--format", "json")
    assert (done.code, done.err) == (1, "")
    found = json.loads(done.out)["diagnostics"]
    assert [(d["code"], d["file"], d["line"]) for d in found] == [("CNN032", "net.cnn", 3), ("CNN021", "net.cnn", 4)]


def test_an_error_of_several_models_is_told_once() -> None:
    Path("net.cnn").write_text(BROKEN + "model A = Net()\nmodel B = Net()\n")
    done = convspec("check", "net.cnn")
    assert done.err.count("error[CNN032]") == 1


def test_a_broken_budget_is_an_error() -> None:
    Path("net.cnn").write_text(SMALL.replace("    output", "    assert params < 10\n    output"))
    done = convspec("check", "net.cnn")
    assert done.code == 1
    assert done.err.startswith("error[CNN070]: ")


def test_several_files_are_checked_and_all_errors_reported() -> None:
    for name, layer in (("good", "relu"), ("bad", "rleu"), ("worse", "rellu")):
        Path(f"{name}.cnn").write_text(f"model {name.title()} {{ input x: float32[N, 3]\n output x -> {layer} }}")
    assert convspec("check", "good.cnn", "good.cnn") == Done(0, "good.cnn: no errors in Good\n" * 2, "")
    failed = convspec("check", "bad.cnn", "good.cnn", "worse.cnn")
    assert failed.code == 1
    assert "called `rleu`" in failed.err
    assert "called `rellu`" in failed.err


def test_limits_can_be_raised_and_lowered() -> None:
    Path("five.cnn").write_text("model Five { input x: float32[N, 3]\n output x -> 5 * relu }")
    assert convspec("check", "five.cnn", "--limit", "nodes=5").code == 0
    refused = convspec("check", "five.cnn", "--limit", "nodes=4")
    assert refused.code == 1
    assert "CNN060" in refused.err
