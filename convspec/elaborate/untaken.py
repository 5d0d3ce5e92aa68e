"""Mistakes in code that no elaboration reached: blocks that nothing uses, branches that were not taken.

What is wrong whatever the sizes are, an unknown layer, parameter or name, or what `certain.py` finds, is reported there too.
Other values, and shapes, are not looked at: they depend on arguments that nobody gave.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convspec import ops
from convspec.diagnostics import Diagnostic, Failure, error
from convspec.elaborate.builtins import BUILTINS
from convspec.elaborate.certain import check_block, check_literals, check_stage_label
from convspec.elaborate.files import FileScope
from convspec.elaborate.foreign import hint_for_callable, hint_for_parameter
from convspec.elaborate.installed import find_op
from convspec.elaborate.nearest import did_you_mean
from convspec.elaborate.ops import attribute_names, signature, takes_word
from convspec.elaborate.values import BUDGETS
from convspec.elaborate.walk import assigned_names, children, descendants, target_names
from convspec.ir.attrs import INIT_NAMES
from convspec.ir.opdef import OpDef
from convspec.syntax import ast


def check_untaken(scope: FileScope) -> Iterator[Diagnostic]:
    """The mistakes in names of every block, model and function of a file."""
    for item in scope.tree.items:
        yield from check_item(scope, item)


def check_item(scope: FileScope, item: ast.Item) -> Iterator[Diagnostic]:
    """The mistakes in names of one item. What they are depends on it, and on the names that the file knows."""
    if isinstance(item, ast.Block | ast.Let):
        yield from _Check(scope, _local_names(item)).run(item)


def _local_names(item: ast.Block | ast.Let) -> set[str]:
    names = {param.name.text for param in item.params or ()}
    if isinstance(item, ast.Block):
        names |= assigned_names(item.body)
        for statement in item.body.statements:
            if isinstance(statement, ast.Input):
                names |= {node.text for dim in statement.dims for node in descendants(dim) if isinstance(node, ast.NameRef)}
    for node in descendants(item):
        if isinstance(node, ast.Comprehension):
            names |= {name.text for target in node.targets for name in target_names(target)}
        elif isinstance(node, ast.Let):
            names |= {param.name.text for param in node.params or ()}
    return names


class _Check:
    """One item: `local` are all names that it binds anywhere."""

    def __init__(self, scope: FileScope, local: set[str]) -> None:
        self.scope = scope
        self.local = local

    def run(self, item: ast.Block | ast.Let) -> Iterator[Diagnostic]:
        pending: list[object] = [item]
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Block):
                yield from check_block(node)
            if isinstance(node, ast.Stage):
                yield from check_stage_label(node)
            if isinstance(node, ast.Input):
                continue  # its dimensions bind names, and `picture` is no layer
            if isinstance(node, ast.StageCall | ast.Call):
                yield from self._call(node)
                pending.extend(part for arg in node.args for part in self._values(node.function.text, arg))
                continue
            if isinstance(node, ast.Default):
                continue  # a `default` takes words, and one that is reached checks itself
            if isinstance(node, ast.NameRef):
                yield from self._name(node)
            elif not isinstance(node, ast.Param):  # a default may be a bare word
                pending.extend(children(node))

    def _known(self, name: str) -> bool:
        return self._shadowed(name) or ops.known(name)

    def _values(self, function: str, arg: ast.Arg) -> Sequence[object]:
        """What of an argument is certainly no bare word; of a list, all but the words that stand in it."""
        if not self._may_be_word(function, arg):
            return (arg.value,)
        if isinstance(arg.value, ast.ListLit):  # of axes, or of sizes: [x.channels, rest]
            return [item for item in arg.value.items if not isinstance(item, ast.NameRef)]
        return ()

    def _may_be_word(self, function: str, arg: ast.Arg) -> bool:
        """Whether an argument may be a bare word, alone or chosen by a condition, or an initialiser.

        A layer takes words by name, or by position where its attribute there is a word; what a block or a stage takes by
        position is not looked up here.
        """
        if arg.name is None and not self._shadowed(function):
            op = _usable(function)
            if (op is None and function in BUILTINS) or (op and not any(takes_word(op, place) for place in range(2))):
                return False
        if isinstance(arg.value, ast.Call):
            return arg.value.function.text in INIT_NAMES
        return isinstance(arg.value, ast.NameRef | ast.ListLit | ast.Conditional)

    def _shadowed(self, name: str) -> bool:
        return name in self.local or self.scope.owner(name) is not None

    def _call(self, node: ast.StageCall | ast.Call) -> Iterator[Diagnostic]:
        name = node.function.text
        if name not in ops.built_in() and (name in BUILTINS or name in BUDGETS):
            return  # before it is asked what installed packages bring, which takes long
        if not self._known(name):
            hint = hint_for_callable(name, [*self.scope.names(), *BUILTINS, *ops.names()])
            yield error("CNN021", f"there is no layer or block called `{name}`", node.function.span, hint=hint)
        elif not self._shadowed(name):
            try:
                op = find_op(node.function)
            except Failure as failure:
                yield from failure.diagnostics
            else:
                if op is not None:
                    yield from _attributes(op, node.args)
                    plain = isinstance(node, ast.Call) and name in BUILTINS  # `min([1, 2])` may be of numbers
                    yield from () if plain else check_literals(op, node, self._shadowed)

    def _name(self, node: ast.NameRef) -> Iterator[Diagnostic]:
        if node.text in BUDGETS or self._known(node.text):
            return
        hint = did_you_mean(node.text, [*sorted(self.local), *self.scope.names()])
        yield error("CNN020", f"`{node.text}` is not defined", node.span, hint=hint)


def _usable(name: str) -> OpDef | None:
    """The op of that name; one that cannot be used is told where it is called."""
    try:
        return ops.find(name)
    except Failure:
        return None


def _attributes(op: OpDef, args: tuple[ast.Arg, ...]) -> Iterator[Diagnostic]:
    known = attribute_names(op)
    for arg in args:
        if arg.name is not None and arg.name.text not in known:
            hint = hint_for_parameter(arg.name.text, known, op.name, signature(op))
            yield error("CNN022", f"`{op.name}` has no parameter `{arg.name.text}`", arg.name.span, hint=hint)
