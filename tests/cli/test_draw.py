"""`convspec draw`, as it is called."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from convspec import api
from convspec.diagnostics import Failure
from tests.cli.helpers import SMALL, TWO, convspec

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "small.cnn"
    path.write_text(SMALL)
    return path


def test_every_form_is_written(spec: Path, tmp_path: Path) -> None:
    names = [tmp_path / f"net.{suffix}" for suffix in ("svg", "PNG", "mmd", "dot", "json", "html")]
    done = convspec("draw", spec, *(part for name in names for part in ("-o", name)))
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [f"wrote {name}" for name in names]
    ET.parse(names[0])
    assert names[1].read_bytes().startswith(PNG)
    assert names[2].read_text().splitlines()[3] == "flowchart TD"
    assert names[3].read_text().startswith('digraph "Small" {')
    assert json.loads(names[4].read_text())["totals"]["parameters"] == api.load(spec).summary().parameters.learnable
    assert names[5].read_text().lower().startswith("<!doctype html>")


def test_without_a_name_it_is_the_spec_s(spec: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert convspec("draw", spec).out == "wrote small.svg\n"
    assert ET.parse(tmp_path / "small.svg").getroot().findtext("{http://www.w3.org/2000/svg}title") == "Small"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("-o", "net.gif"), "the suffix .gif is that of no picture"),
        (("-o", "net"), "cannot draw net: it has no suffix"),
        (("--sizes", "q=3"), "there is no symbolic size `q`"),
        (("--sizes", "N=0"), "an integer of at least 1"),
        (("--style", "volumes", "-o", "net.mmd"), "volumes are drawn as .svg or .png"),
        (("--model", "Tiny"), "Tiny"),
        (("-o", "nowhere/net.svg"), "the folder nowhere does not exist"),
    ],
)
def test_mistakes_are_explained(args: tuple[str, ...], said: str, spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(spec.parent)
    done = convspec("draw", spec, *args)
    assert done.code == 1 and said in done.err and done.err.startswith("error[")
    assert not list(spec.parent.glob("*.svg"))


def test_a_suffix_is_told_before_the_spec_is_read() -> None:
    assert "the suffix .gif" in convspec("draw", "missing.cnn", "-o", "x.gif").err


def test_choices_reach_the_picture(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.svg"
    convspec("draw", spec, "-o", out, "--colour", "params", "--theme", "dark", "--direction", "right", "--sizes", "N=2")
    text = out.read_text()
    assert "parameters of a box" in text and "prefers-color-scheme" not in text and "float32[2, 1, 8, 8]" in text
    convspec("draw", spec, "-o", out, "--color", "none", "--style", "volumes")
    assert "of a box" not in out.read_text() and 'class="volume"' in out.read_text()


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    (tmp_path / "two.cnn").write_text(TWO)
    out = tmp_path / "two.svg"
    assert convspec("draw", tmp_path / "two.cnn", "-o", out).code == 0
    for name in ("left", "right", "sum", "max.0"):
        assert f">{name}</text>" in out.read_text()


def test_the_spec_is_not_written_over(tmp_path: Path) -> None:
    spec = tmp_path / "net.json"
    spec.write_text(SMALL)
    done = convspec("draw", spec, "-o", spec)
    assert done.code == 1 and "it is read by this command" in done.err
    assert spec.read_text() == SMALL


# ── the same from Python ─────────────────────────────────────────────────────────────────────────────────────


def test_a_net_draws_itself(spec: Path, tmp_path: Path) -> None:
    net = api.load(spec)
    picture = net.draw()
    assert isinstance(picture, str) and picture.startswith("<svg")
    made = net.draw(tmp_path / "net.png", theme="dark")
    assert isinstance(made, bytes) and (tmp_path / "net.png").read_bytes() == made
    assert net.draw(format="mmd") == net.draw(tmp_path / "net.mmd")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"format": "gif"}, "there is no form `gif`"),
        ({"depth": -1}, "`depth` is a number of levels"),
        ({"depth": "two"}, "`depth` is a number of levels"),
        ({"colour": "red"}, "`colour` cannot be 'red'"),
        ({"width": 3}, "a picture has no `width`"),
    ],
)
def test_wrong_wishes_are_explained(asked: dict[str, object], said: str, spec: Path) -> None:
    with pytest.raises(Failure, match=said):
        api.load(spec).draw(**asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(("library", "form"), [("pygraphviz", "svg"), ("resvg_py", "png")])
def test_a_library_that_is_missing_is_named(library: str, form: str, spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import util

    found = util.find_spec
    monkeypatch.setattr("convspec.draw.layout.find_spec", lambda name: None if name == library else found(name))
    monkeypatch.setattr("convspec.draw.png.find_spec", lambda name: None if name == library else found(name))
    with pytest.raises(Failure) as raised:
        api.load(spec).draw(format=form)
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == "CNN303" and "pip install 'convspec[draw]'" in str(diagnostic.hint)
    assert api.load(spec).draw(format="mmd")


def test_a_look_is_what_the_command_offers() -> None:
    """Each word of an option is one of the look, so that neither has what the other lacks."""
    from typing import get_args, get_type_hints

    from convspec.cli import draw as command
    from convspec.draw.look import Look

    hints = get_type_hints(Look)
    for name in ("colour", "direction", "theme", "style"):
        assert tuple(getattr(command, name.capitalize())) == get_args(hints[name])


def test_nothing_is_written_to_stderr_about_a_large_network(tmp_path: Path) -> None:
    """Graphviz says that much itself, past Python."""
    import subprocess
    import sys

    spec = tmp_path / "large.cnn"
    body = "for i in 0..510 { x = x + (x -> conv(2, 1x1)) }"
    spec.write_text(f"model Large {{\n input x: float32[1, 2, 4, 4]\n {body}\n output x\n}}\n")
    command = [sys.executable, "-m", "convspec", "draw", str(spec), "-o", str(tmp_path / "x.svg"), "--unroll", "--depth", "9"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert done.stderr == ""
