"""The pages of the codes are true: every message in them is what convspec says, and what is put right works."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import pytest

from convspec import ops
from convspec.diagnostics.codes import CODES
from convspec.explain.code import MAIN, code_page, halves, spec_of
from convspec.ir.lowering import Arg, Call
from tests.cli.helpers import convspec

COMMANDS = {
    "CNN006": "it is about the bytes of a file, which a page cannot hold",
    "CNN027": "it takes a package that is installed and broken",
    "CNN200": "it is about a weights file",
    "CNN201": "it is about a weights file",
    "CNN203": "it is about a weights file",
    "CNN204": "it is about a weights file",
    "CNN205": "it is about a weights file",
    "CNN300": "it is about an input file",
    "CNN301": "it is about an input file",
    "CNN302": "it is about an input file",
    "CNN303": "it is about what is installed",
    "CNN304": "it is about the machine",
    "CNN305": "it is about options",
    "CNN306": "it is about the file that is run",
    "CNN307": "it is about the machine",
    "CNN308": "it takes a target that is wrong",
    "CNN400": "it is about a file to be written",
    "CNN401": "it is about options",
    "CNN402": "it is about `explain` itself",
    "CNN403": "it is about files to be written",
}
"""Codes that no spec gives alone: their pages show a command, and why."""

BLOCK = re.compile(r"^```(cnn|python|console)[^\n]*\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


def half(code: str, heading: str) -> str:
    return dict(halves(code))[heading]


def test_every_code_has_the_three_parts() -> None:
    for code in CODES:
        assert [heading for heading, _ in halves(code)] == ["", "Wrong", "Right"], code
        assert len(half(code, "")) > 100, code


def test_the_codes_without_a_spec_are_these() -> None:
    assert {code for code in CODES if spec_of(half(code, "Wrong")) is None} == set(COMMANDS)


@pytest.mark.parametrize("code", [code for code in CODES if code not in COMMANDS])
def test_the_wrong_spec_gives_the_code_and_the_right_one_nothing(code: str) -> None:
    wrong, right = spec_of(half(code, "Wrong")), spec_of(half(code, "Right"))
    assert wrong is not None and right is not None
    message = wrong.message()
    severity = "warning" if code.startswith("CNN1") else "error"
    assert message.startswith(f"{severity}[{code}]: ")
    assert set(re.findall(r"^(\w+)\[(CNN\d+)\]", message, re.MULTILINE)) == {(severity, code)}
    assert right.message() == ""
    shown = code_page(code).markdown()
    assert f"says:\n\n```\n{message}```\n" in shown
    assert all(text.rstrip("\n") in shown for spec in (wrong, right) for text in spec.files.values())


@pytest.mark.parametrize("code", COMMANDS)
def test_the_commands_say_what_the_page_shows(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    if code in CIRCUMSTANCES:
        request.getfixturevalue(CIRCUMSTANCES[code])
    names: dict[str, Any] = {}
    shown = act(half(code, "Wrong"), names)
    assert f"error[{code}]: " in shown
    act(half(code, "Right"), names)


def act(text: str, names: dict[str, Any]) -> str:
    """Do what a half of a page shows, and hold what is said against it; a command shown alone has to succeed."""
    told = ""
    for kind, block in BLOCK.findall(text):
        if kind == "cnn":
            Path(MAIN).write_text(f"{block}\n")
        elif kind == "python":
            exec(block, names)
        else:
            command, _, expected = block.partition("\n")
            done = convspec(*command.removeprefix("$ convspec ").split())
            said = f"{done.out}{done.err}".rstrip("\n")
            assert done.code == (1 if expected else 0), said
            assert not expected or re.fullmatch(pattern(expected), said, re.DOTALL), said
            told += said
    return told


def pattern(expected: str) -> str:
    """`…` stands for what differs from machine to machine."""
    return ".*".join(re.escape(part) for part in expected.split("…"))


# ── circumstances in which some messages come ────────────────────────────────────────────────────────────────

CIRCUMSTANCES = {
    "CNN027": "installed_packages",
    "CNN303": "no_tensorflow",
    "CNN307": "no_memory",
    "CNN308": "wrong_relu",
}


@pytest.fixture
def no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    def importing(name: str) -> Any:
        if name == "tensorflow":
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return import_module(name)

    monkeypatch.setattr("convspec.runtime.devices.import_module", importing)


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which a batch of one is all that fits."""
    from convspec.runtime import reference

    evaluate: Callable[..., Any] = reference.evaluate

    def small(graph: Any, weights: Any, arrays: Any) -> Any:
        return evaluate(graph, weights, arrays) if all(len(array) == 1 for array in arrays.values()) else exhausted()

    monkeypatch.setattr(reference, "evaluate", small)


def exhausted() -> NoReturn:
    raise MemoryError


@pytest.fixture
def wrong_relu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A relu that is something else on ONNX."""
    home = import_module("convspec.ops.relu")
    lower = {**home.OP.lower, "onnx": lambda a, x: Call("Softplus", (Arg(0),))}
    monkeypatch.setattr(home, "OP", replace(home.OP, lower=lower))
    ops.find.cache_clear()
    yield
    monkeypatch.undo()
    ops.find.cache_clear()
