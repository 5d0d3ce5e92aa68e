"""Live PyTorch modules and exported programs, made from the very source that the target emits."""

from __future__ import annotations

import itertools
import linecache
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from convspec.diagnostics import error, fail
from convspec.elaborate.module import Module
from convspec.ir import dims
from convspec.ir.dims import Dim
from convspec.targets.base import Weights
from convspec.targets.files import write_file

_COUNT = itertools.count(1)


def to_torch(module: Module, weights: Weights | None = None) -> Any:
    """The network as an nn.Module in inference mode, its weights loaded; without `weights`, as torch initialises it.

    It is the class of the emitted file, imported from its text. Needs torch: Failure CNN303 where it is missing.
    """
    from convspec.targets.pytorch.source import generate

    torch = _torch()
    source = generate(module, module.name)
    made = getattr(import_text(source.text), source.class_name)()
    if weights is not None:
        made.load_state_dict({name: tensor(torch, array) for name, array in weights.items()})
    return made.eval()


def export_pt2(module: Module, weights: Weights, path: str | Path) -> Path:
    """Write a torch.export program with the batch and every symbolic size dynamic. Failure CNN303, CNN400, CNN090.

    torch.export takes an inner size of 1 for a special case: a program traced at larger sizes may refuse, with an error, an
    input so small that some inner tensor shrinks to 1.
    """
    torch = _torch()
    made = to_torch(module, weights)
    graph_inputs = [graph_input.value.type for graph_input in module.graph.inputs]
    sizes = _Sizes(torch)
    shapes = tuple(sizes.dynamic(tensor_type.shape) for tensor_type in graph_inputs)
    examples = tuple(
        torch.zeros([sizes.example(size) for size in tensor_type.shape], dtype=getattr(torch, tensor_type.dtype))
        for tensor_type in graph_inputs
    )
    try:
        program = torch.export.export(made, examples, dynamic_shapes=shapes)
    except Exception as problem:
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise fail(error("CNN090", f"torch.export does not take this network: {reason}")) from problem
    return write_file(path, lambda file: torch.export.save(program, file))


class _Sizes:
    """Symbolic sizes as torch.export wants them: one Dim a name, multiples derived from it."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.dims: dict[str, Any] = {}

    def dynamic(self, shape: tuple[Any, ...]) -> dict[int, Any]:
        """Axis → Dim of the axes that are symbolic. What is not `a*H + b` is left for torch to find out."""
        return {axis: self._dim(size) for axis, size in enumerate(shape) if isinstance(size, Dim)}

    def _dim(self, size: Dim) -> Any:
        names = sorted(dims.symbols(size))
        if len(names) == 1:
            offset = dims.evaluate(size, {names[0]: 0})
            factor = dims.evaluate(size, {names[0]: 1}) - offset
            least = dims.minima(size)[names[0]]
            if factor > 0 and dims.equal(size, factor * dims.symbol(names[0], least) + offset):
                dim = self._named(names[0], least)
                scaled = dim if factor == 1 else factor * dim
                return scaled + offset if offset else scaled
        return self.torch.export.Dim.AUTO

    def _named(self, name: str, least: int) -> Any:
        if name not in self.dims:
            self.dims[name] = self.torch.export.Dim(name, min=least)
        return self.dims[name]

    def example(self, size: Any) -> int:
        """A size to trace with: at least 2 for each name, since torch takes 0 and 1 as fixed."""
        if not isinstance(size, Dim):
            return int(size)
        minima = dims.minima(size)
        return dims.evaluate(size, {name: max(2, minima.get(name, 1)) for name in dims.symbols(size)})


def import_text(text: str) -> ModuleType:
    """A generated file as a module. Its lines are known to `linecache`, so that tracebacks and torch.compile show them."""
    name = f"convspec_generated_{next(_COUNT)}"
    filename = f"<{name}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    made = ModuleType(name)
    made.__file__ = filename
    sys.modules[name] = made
    exec(compile(text, filename, "exec", dont_inherit=True), made.__dict__)  # our own quoted text, proven against the graph
    return made


def tensor(torch: Any, array: Any) -> Any:
    """A tensor with a copy of the data. bfloat16 passes as bits, which NumPy has no type of its own for."""
    import numpy as np

    if array.dtype.name == "bfloat16":
        return torch.tensor(np.ascontiguousarray(array).view(np.int16)).view(torch.bfloat16)
    return torch.tensor(np.ascontiguousarray(array))


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        hint = 'pip install "convspec[torch]"'
        raise fail(error("CNN303", "PyTorch is not installed", hint=hint)) from None
    return torch
