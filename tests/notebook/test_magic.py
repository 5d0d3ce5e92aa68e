"""`%%cnn` in IPython's own shell: what it assigns, what it shows, and how it fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import convspec
from convspec.notebook.magic import CellFailure

SPEC = (
    "model Tiny(width: int = 8) {\n    input image: float32[N, 3, 8*h, 8*w]\n    output image -> conv(width, 3x3) -> relu\n}\n"
)
TWO = "model A { input x: float32[N, 4]\n output x -> relu }\nmodel B { input x: float32[N, 4]\n output x -> linear(2) }\n"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A fresh shell with the extension, in a folder of its own, without a history, whose thread would outlive the test."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.chdir(tmp_path)
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    made.run_line_magic("load_ext", "convspec")
    yield made
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, line: str, cell: str = SPEC) -> Any:
    """What the cell gives; what it raised is raised."""
    done = shell.run_cell(f"%%cnn {line}\n{cell}", store_history=True)
    if done.error_in_exec is not None:
        raise done.error_in_exec
    return done.result


def test_it_gives_the_network_to_net_and_shows_it(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    net = run(shell, "")
    assert shell.user_ns["net"] is net
    assert isinstance(net, convspec.Net)
    told = capsys.readouterr().out
    assert "Tiny(image: float32[N, 3, 8*h, 8*w])" in told and "conv(8, 3x3)" in told


def test_options(shell: InteractiveShell) -> None:
    net = run(shell, "small --set width=16 --sizes N=1,h=2 --sizes w=3 --seed 7 --quiet")
    assert net is None
    made = shell.user_ns["small"].module.graph
    assert str(made.inputs[0].value.type) == "float32[1, 3, 16, 24]"
    assert made.outputs[0].value.type.shape[1] == 16
    assert "net" not in shell.user_ns


def test_a_model_of_several(shell: InteractiveShell) -> None:
    assert run(shell, "b --model B", TWO).module.name == "B"
    with pytest.raises(CellFailure, match="holds 2 models"):
        run(shell, "b", TWO)


def test_quoted_values(shell: InteractiveShell) -> None:
    head = 'model M(ks: list = [1], mode: string = "a b") { input x: float32[N, 3, 8, 8]\n'
    cell = head + " for k in ks { x = x -> conv(k, 1x1) }\n output x }"
    net = run(shell, "n --set 'ks=[4, 5]' --set mode=\"c\"", cell)
    assert net.module.graph.outputs[0].value.type.shape[1] == 5


def test_weights(shell: InteractiveShell, tmp_path: Path) -> None:
    convspec.loads(SPEC, seed=3).save_weights(tmp_path / "w.safetensors")
    net = run(shell, "net --weights w.safetensors")
    assert (net.weights["conv1.weight"] == convspec.loads(SPEC, seed=3).weights["conv1.weight"]).all()


def test_imports_begin_in_the_current_folder(shell: InteractiveShell, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "blocks.cnn").write_text("block Two(x: tensor) { return x -> relu -> sigmoid }\n")
    use = 'use Two from "{}"\nmodel M {{ input x: float32[N, 4]\n output x -> Two }}'
    assert [node.op.name for node in run(shell, "", use.format("lib/blocks.cnn")).module.graph.nodes] == ["relu", "sigmoid"]
    assert run(shell, "net --root lib", use.format("blocks.cnn")).module.name == "M"
    with pytest.raises(CellFailure, match="CNN011"):
        run(shell, "net --root lib", use.format("../lib/../x.cnn"))


def test_a_mistake_is_shown_where_it_is_and_never_as_a_traceback(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["net"] = "as before"
    done = shell.run_cell(
        "%%cnn\n" + SPEC.replace("relu", "rely") + "block X(x: tensor) { return x -> sigmoidd }", store_history=True
    )
    assert isinstance(done.error_in_exec, CellFailure), "the cell has failed, so that `run all` stops"
    told = capsys.readouterr().out
    assert "\x1b[1;31merror" in told, "in colour"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", told)
    assert "error[CNN021]: there is no layer or block called `rely`" in plain
    assert "--> In [1]:4:41" in plain and "did you mean `relu`?" in plain
    assert "Traceback" not in plain and ".py" not in plain
    assert shell.user_ns["net"] == "as before"


@pytest.mark.parametrize(
    "cell", ["", "   \n", "# nothing\n", "block B(x: tensor) { return x }", "model {", '"', "\x00", "🙂", "{" * 5000]
)
def test_every_cell_is_taken(shell: InteractiveShell, cell: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises((CellFailure, UsageError)):
        run(shell, "", cell)
    assert "Traceback" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "line", ["1x", "class", "net --model", "net --what", "net --seed x", "net --seed -1", "a b", "net 'open", "os.path"]
)
def test_options_that_are_none(shell: InteractiveShell, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError):
        run(shell, line)
    told = capsys.readouterr()
    assert "Traceback" not in told.out + told.err and "UsageError" in told.out + told.err


@pytest.mark.parametrize(
    "line", ["net --set width", "net --set width=", "net --sizes N=0", "net --model B", "net --weights no.pt"]
)
def test_values_that_do_not_fit(shell: InteractiveShell, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CellFailure):
        run(shell, line)
    assert "error[CNN" in re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)


def test_the_help_names_every_option(shell: InteractiveShell) -> None:
    told = shell.find_cell_magic("cnn").__doc__ or ""
    for option in ("--model", "--set", "--sizes", "--weights", "--seed", "--root", "--quiet"):
        assert option in told


def test_it_is_there_under_both_names() -> None:
    from convspec import load_ipython_extension, notebook

    assert load_ipython_extension is notebook.load_ipython_extension


def test_what_the_documentation_shows(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    """The cells of docs/notebook.md, in their order."""
    text = (Path(__file__).parents[2] / "docs" / "notebook.md").read_text(encoding="utf-8")
    cells = [block for block in re.findall(r"```\n(%%.*?)```", text, flags=re.DOTALL)]
    assert len(cells) == 3
    for cell in cells:
        assert shell.run_cell(cell, store_history=True).success, capsys.readouterr().out
    assert shell.user_ns["tiny"].module.graph.outputs[0].value.type.shape[1] == 16
    assert len(shell.user_ns["net"].module.graph.nodes) == 4
    for option in re.findall(r"`(--[a-z]+)", text):
        assert option in (shell.find_cell_magic("cnn").__doc__ or "")


def test_warnings_stand_above_the_network(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.colors = "nocolor"
    cell = "model M {\n input x: float32[N, 3, 8, 8]\n y = x -> relu\n output x -> conv(4, 3x3)\n}"
    assert run(shell, "", cell) is shell.user_ns["net"]
    told = capsys.readouterr().out
    assert told.startswith("warning[CNN103]: `y` is never used") and "--> In [1]:4:2" in told
    assert told.index("warning[") < told.index("M(x: float32")
    run(shell, "--quiet", cell)
    assert "warning[CNN103]" in capsys.readouterr().out
    run(shell, "", SPEC)
    assert "warning" not in capsys.readouterr().out


def test_without_colours_there_are_none(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.colors = "nocolor"
    with pytest.raises(CellFailure):
        run(shell, "", "model {")
    assert "\x1b" not in capsys.readouterr().out


def test_it_can_be_loaded_again(shell: InteractiveShell) -> None:
    shell.run_line_magic("reload_ext", "convspec")
    shell.run_line_magic("load_ext", "convspec.notebook")
    assert run(shell, "again").module.name == "Tiny"


def test_line_ends_of_any_kind(shell: InteractiveShell) -> None:
    assert run(shell, "net", SPEC.replace("\n", "\r\n")).module.name == "Tiny"


def test_the_network_compiles_like_any_other(shell: InteractiveShell, tmp_path: Path) -> None:
    written = run(shell, "net").compile("pytorch", tmp_path)
    assert [path.name for path in written] == ["Tiny.py", "Tiny.safetensors"]
    assert "class Tiny" in written[0].read_text(encoding="utf-8")
