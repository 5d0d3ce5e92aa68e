"""The syntax tree, built while the parser runs: one method for every rule and alias of the grammar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, Literal, TypeVar

from convspec.diagnostics import Diagnostic, Fix, error
from convspec.limits import Limits
from convspec.source import SourceFile, Span
from convspec.syntax import ast, literals
from convspec.syntax.checks import check_parameters, check_returns
from convspec.syntax.lexing import FILE_DOC, malformed
from convspec.syntax.tokens import Token

_Node = TypeVar("_Node")
_LANGUAGES = (1,)
_NO_NULL = "there is no null: an open size has a name, `N`, and an empty list, `[]`, stands for nothing"
_FOREIGN_VALUES = {"True": "true", "False": "false", "None": "", "null": "", "nil": ""}


class TooDeep(Exception):
    """The tree would be deeper than the limit; `diagnostic` says where."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Builder:
    """Makes nodes of one file. Children are tokens (punctuation too) and nodes, in the order of the text.

    What is wrong with a literal goes to `diagnostics` and a stand-in takes its place, so that the parse goes on.
    """

    def __init__(
        self,
        file: SourceFile,
        limits: Limits,
        docs: dict[int, str],
        parse_interpolated: Callable[[int, int], ast.Expr],
    ) -> None:
        """`docs` is keyed by where the documented thing begins; `parse_interpolated` takes the offsets of an expression."""
        self.source, self.limits, self.docs = file, limits, docs
        self.parse_interpolated = parse_interpolated
        self.diagnostics: list[Diagnostic] = []
        self._depths: dict[int, int] = {}
        self._alive: list[Any] = []

    # ── helpers ──

    def _span(self, children: list[Any]) -> Span:
        first, last = children[0], children[-1]
        return Span(
            self.source,
            first.start_pos if type(first) is Token else first.span.start,
            last.end_pos if type(last) is Token else last.span.end,
        )

    def _made(self, node: _Node, children: list[Any]) -> _Node:
        """Notes the depth of a new node; consumers walk trees by recursion, so it is bounded here."""
        depths, deepest = self._depths, 0
        for child in children:
            if id(child) in depths:
                deepest = max(deepest, depths[id(child)])
        if deepest >= self.limits.nesting:
            raise TooDeep(self.too_deep(children))
        depths[id(node)] = deepest + 1
        self._alive.append(node)  # an id must not be given to another node
        return node

    def too_deep(self, children: list[Any]) -> Diagnostic:
        """The error where the tree is deeper than the limit."""
        token = next((child for child in children if not hasattr(child, "span")), children[0])
        hint = "a long sum is `sum([a, b, c])`" if _is(token, "PLUS") else "give parts of it names of their own"
        return error(
            "CNN005",
            f"this nests more than {self.limits.nesting} levels deep",
            self._span([token]),
            hint=hint,
        )

    def _name(self, token: Token) -> ast.Name:
        return ast.Name(str(token), self._span([token]))

    def _names(self, tokens: list[Any]) -> tuple[ast.Name, ...]:
        return tuple(self._name(token) for token in _tokens(tokens, "NAME"))

    def _doc(self, first: Token) -> str:
        return self.docs.get(first.start_pos, "")

    def _literal(self, token: Token, read: Callable[[str], _Node], stand_in: _Node) -> _Node:
        try:
            return read(str(token))
        except literals.Malformed as problem:
            self.diagnostics.append(malformed(self.source, token, problem))
            return stand_in

    # ── the file ──

    def file(self, c: list[Any]) -> ast.File:
        language = c[0] if c and isinstance(c[0], int) else None
        items = tuple(child for child in c if not isinstance(child, int))
        return ast.File(language, items, self.docs.get(FILE_DOC, ""), Span(self.source, 0, len(self.source.text)))

    def language(self, c: list[Any]) -> int:
        version = self._literal(c[1], literals.integer, 1)
        if version not in _LANGUAGES:
            self.diagnostics.append(
                error("CNN004", f"language {version} is not known", self._span([c[1]]), hint="this convspec knows language 1")
            )
        return version

    def use(self, c: list[Any]) -> ast.Use:
        path = self.string([c[-1]])
        if any(not isinstance(part, str) for part in path.parts):
            self.diagnostics.append(error("CNN002", "a path takes no `{ }`", path.span))
        return ast.Use(self._names(c), "".join(p for p in path.parts if isinstance(p, str)), path.span, self._span(c))

    def let(self, c: list[Any]) -> ast.Let:
        params = self._params_checked(c) if _tokens(c, "LPAR") else None
        return self._made(ast.Let(self._name(c[1]), params, c[-1], self._doc(c[0]), self._span(c)), c)

    def default(self, c: list[Any]) -> ast.Default:
        return self._made(ast.Default(self._name(c[1]), self._arguments(c), self._span(c)), c)

    def block(self, c: list[Any]) -> ast.Block:
        self.diagnostics += check_returns(c[-1])
        return self._block("block", c)

    def model(self, c: list[Any]) -> ast.Block:
        return self._block("model", c)

    def _block(self, kind: Literal["block", "model"], c: list[Any]) -> ast.Block:
        params = self._params_checked(c)
        return self._made(ast.Block(kind, self._name(c[1]), params, c[-1], self._doc(c[0]), self._span(c)), c)

    def _params_checked(self, c: list[Any]) -> tuple[ast.Param, ...]:
        params = _nodes(c, ast.Param)
        self.diagnostics += check_parameters(params)
        return params

    def configuration(self, c: list[Any]) -> ast.Configuration:
        name, base = self._name(c[1]), self._name(c[3])
        return self._made(ast.Configuration(name, base, self._arguments(c), self._doc(c[0]), self._span(c)), c)

    def param(self, c: list[Any]) -> ast.Param:
        names = self._names(c)
        default = c[-1] if _tokens(c, "EQUAL") else None
        return self._made(ast.Param(names[0], names[1] if len(names) > 1 else None, default, self._span(c)), c)

    # ── statements ──

    def body(self, c: list[Any]) -> ast.Body:
        return self._made(ast.Body(tuple(c[1:-1]), self._span(c)), c)

    def input(self, c: list[Any]) -> ast.Input:
        name, dtype = self._names(c)
        picture = c[-1] if isinstance(c[-1], ast.Call) else None
        closing = next(i for i, child in enumerate(c) if getattr(child, "type", None) == "RSQB")
        dims = tuple(child for child in c[5:closing] if hasattr(child, "span"))
        return self._made(ast.Input(name, dtype, dims, picture, self._doc(c[0]), self._span(c)), c)

    def picture(self, c: list[Any]) -> ast.Call:
        if c[0] != "picture":
            self.diagnostics.append(error("CNN001", f"expected `picture(…)`, found `{c[0]}`", self._span([c[0]])))
        return self.call(c)

    def output(self, c: list[Any]) -> ast.Output:
        return self._made(ast.Output(_nodes(c, ast.OutputItem), self._span(c)), c)

    def output_item(self, c: list[Any]) -> ast.OutputItem:
        name = None
        if len(c) == 3:
            name = c[0] if isinstance(c[0], ast.StrLit) else self.label(c)
        return self._made(ast.OutputItem(name, c[-1], self._span(c)), c)

    def return_(self, c: list[Any]) -> ast.Return:
        return self._made(ast.Return(_spanned(c), self._span(c)), c)

    def assign(self, c: list[Any]) -> ast.Assign:
        return self._made(ast.Assign(self._names(c), _spanned(c), self._span(c)), c)

    def for_(self, c: list[Any]) -> ast.For:
        targets = _nodes(c[:-3], ast.Name, ast.Unpack)
        return self._made(ast.For(targets, c[-2], c[-1], self._span(c)), c)

    def if_(self, c: list[Any]) -> ast.If:
        orelse = c[4] if len(c) > 4 else None
        if isinstance(orelse, ast.If):
            orelse = self._made(ast.Body((orelse,), orelse.span), c[3:])
        return self._made(ast.If(c[1], c[2], orelse, self._span(c)), [*c, orelse])

    def assert_(self, c: list[Any]) -> ast.Assert:
        return self._made(ast.Assert(c[1], c[3] if len(c) > 3 else None, self._span(c)), c)

    def layer(self, c: list[Any]) -> ast.Layer:
        return self._made(ast.Layer(self._name(c[1]), c[3], self._span(c)), c)

    def target(self, c: list[Any]) -> ast.Name:
        return self._name(c[0])

    def unpack(self, c: list[Any]) -> ast.Unpack:
        return ast.Unpack(self._names(c), self._span(c))

    # ── stages ──

    def stage(self, c: list[Any]) -> ast.Stage:
        label = c[0] if len(c) > 1 and _is(c[1], "COLON") else None
        count = c[-3] if len(c) > 2 and _is(c[-2], "STAR") else None
        if _is(count, "RPAR"):
            count = self.parenthesised(c[-5:-2])
        return self._made(ast.Stage(label, count, c[-1], self._span(c)), [*c, count])

    def label(self, c: list[Any]) -> ast.StrLit:
        return ast.StrLit((str(c[0]),), self._span([c[0]]))

    def stage_call(self, c: list[Any]) -> ast.StageCall:
        return self._made(ast.StageCall(self.name(c[:1]), self._arguments(c), len(c) > 1, self._span(c)), c)

    def group(self, c: list[Any]) -> ast.Group:
        return self._made(ast.Group(_nodes(c, ast.Stage), self._span(c)), c)

    def _arguments(self, c: list[Any]) -> tuple[ast.Arg, ...]:
        args = _nodes(c, ast.Arg)
        named = None
        for arg in args:
            if arg.name is not None:
                named = arg
            elif named is not None:
                self.diagnostics.append(
                    error(
                        "CNN042",
                        "an argument without a name stands after one with a name",
                        arg.span,
                        hint="name it, or move it to the front",
                    )
                )
                break
        return args

    def positional(self, c: list[Any]) -> ast.Arg:
        return self._made(ast.Arg(None, c[0], self._span(c)), c)

    def named(self, c: list[Any]) -> ast.Arg:
        return self._made(ast.Arg(self._name(c[0]), c[2], self._span(c)), c)

    # ── expressions ──

    def interpolated(self, c: list[Any]) -> Any:
        return c[0]

    def pipeline(self, c: list[Any]) -> ast.Pipeline:
        return self._made(ast.Pipeline(c[0], _nodes(c, ast.Stage), self._span(c)), c)

    def conditional(self, c: list[Any]) -> ast.Conditional:
        return self._made(ast.Conditional(c[1], c[3], c[5], self._span(c)), c)

    def binary(self, c: list[Any]) -> ast.Binary:
        left, operator, right = c
        return self._made(ast.Binary(str(operator), left, right, self._span(c)), c)  # type: ignore[arg-type]

    def unary(self, c: list[Any]) -> ast.Unary:
        return self._made(ast.Unary("not" if c[0] == "not" else "-", c[1], self._span(c)), c)

    def range_(self, c: list[Any]) -> ast.Range:
        return self._made(ast.Range(c[0], c[2], self._span(c)), c)

    def parenthesised(self, c: list[Any]) -> Any:
        """The same node; its span takes in the parentheses."""
        return self._made(replace(c[1], span=self._span(c)), _children(c[1]))

    def attribute(self, c: list[Any]) -> ast.Attribute:
        return self._made(ast.Attribute(c[0], self._name(c[2]), self._span(c)), c)

    def index(self, c: list[Any]) -> ast.Index | ast.Slice:
        if isinstance(c[2], ast.Range):
            return self._made(ast.Slice(c[0], c[2].start, c[2].stop, self._span(c)), c)
        return self._made(ast.Index(c[0], c[2], self._span(c)), c)

    def slice_from(self, c: list[Any]) -> ast.Slice:
        return self._made(ast.Slice(c[0], c[2], None, self._span(c)), c)

    def slice_to(self, c: list[Any]) -> ast.Slice:
        return self._made(ast.Slice(c[0], None, c[3] if len(c) > 4 else None, self._span(c)), c)

    def list_(self, c: list[Any]) -> ast.ListLit:
        return self._made(ast.ListLit(_spanned(c), self._span(c)), c)

    def comprehension(self, c: list[Any]) -> ast.Comprehension:
        targets = _nodes(c[2:-3], ast.Name, ast.Unpack)
        return self._made(ast.Comprehension(c[1], targets, c[-2], self._span(c)), c)

    def call(self, c: list[Any]) -> ast.Call:
        return self._made(ast.Call(self.name(c[:1]), self._arguments(c), self._span(c)), c)

    # ── literals ──

    def name(self, c: list[Any]) -> ast.NameRef:
        if c[0] in _FOREIGN_VALUES:
            span, meant = self._span(c), _FOREIGN_VALUES[c[0]]
            hint = f"write `{meant}`" if meant else _NO_NULL
            fix = Fix(span, meant, hint) if meant else None
            self.diagnostics.append(error("CNN001", f"there is no `{c[0]}`", span, hint=hint, fix=fix))
        return ast.NameRef(str(c[0]), self._span(c))

    def integer(self, c: list[Any]) -> ast.IntLit:
        return ast.IntLit(self._literal(c[0], literals.integer, 1), self._span(c))

    def real(self, c: list[Any]) -> ast.FloatLit | ast.IntLit:
        value = self._literal(c[0], literals.number, 1.0)
        return ast.IntLit(value, self._span(c)) if isinstance(value, int) else ast.FloatLit(value, self._span(c))

    def size(self, c: list[Any]) -> ast.SizeLit:
        return ast.SizeLit(self._literal(c[0], literals.size, (1, 1)), self._span(c))

    def true(self, c: list[Any]) -> ast.BoolLit:
        return ast.BoolLit(True, self._span(c))

    def false(self, c: list[Any]) -> ast.BoolLit:
        return ast.BoolLit(False, self._span(c))

    def string(self, c: list[Any]) -> ast.StrLit:
        token = c[0]
        stand_in: list[str | tuple[int, int]] = ["x"]
        pieces = self._literal(token, literals.pieces, stand_in)
        at = token.start_pos
        parts = tuple(p if isinstance(p, str) else self.parse_interpolated(at + p[0], at + p[1]) for p in pieces)
        return self._made(ast.StrLit(parts, self._span(c)), list(parts))


def _is(child: Any, kind: str) -> bool:
    return type(child) is Token and child.type == kind


def _tokens(children: list[Any], kind: str) -> list[Token]:
    return [child for child in children if type(child) is Token and child.type == kind]


def _spanned(children: list[Any]) -> tuple[Any, ...]:
    """The nodes among the children."""
    return tuple([child for child in children if type(child) is not Token])


def _nodes(children: list[Any], *kinds: type) -> tuple[Any, ...]:
    return tuple([child for child in children if type(child) in kinds])


def _children(node: Any) -> list[Any]:
    found: list[Any] = []
    for field in fields(node):
        value = getattr(node, field.name)
        found.extend(value) if isinstance(value, tuple) else found.append(value)
    return found
