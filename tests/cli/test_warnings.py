"""Warnings on the command line: they are shown, in every form, and change no exit status unless they are denied."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.cli.helpers import Done, convspec

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/diagnostics.schema.json").read_text(encoding="utf-8"))
BLOCK = "block Unit(x: tensor, width: int) {\n    return x -> conv(width, 3x3) -> batchnorm -> relu\n}\n"
NET = 'use Unit from "unit.cnn"\n\n'
NET += "model Net {\n    input x: float32[N, 3, 32, 32]\n    y = x -> tanh\n    output x -> 3 * Unit(8)\n}\n"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("unit.cnn").write_text(BLOCK)
    Path("net.cnn").write_text(NET)


def test_a_spec_with_warnings_is_right() -> None:
    done = convspec("check", "net.cnn")
    assert (done.code, done.out) == (0, "net.cnn: no errors in Net; 2 warnings\n")
    assert [line for line in done.err.splitlines() if line.startswith("warning")] == [
        "warning[CNN103]: `y` is never used",
        "warning[CNN110]: this bias has no effect: the batchnorm after it takes it off again",
    ]
    assert " --> unit.cnn:2:17" in done.err


def test_they_may_be_denied() -> None:
    done = convspec("check", "net.cnn", "--deny", "warnings")
    assert (done.code, done.out) == (1, "")
    assert done.err.count("error[CNN1") == 2
    assert "warning" not in done.err
    assert convspec("check", "unit.cnn", "--deny", "warnings").code == 0
    assert convspec("check", "net.cnn", "--deny", "errors").code == 2


def test_each_place_is_told_once_for_several_specs_and_models() -> None:
    Path("other.cnn").write_text(NET.replace("    y = x -> tanh\n", "") + "model Second = Net()\n")
    done = convspec("check", "net.cnn", "other.cnn", "unit.cnn")
    assert done.out.splitlines()[:2] == ["net.cnn: no errors in Net; 2 warnings", "other.cnn: no errors in Net, Second"]
    assert done.err.count("warning[CNN110]") == 1


def test_all_models_of_a_file_have_their_say() -> None:
    unit = BLOCK.replace("width: int", "norm: stage").replace("width", "8").replace("batchnorm", "norm")
    models = "".join(
        f"model {name} {{\n    input x: float32[N, 3, 32, 32]\n    output x -> Unit({norm})\n}}\n"
        for name, norm in (("A", "batchnorm"), ("B", "identity"))
    )
    Path("two.cnn").write_text(unit + models)
    assert convspec("check", "two.cnn") == Done(0, "two.cnn: no errors in A, B\n", "")
    assert convspec("check", "two.cnn", "--model", "A").out == "two.cnn: no errors in A; 1 warning\n"


def test_an_error_hides_the_warnings_of_its_file() -> None:
    Path("bad.cnn").write_text("let a = 1\nmodel Bad { input x: float32[N, 3]\n output x -> rleu }")
    done = convspec("check", "bad.cnn", "net.cnn")
    assert done.code == 1
    assert [line.partition("]")[0] for line in done.err.splitlines() if "[CNN" in line] == [
        "error[CNN021", "warning[CNN103", "warning[CNN110",
    ]  # fmt: skip


def test_forms_for_programs() -> None:
    plain = convspec("check", "net.cnn", "--format", "json")
    assert (plain.code, plain.err) == (0, "")
    told = json.loads(plain.out)
    jsonschema.validate(told, SCHEMA)
    assert told["models"] == ["Net"]
    assert [(each["code"], each["severity"]) for each in told["diagnostics"]] == [("CNN103", "warning"), ("CNN110", "warning")]
    sarif = convspec("check", "net.cnn", "--format", "sarif")
    assert sarif.code == 0
    assert [each["level"] for each in json.loads(sarif.out)["runs"][0]["results"]] == ["warning", "warning"]
    github = convspec("check", "net.cnn", "--format", "github")
    assert github.code == 0
    assert [line.partition(" ")[0] for line in github.out.splitlines()] == ["::warning", "::warning"]


def test_fix_mends_in_the_files_that_are_named() -> None:
    assert convspec("check", "--fix", "net.cnn").out == "net.cnn: no errors in Net; 2 warnings\n"
    assert Path("unit.cnn").read_text() == BLOCK
    done = convspec("check", "--fix", "net.cnn", "unit.cnn")
    assert done.code == 0
    assert Path("unit.cnn").read_text() == BLOCK.replace("3x3)", "3x3, bias = false)")
    assert done.out.splitlines()[0] == "net.cnn: no errors in Net; 1 warning"


def test_compile_tells_them_and_writes() -> None:
    done = convspec("compile", "net.cnn", "--target", "pytorch")
    assert done.code == 0
    assert done.err.count("warning[CNN1") == 2
    assert Path("net.py").is_file()
    told = convspec("compile", "net.cnn", "--target", "pytorch", "--format", "json")
    assert json.loads(told.out)["model"] == "Net"
    assert convspec("compile", "zoo:squeezenet1_1", "--target", "pytorch").err == ""


def test_what_the_zoo_does_is_not_told() -> None:
    assert convspec("check", "zoo:basset").err == ""
