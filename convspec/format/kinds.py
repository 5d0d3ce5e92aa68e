"""What the printer asks of a tree: which kind it is, how loosely it binds, what stands between its commas."""

from __future__ import annotations

from convspec.format.tree import Node, Tree
from convspec.syntax.tokens import Token

_SCALARS = frozenset(("integer", "real", "size", "true", "false", "string", "name", "unary", "positional"))


def is_token(tree: Tree, kind: str) -> bool:
    """Whether it is a token of that kind."""
    return isinstance(tree, Token) and tree.type == kind


def between_commas(children: list[Tree]) -> list[tuple[Tree, Tree | None]]:
    """What stands between commas, each with the comma after it."""
    found: list[tuple[Tree, Tree | None]] = []
    for child in children:
        if is_token(child, "COMMA"):
            found[-1] = found[-1][0], child
        else:
            found.append((child, None))
    return found


def is_scalar(tree: Tree) -> bool:
    """Whether it is a number, a word or a string, perhaps with a sign."""
    if isinstance(tree, Token):
        return True
    return tree.rule in _SCALARS and all(is_scalar(child) for child in tree.children)


_RANKS = {"or": 0, "and": 1, "+": 3, "-": 3, "*": 4, "/": 4, "//": 4, "%": 4, "**": 5}


def binding(tree: Tree) -> int:
    """How loosely its operator binds; comparisons are 2."""
    return _RANKS.get(str(tree.children[1]), 2) if isinstance(tree, Node) and tree.rule == "binary" else -1


def stands_apart(before: Tree, item: Tree) -> bool:
    """Whether an empty line belongs between two items: around everything that has a body."""
    return any(isinstance(each, Node) and any(_has_body(child) for child in each.children) for each in (before, item))


def _has_body(tree: Tree) -> bool:
    return isinstance(tree, Node) and tree.rule == "body"


def follows_parenthesis(node: Node, child: Tree) -> bool:
    """Whether the child stands inside the parentheses of a count: `(n - 1) * stage`."""
    at = node.children.index(child)
    return is_token(child, "RPAR") or (at > 0 and is_token(node.children[at - 1], "LPAR"))
