"""A tree kept through edits is the tree, and the errors are the errors, of a parse from nothing."""

from __future__ import annotations

import random
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from convspec.diagnostics import Diagnostic, Failure
from convspec.source import SourceFile, Span
from convspec.syntax import parse
from convspec.syntax.incremental import Buffer, IncrementalTree
from convspec.syntax.intact import intact_items

ROOT = Path(__file__).resolve().parents[2]
FILES = ["examples/resnet.cnn", "convspec/std/attention.cnn", "convspec/zoo/unet.cnn", "convspec/zoo/mobilenet_v3.cnn"]
PIECES = [
    *[
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "->",
        '"',
        "#",
        "##",
        ";",
        "=",
        "x",
        "if",
        "1x",
        "3..4",
        "//",
        "é",
        "😀",
        "block",
        "model",
        "use",
        "{x}",
    ],
    *("## doc\n", "\n", "\nblock B(x) {\n", "\nmodel M {", "\nlet A = 1\n", "\ndefault conv(bias = false)\n", "\nlanguage 1\n"),
    *(
        '\nuse A from "b.cnn"\n',
        "\nmodel N = M()\n",
        "\r\n",
        "\r",
        " ",
        "\nreturn x\n",
        "\n}\n",
        "\x0c",
        "\u2028",
        "\n\n\n",
        "\ufeff",
    ),
]


def shown(node: Any) -> Any:
    """A tree with its places, without the file."""
    if isinstance(node, Span):
        return (node.start, node.end)
    if is_dataclass(node):
        return (type(node).__name__, *(shown(getattr(node, each.name)) for each in fields(node)))
    if isinstance(node, tuple):
        return tuple(map(shown, node))
    return node


def told(failure: Failure | None) -> list[Any]:
    return [_told(each) for each in failure.diagnostics] if failure is not None else []


def _told(each: Diagnostic) -> Any:
    places = [(label.span.start, label.span.end, label.text) for label in (each.primary, *each.related) if label is not None]
    fixes = [(fix.span.start, fix.span.end, fix.replacement) for fix in (each.fix, *each.suggestions) if fix is not None]
    return each.code, each.message, each.hint, each.notes, places, fixes


def check(tree: IncrementalTree, text: str) -> None:
    file = SourceFile("a.cnn", text)
    try:
        expected, failure = parse(file), None
    except Failure as raised:
        expected, failure = None, raised
    assert told(tree.failure) == told(failure)
    assert shown(tree.tree) == shown(expected)
    if failure is not None:
        intact = intact_items(file)
        assert (tree.intact is None) == (intact is None)
        if intact is not None and tree.intact is not None:
            assert shown(tree.intact.tree) == shown(intact.tree)
            assert tree.intact.lost == intact.lost


def edited(text: str, chance: random.Random) -> str:
    """The text with something put in, left out or moved."""
    at = chance.randrange(len(text) + 1)
    match chance.randrange(4):
        case 0:
            return text[:at] + chance.choice(PIECES) + text[at:]
        case 1:
            return text[:at] + text[at + chance.choice((1, 1, 2, 10, 80)) :]
        case 2:
            return text[:at] + chance.choice(PIECES) + text[at + chance.randrange(4) :]
    lines = text.split("\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("seed", range(2))
def test_random_edits(name: str, seed: int) -> None:
    chance = random.Random(f"{name}{seed}")
    whole = (ROOT / name).read_text("utf-8")
    text = whole
    tree = IncrementalTree(Buffer("a.cnn", text))
    for _ in range(12):
        before = text
        text = edited(text, chance)
        tree.update(text)
        check(tree, text)
        if chance.random() < 0.6:  # mended again, so that most of the time most of it is right
            text = before
            tree.update(text)
            check(tree, text)
        if chance.random() < 0.15:
            text = whole


def test_what_did_not_change_is_kept() -> None:
    text = "block A(x) { return x -> relu }\n\nblock B(x) { return x -> relu }\n\nblock C(x) { return x }\n"
    tree = IncrementalTree(Buffer("a.cnn", text))
    assert tree.tree is not None
    before = tree.tree.items
    tree.update(text.replace("block B(x) { return x", "block B(x) { return x -> gelu"))
    assert tree.tree is not None
    assert tree.tree.items[0] is before[0] and tree.tree.items[2] is before[2]
    assert tree.tree.items[1] is not before[1]
    assert before[2].span.text == "block C(x) { return x }"


def test_an_error_leaves_the_others_alone() -> None:
    text = "block A(x) { return x -> relu }\n\nblock B(x) { return x -> relu }\n\nblock C(x) { return x }\n"
    tree = IncrementalTree(Buffer("a.cnn", text))
    assert tree.tree is not None
    before = tree.tree.items
    broken = text.replace("relu }", "relu -> }", 1)
    tree.update(broken)
    assert tree.tree is None and tree.failure is not None and tree.intact is not None
    assert tree.intact.tree.items == before[1:] and tree.intact.lost >= {"A"}
    tree.update(text)
    assert tree.tree is not None and tree.tree.items[1:] == before[1:]
