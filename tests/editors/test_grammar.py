"""The TextMate grammar against the compiler's own tokens, over every spec and over damaged ones (`make editor`).

The grammar runs where VS Code runs it, on vscode-textmate (editors/vscode/test/classify.mjs); this file only compares.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from convspec.syntax import grammar

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "editors" / "vscode"
SPECS = sorted([*(ROOT / "convspec").rglob("*.cnn"), *(ROOT / "examples").glob("*.cnn")])
READY = shutil.which("node") is not None and (EXTENSION / "node_modules" / "vscode-textmate").is_dir()

pytestmark = pytest.mark.skipif(
    not READY and not os.environ.get("CONVSPEC_EDITOR"), reason="needs node and `npm ci` in editors/vscode: make editor"
)

KEYWORDS = tuple(word for word in grammar.loaded().words if word.isalpha())
CLASSES = {"DOC": "doc", "COMMENT": "comment", "STRING": "string", "INT": "number", "FLOAT": "number", "SIZE": "number"}
"""The kinds of tokens that are compared. `UNTERMINATED_STRING` is a string, too."""
PREFIXES = {
    "comment.line.documentation": "doc",
    "comment.": "comment",
    "string.": "string",
    "invalid.": "error",
    "constant.numeric": "number",
    "keyword.control": "keyword",
    "keyword.operator.logical": "keyword",
    "constant.language.boolean": "keyword",
    "storage.type.": "keyword",
}
"""What scopes stand for."""
ERRORS = {"MALFORMED_NUMBER", "UNKNOWN"}


def classified(texts: list[str]) -> list[list[tuple[int, int, int, str]]]:
    """For each text the runs of the grammar: line, first and last column, scopes."""
    script = ["node", str(EXTENSION / "test" / "classify.mjs")]
    done = subprocess.run(script, input=json.dumps(texts), capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    found: list[list[tuple[int, int, int, str]]] = json.loads(done.stdout)
    return found


def offsets(text: str) -> list[int]:
    """Where the lines begin, as an editor counts them."""
    begins = [0]
    for index, char in enumerate(text):
        if char == "\n" or (char == "\r" and text[index + 1 : index + 2] != "\n"):
            begins.append(index + 1)
    return begins


def kind_of(scopes: str) -> str:
    """What the scopes of a run say, the outermost first: comment, string, number, keyword, error, or nothing of those."""
    for name in scopes.split():
        for prefix, kind in PREFIXES.items():
            if name.startswith(prefix):
                return kind
    return ""


def of_grammar(text: str, runs: list[tuple[int, int, int, str]]) -> list[str]:
    """For every character what the grammar takes it for."""
    found, begins = [""] * len(text), offsets(text)
    for line, start, end, scopes in runs:
        found[begins[line] + start : begins[line] + end] = [kind_of(scopes)] * (end - start)
    return found


def of_compiler(text: str) -> list[str]:
    """For every character what the compiler takes it for. A name that has letters of other scripts is an error of its own."""
    found = [""] * len(text)
    for token in grammar.tokens(text, 0, len(text)):
        kind = CLASSES.get(token.type, "keyword" if token in KEYWORDS else "")
        if token.type == "UNTERMINATED_STRING":
            kind = "string"
        elif token.type in ERRORS or (token.type in ("NAME", "INT", "FLOAT", "SIZE") and not token.isascii()):
            kind = "error"
        found[token.start_pos : token.end_pos] = [kind] * len(token)
    return found


def differences(text: str, runs: list[tuple[int, int, int, str]]) -> list[str]:
    """Where the two differ. A number that has no value (`007`, `1__0`) may be an error in the editor."""
    told = []
    for at, (expected, got) in enumerate(zip(of_compiler(text), of_grammar(text, runs), strict=True)):
        if text[at] in " \t\r\n" or expected == got or (expected == "number" and got == "error"):
            continue
        told.append(f"{expected or 'other'} is {got or 'other'} at {text[max(0, at - 30) : at]!r} >>> {text[at : at + 12]!r}")
    return told


@cache
def spec_texts() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in SPECS]


def test_every_spec_is_coloured_as_the_compiler_reads_it() -> None:
    texts = spec_texts()
    assert len(texts) > 80
    for path, text, runs in zip(SPECS, texts, classified(texts), strict=True):
        assert differences(text, runs) == [], path.name
        assert not [scopes for *_, scopes in runs if "invalid" in scopes], path.name
        seen = {kind_of(scopes) for *_, scopes in runs}
        assert {"keyword", "number"} <= seen, path.name


JUNK = [
    *'"\\{}#./*=()[]:,07;\'@!$`\n\t\x0c', "\u00a0", "\u2028", "\r\n", " ", "##", "###", "..", "...", "->", "//", "**", "==",
    "!=", "3x3", "0x", "1.", ".5", "5M", "1_", "é", "ß", "名前", "²", "٣", "😀", "“", "×", '"{', '}"', '"\\"',
    "if ", " for ", " block ", " input ", " layer ", "model",
]  # fmt: skip


def damaged(seed: int, count: int) -> list[str]:
    """Parts of specs in which characters were taken out and junk was put in."""
    chance, texts = random.Random(seed), spec_texts()
    found = []
    for _ in range(count):
        text = chance.choice(texts)
        start = chance.randrange(len(text))
        chars = list(text[start : start + chance.randrange(20, 600)])
        for _ in range(chance.randrange(1, 12)):
            at = chance.randrange(len(chars) + 1)
            chars[at : at + chance.choice((0, 0, 1, 2, 9))] = chance.choice(JUNK)
        found.append("".join(chars))
    return found


def test_damaged_specs_are_coloured_as_the_compiler_reads_them() -> None:
    texts = damaged(7, 150)
    told = [line for text, runs in zip(texts, classified(texts), strict=True) for line in differences(text, runs)[:1]]
    assert told == []


def test_the_comparison_sees_a_difference() -> None:
    (runs,) = classified(["x = 5 # note\n"])
    assert differences("x = 5 # note\n", runs) == []
    assert differences('x = "a"#note\n', runs)
