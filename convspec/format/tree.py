"""A spec as it is written: every token, in the rules of the grammar, and what stands between the tokens."""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from convspec.records import dataclass
from convspec.syntax import grammar
from convspec.syntax.tokens import Token


@dataclass(slots=True, eq=False)
class Node:
    """What a rule of the grammar took; rules that hand on their one child make none."""

    rule: str
    children: list[Tree]


Tree: TypeAlias = "Node | Token"


@dataclass(slots=True)
class Gap:
    """What stands around a token: comments, and whether it begins a line."""

    above: list[tuple[str, bool]] = field(default_factory=list)
    """Comments before it with lines of their own; whether an empty line stands before each."""
    behind: list[str] = field(default_factory=list)
    """Comments after it in its line."""
    newline: bool = False
    blank: bool = False
    """Whether an empty line stands right before the token."""


class _Nodes:
    """What the machine calls for every rule."""

    def __getattr__(self, rule: str) -> object:
        return lambda children: Node(rule, children)


def read(text: str, start: int = 0) -> tuple[Node, dict[int, Gap]]:
    """The tree of a text that parses, and by where each token begins (the end of the text too), what stands around it."""
    tokens: list[Token] = []
    gaps: dict[int, Gap] = {}
    gap, last = Gap(), start
    for token in [*grammar.tokens(text, start, len(text)), Token("$END", "", len(text), len(text))]:
        between = text[last : token.start_pos]
        gap.newline = gap.newline or "\n" in between or not tokens
        is_comment = token.type in ("COMMENT", "DOC")
        if is_comment and not gap.newline:
            gaps[tokens[-1].start_pos].behind.append(_comment(token))
        elif is_comment:
            gap.above.append((_comment(token), between.count("\n") > 1))
        else:
            gap.blank = between.count("\n") > 1
            gaps[token.start_pos] = gap
            tokens.append(token)
            gap = Gap()
        last = token.end_pos
    machine = grammar.machine(grammar.START_FILE, grammar.callbacks(_Nodes()))
    machine.run(tokens)
    assert machine.complete and machine.values[-1].rule == "file", "a text that parses"
    return machine.values[-1], gaps


def _comment(token: Token) -> str:
    """`#words` as `# words`."""
    text = token.rstrip()
    marks = len(text) - len(text.lstrip("#"))
    return f"{text[:marks]} {text[marks:]}" if marks <= 2 and text[marks:][:1].isalnum() else text


def first_token(tree: Tree) -> Token:
    """The token that begins it."""
    while isinstance(tree, Node):
        tree = tree.children[0]
    return tree


__all__ = ["Gap", "Node", "Tree", "first_token", "read"]
