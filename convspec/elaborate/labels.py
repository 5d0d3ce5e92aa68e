"""Names of stages: what the author wrote, or the op and its ordinal; and that no two are alike.

The rules are language.md's: a level is letters, digits, `_` and `-`, dots separate levels, two stages of one body never have
the same label, and none lies inside another stage.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Any

from convspec.diagnostics import Failure, Label, error, fail
from convspec.elaborate.walk import descendants
from convspec.records import dataclass
from convspec.source import Span
from convspec.syntax import ast

OPERATOR_OPS = {
    **{"+": "add", "-": "sub", "*": "mul", "/": "div", "**": "pow"},
    **{">": "greater", ">=": "greater_equal", "<": "less", "<=": "less_equal", "==": "equal", "!=": "not_equal"},
}
"""What each operator is between tensors."""

_LONGEST = 500
_LEVEL = re.compile(r"[A-Za-z0-9_-]+")


def check_label(text: str, span: Span) -> str:
    """`text` if it is a well-formed label, else CNN052."""
    if len(text) > _LONGEST:
        raise fail(error("CNN052", f"a label has at most {_LONGEST} characters, and this has {len(text):,}", span))
    if all(_LEVEL.fullmatch(level) for level in text.split(".")):
        return text
    message = f'"{text}" is not a label' if text else "a label cannot be empty"
    hint = "a level is letters, digits, `_` and `-`; dots separate levels: layer1.0"
    raise fail(error("CNN052", message, span, hint=hint))


@dataclass(slots=True)
class Registry:
    """The labels of one body, or of one labelled group, and where each was given."""

    stages: dict[str, Span] = field(default_factory=dict)
    levels: dict[str, Span] = field(default_factory=dict)
    """Proper prefixes of labels: `layer1` for `layer1.0`."""

    def claim(self, label: str, span: Span, counter: Callable[[], str | None] = lambda: None) -> None:
        """Take `label` for the stage at `span`, or fail with CNN050 or CNN051. `counter` names what counts the loop's turns."""
        if label in self.stages:
            raise self._taken(label, span, counter())
        prefixes = _prefixes(label)
        for prefix in prefixes:
            if prefix in self.stages:
                raise _inside(label, span, prefix, self.stages[prefix])
        if label in self.levels:
            raise _inside(self._first_below(label), self.levels[label], label, span)
        self.stages[label] = span
        for prefix in prefixes:
            self.levels.setdefault(prefix, span)

    def _first_below(self, label: str) -> str:
        return next(name for name in self.stages if name.startswith(label + "."))

    def _taken(self, label: str, span: Span, counter: str | None) -> Failure:
        first = self.stages[label]
        message = f"two stages are labelled `{label}`"
        if first == span:
            hint = f'put the turn of the loop into the label: "{label}{{{counter}}}"'
            if counter is None:
                hint = "number the turns: for i, x in xs, or a label on the repeat: stem: n * [conv(8, 3x3)]"
            return fail(error("CNN050", message, span, "this stage is reached more than once", hint=hint))
        related = [Label(first, "the first one")]
        return fail(error("CNN050", message, span, "the second one", related=related))


def _inside(label: str, span: Span, outer: str, outer_span: Span) -> Failure:
    message = f"the label `{label}` lies inside the stage `{outer}`"
    return fail(error("CNN051", message, span, related=[Label(outer_span, f"`{outer}` is a stage of its own")]))


def _prefixes(label: str) -> list[str]:
    levels = label.split(".")
    return [".".join(levels[:count]) for count in range(1, len(levels))]


def ordinals(body: ast.Body | ast.Expr) -> dict[object, str]:
    """The name of every stage of `body` that may need one: the op and its ordinal among the unlabelled ones in the text.

    It depends on the text alone, so that it is the same whichever branch is taken.
    """
    nodes = list(descendants(body))
    inputs = (node for node in nodes if isinstance(node, ast.Input))
    unnamed = {id(stage) for stage in _labelled(nodes)} | {id(node) for each in inputs for node in descendants(each)}
    found: list[tuple[int, int, object, str]] = []
    for node in nodes:
        name = _own_name(node)
        if name is not None and id(node) not in unnamed:
            span = node.span
            found.append((span.start, span.end, node, name))
    found.sort(key=lambda item: item[:2])
    counts: Counter[str] = Counter()
    names: dict[object, str] = {}
    for _, _, node, name in found:
        counts[name] += 1
        names[node] = f"{name}{counts[name]}"
    return names


def _labelled(nodes: list[Any]) -> Iterator[object]:
    """The bodies of stages that have a label; a layer is named by its declaration, so its stage takes no ordinal either."""
    for node in nodes:
        if isinstance(node, ast.Layer):
            yield node.stage.body
        elif isinstance(node, ast.Stage) and node.label is not None:
            yield node.body


def _own_name(node: object) -> str | None:
    match node:
        case ast.StageCall(function=function) | ast.Call(function=function):
            return function.text
        case ast.Binary(operator=operator) if operator in OPERATOR_OPS:
            return OPERATOR_OPS[operator]
        case ast.Unary(operator="-"):
            return "neg"
    return None
