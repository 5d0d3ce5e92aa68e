"""CNN102: a parameter of a block, model or function is never used."""

from __future__ import annotations

from collections.abc import Iterator

from convspec.diagnostics import Diagnostic, error
from convspec.lint.flow import Study, reads
from convspec.syntax import ast


def find(item: ast.Block | ast.Let, studied: Study) -> Iterator[Diagnostic]:
    """The parameters that neither the body nor the default of a later parameter reads before the name is bound anew."""
    params = item.params or ()
    for index, param in enumerate(params):
        later = (reads(other.default) for other in params[index + 1 :] if other.default is not None)
        if param.name.text in studied.live.union(*later) or param.name.text.startswith("_"):
            continue
        kind = item.kind if isinstance(item, ast.Block) else "function"
        hint = "a name that begins with `_` says that this is meant" if kind != "function" else None
        message = f"the {kind} `{item.name.text}` never uses its parameter `{param.name.text}`"
        yield error("CNN102", message, param.name.span, hint=hint)
