"""The whole file: constants, a function for every block (several where one text will not do), and `build`."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

from convspec.elaborate.files import FileScope
from convspec.elaborate.module import Application, BindEvent, Module
from convspec.ir.graph import Node
from convspec.ir.lowering import Lowered
from convspec.ir.types import TensorType
from convspec.syntax import ast
from convspec.targets.source import code, quote
from convspec.targets.source.code import Code
from convspec.targets.source.replay import History, replay
from convspec.targets.source.tracked import track
from convspec.targets.tensorflow.expressions import Expressions
from convspec.targets.tensorflow.file import RESERVED, assemble
from convspec.targets.tensorflow.helpers_text import helper_names
from convspec.targets.tensorflow.network import Network
from convspec.targets.tensorflow.readable.body import source_names
from convspec.targets.tensorflow.readable.definitions import Function, write_build, write_function
from convspec.targets.tensorflow.readable.values import Moment, Unsayable, Varied

MODULES = ("math", "functools", "operator")
MOST_VARIANTS = 6
"""More variants of one block than this are no easier to read than one statement a layer."""


def print_readable(module: Module, network: Network, stem: str, mutable: bool = False) -> str:
    """The text of the file. Unsayable where the printer has no words for something in it.

    `mutable`: defaults of the model's parameters that are lists stay lists, so that other lists may be added to them.
    """
    return Program(module, network, stem, mutable).text()


class Program:
    """What all functions of one file share."""

    def __init__(self, module: Module, network: Network, stem: str, mutable: bool) -> None:
        self.module, self.network, self.stem, self.mutable = module, network, stem, mutable
        self.expressions = Expressions()
        self.names = quote.Names((*RESERVED, *MODULES, *helper_names()))
        self.constants: dict[str, Any] = {}
        """Module-level constants by Python name."""
        self.definitions: list[list[str]] = []
        """The lines of each function, callees first."""
        self._functions: dict[Application, Function] = {}
        self._histories: dict[Application, History] = {}
        self._trees: dict[Node, Lowered] = {}
        self._outputs: dict[Any, int] | None = None
        self._variants: Counter[ast.Block] = Counter()
        self._applications = module.applications()
        self._uses = Counter(application.path for application in self._applications)
        self._bound = {name for application in self._applications for name in source_names(application.block)}
        for application in self._applications[1:]:
            self._block_name(application.block)

    def text(self) -> str:
        """The file."""
        root = self.module.root
        lines = self._attempts((root,), lambda applications, loops: write_build(self, applications[0], loops))[0]
        constants = [f"{name} = {code.value(value)}" for name, value in self.constants.items()]
        definitions = [constants, *self.definitions, lines] if constants else [*self.definitions, lines]
        text = "\n".join(line for definition in definitions for line in definition)
        imports = [f"import {name}" for name in (*MODULES, "sys") if re.search(rf"\b{name}\.", text)]
        return assemble(self.network.graph, self.stem, self.expressions, definitions, imports)

    # ── functions ────────────────────────────────────────────────────────────────────────────────────────────

    def function_of(self, application: Application) -> Function:
        """The function that an application of a block calls."""
        if application not in self._functions:
            shared = self.is_shared(application)
            same = (other for other in self._applications if other.block is application.block)
            alike = tuple(other for other in same if self.is_shared(other) is shared)
            for function in self._attempts(alike, lambda group, loops: write_function(self, group, loops)):
                self._functions.update(dict.fromkeys(function.applications, function))
        return self._functions[application]

    def _attempts(self, applications: tuple[Application, ...], write: Any) -> list[Any]:
        """Write a block for all applications at once; where they differ too much, for groups of them, or loops unrolled."""
        pending: list[tuple[tuple[Application, ...], frozenset[int]]] = [(applications, frozenset())]
        found: list[Any] = []
        while pending:
            group, loops = pending.pop(0)
            if len(found) + len(pending) >= MOST_VARIANTS:
                raise Unsayable("a block that differs from use to use")
            try:
                found.append(write(group, loops))
            except Varied as problem:
                pending[:0] = _divided(group, loops, problem)
        return found

    def is_shared(self, application: Application) -> bool:
        """Whether there are several applications with the same weights."""
        return self._uses[application.path] > 1

    def _block_name(self, block: ast.Block) -> str:
        name = snake_case(block.name.text)
        return self.names.of(block, f"{name}_block" if name in self._bound else name)

    def function_name(self, block: ast.Block) -> str:
        """A name for a function of a block: the block's own for the first, numbered for further variants."""
        self._variants[block] += 1
        name, count = self._block_name(block), self._variants[block]
        return name if count == 1 else self.names.fresh(f"{name}_{count}")

    # ── what names mean ──────────────────────────────────────────────────────────────────────────────────────

    def history(self, application: Application) -> History:
        """What every name was bound to before each statement."""
        if application not in self._histories:
            self._histories[application] = replay(application, self.network.graph)
        return self._histories[application]

    def output_name(self, moment: Moment, statement: ast.Output, position: int) -> str:
        """The name of an output of the model; for those of an inner model, a name for a variable."""
        if moment.application is not self.module.root:
            return "output"
        if self._outputs is None:
            self._outputs, count = {}, 0
            for (site, turns), event in self.module.root.events.items():
                if isinstance(site, ast.Output) and isinstance(event, BindEvent):
                    self._outputs[site, turns] = count
                    count += len(event.values)
        return self.network.graph.outputs[self._outputs[statement, moment.turns] + position].name

    def constant(self, scope: FileScope, name: str) -> Code | None:
        """A `let` at the top of a file, as a constant of the module; None if the file has none of this name."""
        owned = scope.owner(name)
        if owned is None or not isinstance(owned[1], ast.Let) or owned[1].params is not None:
            return None
        owner = owned[0]
        if name not in owner.constants:
            raise Unsayable(f"the constant `{name}`")
        python = self.names.of((id(owner), name), name)
        self.constants[python] = owner.constants[name]
        return code.name(python)

    def function(self, scope: FileScope, name: str) -> ast.Let | None:
        """A `let` function at the top of a file."""
        owned = scope.owner(name)
        return owned[1] if owned is not None and isinstance(owned[1], ast.Let) and owned[1].params is not None else None

    # ── lowerings ────────────────────────────────────────────────────────────────────────────────────────────

    def tree(self, node: Node) -> Lowered:
        """The lowering of a node, its numbers knowing which attribute or channel count they came from."""
        if node not in self._trees:
            names = [field.name for field in node.op.attributes]
            tracked = {name: track(getattr(node.attrs, name), ("attr", name)) for name in names}
            types = [_tracked_channels(tensor, index) for index, tensor in enumerate(node.input_types)]
            raw = node.op.lower["tensorflow"](replace(node.attrs, **tracked), *types)
            self._trees[node] = self.network.finish.tree(node, raw)
        return self._trees[node]


