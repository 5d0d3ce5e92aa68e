"""The whole file: which applications share a class, the constants and functions at its top, what its parts need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from convspec.elaborate.files import FileScope
from convspec.elaborate.module import Application, Module
from convspec.ir.graph import Node
from convspec.syntax import ast
from convspec.targets.pytorch import page
from convspec.targets.pytorch.lowered import Tree
from convspec.targets.pytorch.readable.trace import Trace
from convspec.targets.source import quote
from convspec.targets.source.code import Code, name
from convspec.targets.source.replay import History, replay

if TYPE_CHECKING:
    from convspec.targets.pytorch.readable.body import Body


@dataclass(slots=True, eq=False)
class Parameter:
    """A parameter of a generated `__init__`: one of the block, or the channels of one of its tensors."""

    source: str
    python: str
    is_channels: bool
    annotation: str
    default: str | None = None
    default_value: Any = None
    """What the default is worth; UNKNOWN where it depends on other parameters."""
    keyword_only: bool = False
    is_stage: bool = False


@dataclass(slots=True, eq=False)
class ClassInfo:
    """A generated class. `lines` prints it, once it is known whether somebody reads `out_channels`."""

    name: str
    block: ast.Block
    tensors: list[str]
    """The tensor parameters, in the order of `forward`."""
    parameters: list[Parameter] = field(default_factory=list)
    out_code: Code | None = None
    """The channels of its one result, in terms of its parameters."""
    out: str | None = None
    """The attribute that tells the channels of its results."""
    out_is_read: bool = False
    needs_out: bool = False
    """Whether it has parameters only for the sake of `out`."""
    is_model: bool = False
    lines: Any = None


class Program:
    """What the walks over all blocks share."""

    def __init__(
        self, module: Module, trees: Mapping[Node, Tree], forced: Mapping[ast.Block, str], silent: frozenset[str] = frozenset()
    ) -> None:
        """`forced`: blocks to be written out instance by instance, and why. `silent`: classes whose `out_channels` nobody
        reads, as an earlier walk found.
        """
        self.module, self.trees, self.forced, self.silent = module, trees, forced, silent
        self.names = quote.Names(("self", *page.reserved_names()))
        self.root_name = page.class_name(module)
        self.names.reserve(self.root_name)
        self.classes: list[ClassInfo] = []
        self.notes: list[str] = []
        self.uses_add = False
        self.constants: dict[str, Any] = {}
        """The values of the names at the top of the file, for evaluating expressions."""
        self.tops: list[list[str]] = []
        """The constants and functions at the top of the file, as lines."""
        self._histories: dict[int, History] = {}
        self._traces: dict[int, Trace] = {}
        self._infos: dict[int, ClassInfo] = {}
        self._by_block: dict[ast.Block, list[Application]] = {}
        for application in module.applications():
            self._by_block.setdefault(application.block, []).append(application)
        self.class_names = {block: self._class_name(block) for block in self._by_block}

    def _class_name(self, block: ast.Block) -> str:
        if self.module.root.block is block:
            return self.root_name
        return self.names.fresh(block.name.text)

    def applications_of(self, block: ast.Block) -> list[Application]:
        """Every application of a block, in order."""
        return self._by_block[block]

    def class_of(self, application: Application) -> ClassInfo:
        """The class that an application is an instance of; its block is walked at the first question."""
        if id(application) not in self._infos:
            from convspec.targets.pytorch.readable.classes import build_classes

            for group, info in build_classes(self, application.block):
                self.classes.append(info)
                self._infos.update({id(each): info for each in group})
        return self._infos[id(application)]

    def history(self, application: Application) -> History:
        """What the application's names were bound to, by statement and turns."""
        key = id(application)
        if key not in self._histories:
            self._histories[key] = replay(application, self.module.graph)
        return self._histories[key]

    def trace(self, application: Application) -> Trace:
        """The labels of the application's stages."""
        key = id(application)
        if key not in self._traces:
            self._traces[key] = Trace(application)
        return self._traces[key]

    def is_single_output(self, body: Body) -> bool:
        """Whether the model being walked gives one tensor."""
        return len(body.applications[0].results) == 1

    # ── the top of the file ──────────────────────────────────────────────────────────────────────────────────

    def constant(self, scope: FileScope, text: str) -> Code | None:
        """The name of a `let` constant, which is then written at the top of the file."""
        owned = _let(scope, text)
        if owned is None or owned[1].params is not None:
            return None
        from convspec.targets.pytorch.readable.lets import constant_lines

        owner, let = owned
        python = self.names.of(let, text)
        if python not in self.constants:
            self.constants[python] = owner.constants.get(text)
            self.tops.append(constant_lines(self, owner, let, python))
        return name(python)

    def function(self, scope: FileScope, text: str, samples: Callable[[ast.Let], Sequence[Mapping[str, Any]]]) -> str | None:
        """The name of a `let` function, which is then written at the top of the file.

        `samples` gives values of its parameters at its first use, which settle whether a quotient is of integers.
        """
        owned = _let(scope, text)
        if owned is None or owned[1].params is None:
            return None
        from convspec.targets.pytorch.readable.lets import function_lines

        owner, let = owned
        python = self.names.of(let, text)
        if python not in self.constants:
            lines = function_lines(self, owner, let, python, samples(let))
            made: dict[str, Any] = {"math": __import__("math"), **self.constants}
            exec(compile("\n".join(lines), "<let>", "exec", dont_inherit=True), made)  # our own quoted text
            self.constants[python] = made[python]
            self.tops.append(lines)
        return python


def _let(scope: FileScope, text: str) -> tuple[FileScope, ast.Let] | None:
    """A `let` seen from a file, and the file that holds it."""
    owned = scope.owner(text)
    return (owned[0], owned[1]) if owned is not None and isinstance(owned[1], ast.Let) else None
