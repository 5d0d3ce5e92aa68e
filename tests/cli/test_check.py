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


MENDABLE = """model A {
  input x: float32[N, 3, 8, 8]
  y = x → conv(4, 3 x 3) -> layer1.0: relu
  output y -> conv(4, kernel: 3x3)
}"""
MENDED = MENDABLE.replace("→", "->").replace("3 x 3", "3x3").replace("layer1.0", '"layer1.0"').replace("kernel:", "kernel =")


def test_fix_mends_what_has_one_right_answer() -> None:
    path = Path("a.cnn")
    path.write_bytes(b"\xef\xbb\xbf" + MENDABLE.replace("\n", "\r\n").encode())
    done = convspec("check", "--fix", path)
    assert (done.code, done.out) == (0, "a.cnn: no errors in A\n")
    assert [line.partition(":")[0] for line in done.err.splitlines()] == ["a.cnn"] * len(done.err.splitlines())
    assert path.read_bytes() == b"\xef\xbb\xbf" + MENDED.replace("\n", "\r\n").encode()
    assert convspec("check", "--fix", path) == Done(0, "a.cnn: no errors in A\n", "")


def test_fix_leaves_what_it_cannot_mend_and_files_that_are_not_named() -> None:
    Path("blocks.cnn").write_text("block B(x: tensor) { return x -> conv(4, 3 x 3) }\n")
    Path("net.cnn").write_text('use B from "blocks.cnn"\n' + BROKEN.replace("conv(4, 9x9)", "B"))
    done = convspec("check", "--fix", "net.cnn")
    assert done.code == 1 and "a size has no spaces" in done.err
    assert Path("blocks.cnn").read_text().count("3 x 3") == 1
    assert "fixed" in convspec("check", "--fix", "net.cnn", "blocks.cnn").err
    assert "CNN021" in convspec("check", "net.cnn").err and "3x3" in Path("blocks.cnn").read_text()


def test_without_fix_nothing_is_written() -> None:
    Path("a.cnn").write_text(MENDABLE)
    assert convspec("check", "a.cnn").code == 1
    assert Path("a.cnn").read_text() == MENDABLE


def test_forms_for_programs() -> None:
    Path("net.cnn").write_text(BROKEN)
    sarif = convspec("check", "net.cnn", "--format", "sarif")
    results = json.loads(sarif.out)["runs"][0]["results"]
    assert (sarif.code, sarif.err, [each["ruleId"] for each in results]) == (1, "", ["CNN032", "CNN021"])
    github = convspec("check", "net.cnn", "--format", "github")
    assert github.code == 1 and [line[:37] for line in github.out.splitlines()] == [
        "::error title=CNN032,file=net.cnn,lin",
        "::error title=CNN021,file=net.cnn,lin",
    ]
    right = convspec("check", "small.cnn", "--format", "sarif")
    assert right.code == 0 and json.loads(right.out)["runs"][0]["results"] == []
    assert convspec("check", "small.cnn", "--format", "github") == Done(0, "", "")