def _tracked_channels(tensor: TensorType, index: int) -> TensorType:
    if tensor.rank < 2 or not isinstance(tensor.channels, int):
        return tensor
    batch, channels, *space = tensor.shape
    return tensor.with_shape((batch, track(channels, ("channels", index)), *space))


def _divided(
    group: tuple[Application, ...], loops: frozenset[int], problem: Varied
) -> list[tuple[tuple[Application, ...], frozenset[int]]]:
    """Groups of applications that agree among themselves; else the same group with one loop more written turn by turn."""
    keys: dict[Application, list[Any]] = {application: [] for application in group}
    for moment, key in zip(problem.moments, problem.keys, strict=True):
        keys[moment.application].append(key)
    parts: dict[tuple[Any, ...], list[Application]] = {}
    for application, row in keys.items():
        parts.setdefault(tuple(row), []).append(application)
    if len(parts) > 1:
        return [(tuple(part), loops) for part in parts.values()]
    further = [site for site in problem.loops if id(site) not in loops]
    if not further:
        raise Unsayable(str(problem))
    return [(group, loops | {id(further[-1])})]


def snake_case(name: str) -> str:
    """`BasicBlock` → `basic_block`, `UNet2D` → `unet2d`."""
    name = re.sub("([a-z0-9])([A-Z][a-z])", r"\1_\2", name)
    return re.sub("([A-Z]{2,})([A-Z][a-z]{2,})", r"\1_\2", name).lower()


__all__ = ["Program", "print_readable", "snake_case"]
