"""Runs the Markdown cases under `tests/cases`.

A case is a heading with, below it, one or more ```cnn blocks (the files of a spec) and the result:

- ```graph: the text of the flat graph (`convspec/ir/dump.py`)
- ```error: the diagnostics exactly as a user sees them

A block that is not named is `net.cnn`; ```cnn file=blocks/a.cnn names another file. `net.cnn` is compiled, or the first block
if none has that name. Words after ```graph or ```error say how: `model=NAME`, `set:classes=10`, `limit:nodes=100`; with
`packages` the sample packages of tests/plugins are installed.

An empty or wrong result block fails. CONVSPEC_UPDATE_CASES=1 writes what came out into blocks that are there, to be read line
by line before it is committed; it is refused where CI is set.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from convspec.analysis.budgets import check_asserts
from convspec.diagnostics import Failure
from convspec.diagnostics.codes import CODES
from convspec.diagnostics.render import render
from convspec.elaborate import load
from convspec.ir.dump import dump
from convspec.limits import Limits

CASES = Path(__file__).parent / "cases"
UPDATE = "CONVSPEC_UPDATE_CASES"
PACKAGES_WORD = "packages"
_RESULTS = ("graph", "error")
_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ +(?P<title>.+?) *$", re.MULTILINE)


@dataclass(slots=True)
class Block:
    """A fenced block: the words behind the fence, the text, and where the text lies in the Markdown file."""

    kind: str
    words: list[str]
    text: str
    start: int
    end: int


@dataclass(slots=True)
class Case:
    path: Path
    title: str
    files: dict[str, str] = field(default_factory=dict)
    results: list[Block] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.path.relative_to(CASES).with_suffix('')}: {self.title}"


def cases_of(path: Path) -> list[Case]:
    """The cases of one Markdown file; a heading without a ```cnn block is prose."""
    text = path.read_text("utf-8")
    blocks = [_block(match) for match in _FENCE.finditer(text)]
    headings = [h for h in _HEADING.finditer(text) if not any(b.start <= h.start() < b.end for b in blocks)]
    found = []
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        end = following.start() if following else len(text)
        case = Case(path, heading["title"])
        for block in blocks:
            if heading.end() <= block.start < end:
                _add(case, block)
        if case.files or case.results:
            found.append(case)
    return found


def _block(match: re.Match[str]) -> Block:
    kind, *words = match["info"].split() or [""]
    return Block(kind, words, match["text"], match.start("text"), match.end("text"))


def _add(case: Case, block: Block) -> None:
    if block.kind in _RESULTS:
        case.results.append(block)
        return
    assert block.kind == "cnn", f"{case}: a ```{block.kind} block means nothing here"
    names = [word.removeprefix("file=") for word in block.words]
    assert len(names) <= 1, f"{case}: a ```cnn block takes only file=NAME"
    name = names[0] if names else "net.cnn"
    assert name not in case.files, f"{case}: two blocks are the file {name}"
    case.files[name] = block.text


def outcome(case: Case, words: list[str], folder: Path) -> tuple[str, str]:
    """What came out, as the kind of block and its text. The files are written to `folder`, the working directory."""
    for name, text in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    main = "net.cnn" if "net.cnn" in case.files else next(iter(case.files))
    model, settings, limits = _options(words)
    try:
        module = load(main, model, settings, limits)
        check_asserts(module)
    except Failure as failure:
        return "error", render(failure.diagnostics)
    return "graph", dump(module.graph)


def _options(words: list[str]) -> tuple[str | None, dict[str, object], Limits]:
    model, settings, limits = None, {}, {}
    for word in words:
        key, _, value = word.partition("=")
        kind, _, name = key.partition(":")
        if key == "model":
            model = value
        elif kind == "set":
            settings[name] = json.loads(value)
        elif kind == "limit":
            limits[name] = int(value)
        elif word != PACKAGES_WORD:
            raise AssertionError(f"unknown word behind a fence: {word}")
    return model, settings, Limits(**limits)


def _update(case: Case, block: Block, text: str) -> None:
    """Writes a result into its block. Other blocks of the file may have moved since it was read, so it is found anew."""
    assert not os.environ.get("CI"), f"{UPDATE} is refused where CI is set"
    current = next(c for c in cases_of(case.path) if c.title == case.title).results[0]
    whole = case.path.read_text("utf-8")
    case.path.write_text(whole[: current.start] + text + whole[current.end :], "utf-8")


ALL = [case for path in sorted(CASES.rglob("*.md")) for case in cases_of(path)]


@pytest.mark.parametrize("case", ALL, ids=str)
def test_case(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    assert len(case.results) == 1, f"{case} needs one ```graph or ```error block, it has {len(case.results)}"
    assert case.files, f"{case} has no ```cnn block"
    monkeypatch.chdir(tmp_path)
    expected = case.results[0]
    if PACKAGES_WORD in expected.words:
        request.getfixturevalue("installed_packages")
    kind, text = outcome(case, expected.words, tmp_path)
    if kind == expected.kind and text != expected.text and os.environ.get(UPDATE) == "1":
        _update(case, expected, text)
        pytest.fail(f"{case} was rewritten: read it")
    assert f"{kind}\n{text}" == f"{expected.kind}\n{expected.text}"


def test_titles_are_unique() -> None:
    names = [str(case) for case in ALL]
    assert sorted(names) == sorted(set(names))


def test_every_diagnostic_of_check_is_shown() -> None:
    """Codes below 80 are those that `check` can give; a new one needs a case here."""
    shown = {code for case in ALL for block in case.results for code in re.findall(r"^error\[(CNN\d+)\]", block.text, re.M)}
    assert {code for code in CODES if int(code[3:]) < 80} - shown == set()
