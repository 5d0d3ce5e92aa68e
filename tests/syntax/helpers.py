"""Parsing in tests, and syntax trees as short text."""

from __future__ import annotations

from typing import Any

from convspec.diagnostics import Diagnostic, Failure
from convspec.diagnostics.render import render
from convspec.limits import DEFAULT, Limits
from convspec.source import SourceFile
from convspec.syntax import ast, parse


def file(text: str, limits: Limits = DEFAULT) -> ast.File:
    return parse(SourceFile("net.cnn", text), limits)


def errors(text: str, limits: Limits = DEFAULT) -> list[Diagnostic]:
    """The errors of a text; none if it parses."""
    try:
        file(text, limits)
    except Failure as failure:
        return failure.diagnostics
    return []


def messages(text: str, limits: Limits = DEFAULT) -> list[str]:
    """`line:column message` of each error."""
    found = []
    for diagnostic in errors(text, limits):
        place = str(diagnostic.primary.span).removeprefix("net.cnn:") if diagnostic.primary else "-"
        found.append(f"{place} {diagnostic.message}")
    return found


def rendered(text: str) -> str:
    return render(errors(text))


def expression(text: str) -> ast.Expr:
    (let,) = file(f"let A = {text}").items
    assert isinstance(let, ast.Let)
    return let.value


def statements(text: str) -> tuple[ast.Statement, ...]:
    (block,) = file(f"block B(x: tensor) {{\n{text}\n}}").items
    assert isinstance(block, ast.Block)
    return block.body.statements


def short(node: Any) -> str:
    """A tree as one line: `(+ a (* 2 b))`, `[a -> "l": 2 * f(x, k=1)]`."""
    if node is None:
        return "_"
    if isinstance(node, tuple):
        return " ".join(short(item) for item in node)
    if isinstance(node, str):
        return node
    return str(_SHORT[type(node)](node))


def _string(node: ast.StrLit) -> str:
    return '"' + "".join(part if isinstance(part, str) else "{" + short(part) + "}" for part in node.parts) + '"'


def _arg(node: ast.Arg) -> str:
    return short(node.value) if node.name is None else f"{node.name.text}={short(node.value)}"


def _stage(node: ast.Stage) -> str:
    label = f"{short(node.label)}: " if node.label else ""
    return label + (f"{short(node.count)} * " if node.count else "") + short(node.body)


def _calls(node: ast.Call | ast.StageCall) -> str:
    return f"{node.function.text}({', '.join(map(_arg, node.args))})"


def _param(node: ast.Param) -> str:
    kind = f": {node.type.text}" if node.type else ""
    return node.name.text + kind + (f" = {short(node.default)}" if node.default is not None else "")


def _body(node: ast.Body) -> str:
    return "{ " + "; ".join(map(short, node.statements)) + " }"


def _input(node: ast.Input) -> str:
    picture = f" as {short(node.picture)}" if node.picture else ""
    return f"input {node.name.text}: {node.dtype.text}[{', '.join(map(short, node.dims))}]{picture}"


def _let(node: ast.Let) -> str:
    params = "" if node.params is None else f"({', '.join(map(_param, node.params))})"
    return f"let {node.name.text}{params} = {short(node.value)}"


def _block(node: ast.Block) -> str:
    return f"{node.kind} {node.name.text}({', '.join(map(_param, node.params))}) {short(node.body)}"


def _if(node: ast.If) -> str:
    return f"if {short(node.condition)} {short(node.then)}" + (f" else {short(node.orelse)}" if node.orelse else "")


def _comma(nodes: tuple[Any, ...]) -> str:
    return ", ".join(map(short, nodes))


_SHORT: dict[type, Any] = {
    ast.Name: lambda n: n.text,
    ast.IntLit: lambda n: str(n.value),
    ast.FloatLit: lambda n: repr(n.value),
    ast.BoolLit: lambda n: str(n.value).lower(),
    ast.SizeLit: lambda n: "x".join(map(str, n.values)),
    ast.StrLit: _string,
    ast.NameRef: lambda n: n.text,
    ast.Attribute: lambda n: f"(. {short(n.value)} {n.name.text})",
    ast.Index: lambda n: f"(index {short(n.value)} {short(n.index)})",
    ast.Slice: lambda n: f"(slice {short(n.value)} {short(n.start)} {short(n.stop)})",
    ast.ListLit: lambda n: f"[{_comma(n.items)}]",
    ast.Comprehension: lambda n: f"[{short(n.item)} for {_comma(n.targets)} in {short(n.iterable)}]",
    ast.Call: _calls,
    ast.Unary: lambda n: f"({n.operator} {short(n.operand)})",
    ast.Binary: lambda n: f"({n.operator} {short(n.left)} {short(n.right)})",
    ast.Range: lambda n: f"(.. {short(n.start)} {short(n.stop)})",
    ast.Conditional: lambda n: f"(if {short(n.condition)} {short(n.then)} {short(n.orelse)})",
    ast.Pipeline: lambda n: f"<{' -> '.join([short(n.source), *map(short, n.stages)])}>",
    ast.StageCall: lambda n: _calls(n) if n.parenthesised else n.function.text,
    ast.Group: lambda n: f"[{' -> '.join(map(short, n.stages))}]",
    ast.Stage: _stage,
    ast.Unpack: lambda n: f"[{_comma(n.names)}]",
    ast.Input: _input,
    ast.OutputItem: lambda n: (f"{short(n.name)} = " if n.name else "") + short(n.value),
    ast.Output: lambda n: f"output {_comma(n.items)}",
    ast.Return: lambda n: f"return {_comma(n.values)}",
    ast.Assign: lambda n: f"{_comma(n.targets)} = {_comma(n.values)}",
    ast.Body: _body,
    ast.For: lambda n: f"for {_comma(n.targets)} in {short(n.iterable)} {short(n.body)}",
    ast.If: _if,
    ast.Assert: lambda n: f"assert {short(n.condition)}" + (f", {short(n.message)}" if n.message else ""),
    ast.Default: lambda n: f"default {n.op.text}({', '.join(map(_arg, n.args))})",
    ast.Layer: lambda n: f"layer {n.name.text} = {short(n.stage)}",
    ast.Param: _param,
    ast.Let: _let,
    ast.Block: _block,
    ast.Configuration: lambda n: f"model {n.name.text} = {n.base.text}({', '.join(map(_arg, n.args))})",
    ast.Use: lambda n: f'use {_comma(n.names)} from "{n.path}"',
}
