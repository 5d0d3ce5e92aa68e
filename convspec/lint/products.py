"""CNN107: `3*3` where a size is taken, which is the number 9 and not 3 by 3."""

from __future__ import annotations

from collections.abc import Iterator

from convspec import ops
from convspec.diagnostics import Diagnostic, Fix, error
from convspec.elaborate.certain import positional_arguments
from convspec.elaborate.walk import assigned_names, descendants
from convspec.ir.attrs import PerAxis
from convspec.ir.opdef import OpDef
from convspec.syntax import ast


def find(tree: ast.File) -> Iterator[Diagnostic]:
    """The products of two written numbers that are a kernel, stride, dilation or other size of a layer."""
    own = set(_declared(tree))
    for node in descendants(tree):
        if (
            isinstance(node, ast.StageCall | ast.Call)
            and node.function.text in ops.built_in()
            and node.function.text not in own
        ):
            op = ops.find(node.function.text)
            yield from _products(op, node) if op is not None else ()


def _declared(tree: ast.File) -> Iterator[str]:
    """The names of the file that may stand for something else than a layer of the language."""
    for item in tree.items:
        if isinstance(item, ast.Use):
            yield from (name.text for name in item.names)
        elif not isinstance(item, ast.Default):
            yield item.name.text
            yield from (param.name.text for param in getattr(item, "params", None) or ())
        if isinstance(item, ast.Block):
            yield from assigned_names(item.body)


def _products(op: OpDef, node: ast.StageCall | ast.Call) -> Iterator[Diagnostic]:
    sizes = {each.name for each in op.attributes if isinstance(each.metadata["kind"], PerAxis)}
    given = {arg.name.text: arg for arg in node.args if arg.name is not None} | positional_arguments(op, node)
    for name, arg in given.items():
        if name in sizes and isinstance(arg.value, ast.Binary) and arg.value.operator == "*":
            yield from _product(name, arg.value, arg.value.left, arg.value.right)


def _product(name: str, product: ast.Binary, left: ast.Expr, right: ast.Expr) -> Iterator[Diagnostic]:
    if not isinstance(left, ast.IntLit) or not isinstance(right, ast.IntLit):
        return
    size, number = f"{left.value}x{right.value}", left.value * right.value
    message = f"`{product.span.text}` is the number {number}"
    hint = f"a size of {left.value} by {right.value} is written {size}; for a {name} of {number}, write {number}"
    suggestions = [Fix(product.span, size, f"write `{size}`"), Fix(product.span, str(number), f"write `{number}`")]
    yield error("CNN107", message, product.span, f"a {name} of {number} along every axis", hint=hint, suggestions=suggestions)
