"""What every word of an item stands for, as far as the text alone tells: without values, and without other files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Any, Literal, TypeAlias

from convspec import ops
from convspec.elaborate.builtins import BUILTINS
from convspec.elaborate.values import BUDGETS
from convspec.elaborate.walk import children, descendants, target_names
from convspec.records import dataclass
from convspec.source import Span
from convspec.syntax import ast

Kind: TypeAlias = Literal[
    "local", "global", "argument", "layer", "function", "quantity", "word", "type", "property", "label", "path", "output"
]
LocalKind: TypeAlias = Literal["parameter", "variable", "input", "layer", "constant", "function", "size"]
_CALLABLE = ("layer", "function")


@dataclass(slots=True, eq=False)
class Local:
    """A name that a body binds: one for all places where it is bound."""

    name: str
    kind: LocalKind
    span: Span
    """Where it is bound first."""
    node: Any
    """What binds it there: a Param, Input, Layer, Let, Assign, For, Comprehension; for a size, the Input."""
    bound: list[tuple[Span, Any]] = field(default_factory=list)
    """Every place where it is bound, and what binds it."""

    def last(self, offset: int) -> Any:
        """What binds it above a character, in the text; its first binding where there is none above."""
        above = [node for span, node in self.bound if span.start < offset and not node.span.start <= offset < _head(node)]
        return above[-1] if above else self.node


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """A word of the text. `kind` "global": a name of the file, a layer or word; the file decides."""

    span: Span
    kind: Kind
    text: str
    local: Local | None = None
    declares: bool = False
    callee: str = ""
    """For an argument, the name of what is called."""
    called: bool = False
    """Whether it is applied: `-> relu`, `concat(a, b)`."""
    node: Any = None
    """The syntax node that the word is part of."""


@dataclass(slots=True, eq=False)
class _Scope:
    names: dict[str, Local] = field(default_factory=dict)
    outer: _Scope | None = None

    def find(self, name: str) -> Local | None:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return None


def words_of(item: ast.Item) -> list[Word]:
    """The words of a top-level item, in the order of the text."""
    walk = _Walk()
    walk.item(item)
    return sorted(walk.found, key=lambda word: word.span.start)


def locals_of(item: ast.Item) -> dict[str, Local]:
    """The names that a body binds, each where it is first bound; those of inner functions are left out."""
    found: dict[str, Local] = {}
    for word in words_of(item):
        if word.local is not None:
            found.setdefault(word.text, word.local)
    return found


class _Walk:
    """One item."""

    def __init__(self) -> None:
        self.found: list[Word] = []

    def item(self, item: ast.Item) -> None:
        match item:
            case ast.Block():
                self._global(item.name, item, declares=True)
                scope = _Scope()
                self._params(item.params, scope)
                _bind(item.body, scope)
                self._visit(item.body, scope)
            case ast.Let():
                self._global(item.name, item, declares=True)
                self._function(item, _Scope())
            case ast.Configuration():
                self._global(item.name, item, declares=True)
                self._global(item.base, item, called=True)
                self._args(item.base.text, item.args, _Scope())
            case ast.Use():
                for name in item.names:
                    self._global(name, item)
                self.found.append(Word(item.path_span, "path", item.path, node=item))
            case ast.Default():
                self._visit(item, _Scope())

    def _global(self, name: ast.Name | ast.NameRef, node: Any, declares: bool = False, called: bool = False) -> None:
        self.found.append(Word(name.span, "global", name.text, declares=declares, called=called, node=node))

    def _local(
        self, name: ast.Name | ast.NameRef, local: Local, node: Any, declares: bool = False, called: bool = False
    ) -> None:
        self.found.append(Word(name.span, "local", name.text, local, declares, called=called, node=node))

    def _params(self, params: Iterable[ast.Param], scope: _Scope) -> None:
        for param in params:
            kind: LocalKind = "parameter"
            scope.names[param.name.text] = Local(param.name.text, kind, param.name.span, param)
        for param in params:
            self._local(param.name, scope.names[param.name.text], param, declares=True)
            if param.type is not None:
                self.found.append(Word(param.type.span, "type", param.type.text, node=param))
            if param.default is not None:
                self._visit(param.default, scope)

    def _function(self, let: ast.Let, scope: _Scope) -> None:
        inner = _Scope(outer=scope)
        self._params(let.params or (), inner)
        self._visit(let.value, inner)

    def _visit(self, node: Any, scope: _Scope) -> None:
        match node:
            case ast.NameRef():
                self._reference(node, scope)
            case ast.StageCall(function=function, args=args) | ast.Call(function=function, args=args):
                self._reference(function, scope, node)
                self._args(function.text, args, scope)
            case ast.Attribute():
                self._visit(node.value, scope)
                self.found.append(Word(node.name.span, "property", node.name.text, node=node))
            case ast.Comprehension():
                self._visit(node.iterable, scope)
                inner = _Scope(outer=scope)
                for target in node.targets:
                    for name in target_names(target):
                        inner.names[name.text] = Local(name.text, "variable", name.span, node, [(name.span, node)])
                        self._local(name, inner.names[name.text], node, declares=True)
                self._visit(node.item, inner)
            case ast.Stage():
                if node.label is not None:
                    self.found.append(Word(node.label.span, "label", node.label.span.text.strip('"'), node=node))
                    self._strings(node.label, scope)
                self._each((node.count, node.body), scope)
            case _:
                self._statement(node, scope)

    def _statement(self, node: Any, scope: _Scope) -> None:
        match node:
            case ast.Input():
                self._input(node, scope)
            case ast.Assign() | ast.For() | ast.Layer():
                for name in bound_names(node):
                    self._bound(name, scope, node)
                self._each((child for child in children(node) if not isinstance(child, ast.Name | ast.Unpack)), scope)
            case ast.Let():
                self._bound(node.name, scope, node)
                self._function(node, scope)
            case ast.Default():
                self._reference(ast.NameRef(node.op.text, node.op.span), _Scope(), node)
                self._args(node.op.text, node.args, scope)
            case ast.OutputItem(name=name) if name is not None:
                self.found.append(Word(name.span, "output", name.span.text.strip('"'), node=node))
                self._strings(name, scope)
                self._visit(node.value, scope)
            case _:
                self._each(children(node) if node is not None else (), scope)

    def _input(self, node: ast.Input, scope: _Scope) -> None:
        self._bound(node.name, scope, node)
        self.found.append(Word(node.dtype.span, "type", node.dtype.text, node=node))
        self._each(node.dims, scope)
        for arg in node.picture.args if node.picture is not None else ():
            self._visit(arg.value, scope)

    def _each(self, nodes: Iterable[Any], scope: _Scope) -> None:
        for node in nodes:
            self._visit(node, scope)

    def _strings(self, text: ast.StrLit, scope: _Scope) -> None:
        self._each((part for part in text.parts if not isinstance(part, str)), scope)

    def _bound(self, name: ast.Name, scope: _Scope, node: Any) -> None:
        local = scope.find(name.text)
        if local is not None:
            self._local(name, local, node, declares=True)

    def _args(self, callee: str, args: Iterable[ast.Arg], scope: _Scope) -> None:
        for arg in args:
            if arg.name is not None and callee in BUDGETS:
                local = scope.find(arg.name.text)
                if local is not None:
                    self._local(arg.name, local, arg)
            elif arg.name is not None:
                self.found.append(Word(arg.name.span, "argument", arg.name.text, callee=callee, node=arg))
            self._visit(arg.value, scope)

    def _reference(self, name: ast.NameRef, scope: _Scope, call: Any = None) -> None:
        local = scope.find(name.text)
        if local is not None and not (call is not None and _hides_nothing(local)):
            self._local(name, local, call or name, called=call is not None)
        elif local is None and name.text in BUILTINS and not ops.known(name.text):
            self.found.append(Word(name.span, "function", name.text, called=call is not None, node=call or name))
        elif local is None and name.text in BUDGETS:
            self.found.append(Word(name.span, "quantity", name.text, node=call or name))
        else:
            self._global(name, call or name, called=call is not None)


def _hides_nothing(local: Local) -> bool:
    """Whether a plain value shares its name with a layer, which a call means all the same."""
    if local.kind in _CALLABLE or not (ops.known(local.name) or local.name in BUILTINS):
        return False
    declared = local.node.type if isinstance(local.node, ast.Param) else None
    return not isinstance(local.node, ast.Param) or (declared is not None and declared.text != "stage")


def bound_names(node: Any) -> tuple[ast.Name, ...]:
    """The names that a statement binds."""
    match node:
        case ast.Assign(targets=targets):
            return targets
        case ast.For(targets=loops):
            return tuple(name for target in loops for name in target_names(target))
        case ast.Input(name=name) | ast.Layer(name=name) | ast.Let(name=name):
            return (name,)
    return ()


def _bind(body: ast.Body, scope: _Scope) -> None:
    """The names that statements of a body bind, in the order of the text."""
    inner = {
        id(each) for node in descendants(body) if isinstance(node, ast.Let) for each in descendants(node) if each is not node
    }
    nodes = [node for node in descendants(body) if id(node) not in inner]
    for node in sorted(nodes, key=lambda each: each.span.start):
        for name in bound_names(node):
            _declare(scope, name, _kind_of(node), node)
        for dim in node.dims if isinstance(node, ast.Input) else ():
            for reference in descendants(dim):
                if isinstance(reference, ast.NameRef):
                    _declare(scope, reference, "size", node)


def _kind_of(node: Any) -> LocalKind:
    match node:
        case ast.Input():
            return "input"
        case ast.Layer():
            return "layer"
        case ast.Let(params=params):
            return "constant" if params is None else "function"
    return "variable"


def _declare(scope: _Scope, name: ast.Name | ast.NameRef, kind: LocalKind, node: Any) -> None:
    local = scope.names.setdefault(name.text, Local(name.text, kind, name.span, node))
    local.bound.append((name.span, node))


def _head(node: Any) -> int:
    """Where a binding begins to hold: behind a statement, at the body of a loop."""
    end: int = node.body.span.start if isinstance(node, ast.For) else node.span.end
    return end
