"""What every generated PyTorch file has around its classes: docstring, imports, helpers."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from typing import Any

from convspec.elaborate.module import Module
from convspec.ir.lowering import Apply
from convspec.targets.pytorch.helpers_text import helper_names, helper_texts
from convspec.targets.source import quote
from convspec.targets.source.layout import Writer
from convspec.targets.source.render import parts

ADD = '''\
def add(root: nn.Module, path: str, module: nn.Module) -> None:
    """Register `module` under a dotted label, making the levels between."""
    *levels, name = path.split(".")
    for level in levels:
        if level not in root._modules:
            root.add_module(level, nn.Module())
        root = root.get_submodule(level)
    root.add_module(name, module)
'''
ADD_ANY = ADD.replace("module: nn.Module)", "module: nn.Module | torch.Tensor)").replace(
    "root.add_module(name, module)\n", "setattr(root, name, module)\n"
)
"""The same where tensors are kept, too."""

GETTERS = {"": "get_submodule", "nn.Parameter": "get_parameter", "nn.Buffer": "get_buffer"}
"""How a dotted path is followed, by how what stands there is kept."""

MODULE_NAMES = ("torch", "nn", "F", "math", "reduce", "operator", "add", "OrderedDict", "Callable", "Sequence")
"""Names of modules and functions at the top of a generated file."""


def reserved_names() -> tuple[str, ...]:
    """All names at the top of a file that nothing of the user's may take."""
    return (*MODULE_NAMES, *helper_names())


def write_helpers(writer: Writer, trees: Iterable[Any], uses_add: bool) -> None:
    """The definitions that the lowerings `trees` need, and `add` if it is used, with two empty lines after each."""
    trees = list(trees)
    keeps = any(isinstance(part, Apply) and part.kept for tree in trees for part in parts(tree))
    for text in [*helper_texts(trees), *([ADD_ANY if keeps else ADD] if uses_add else [])]:
        writer.raw(text.splitlines())
        writer.blank(2)


def reached(path: str, kept: str = "") -> str:
    """How a method reaches the module, or the tensor (see `Apply.kept`), with a fixed label path.

    A keyword goes through `getattr`, as torch.compile needs it.
    """
    levels = path.split(".")
    if all(quote.is_identifier(level) for level in levels):
        return f"self.{path}"
    if len(levels) > 1 and not any(keyword.iskeyword(level) for level in levels):
        return f"self.{GETTERS[kept]}({quote.string(path)})"
    found = "self"
    for level in levels:
        found = f"{found}.{level}" if quote.is_identifier(level) else f"getattr({found}, {quote.string(level)})"
    return found


def class_name(module: Module) -> str:
    """The name of the class that is the whole network."""
    return quote.identifier(module.name, reserved_names())


def file_head(module: Module, stem: str, notes: Sequence[str] = ()) -> list[str]:
    """The module docstring. `notes` say what is not as in the source."""
    source = module.files[0].span.file.name if module.files else module.name
    parts = [f"{module.name}, compiled from {source} by convspec.", *(f"Note: {note}." for note in notes)]
    if module.graph.parameters():
        parts.append(
            f"""Load the weights that were compiled with it:

    model = {class_name(module)}()
    model.load_state_dict(safetensors.torch.load_file("{stem}.safetensors"))"""
        )
    return quote.docstring("\n\n".join(parts))


_STANDARD = (
    (r"(?<![\w.])math\.", "import math"),
    (r"(?<![\w.])operator\.", "import operator"),
    (r"(?<![\w.])OrderedDict\(", "from collections import OrderedDict"),
    (r"(?<![\w.])reduce\(", "from functools import reduce"),
)


def write_imports(writer: Writer, body: Iterable[str]) -> None:
    """The imports that `body` (the text after them) needs."""
    text = "\n".join(body)
    found = [line for pattern, line in _STANDARD if re.search(pattern, text)]
    abc = [name for name in ("Callable", "Sequence") if re.search(rf"(?<![\w.]){name}\b", text)]
    if abc:
        found.append(f"from collections.abc import {', '.join(abc)}")
    plain = sorted(line for line in found if line.startswith("import"))
    writer.raw([*plain, *sorted(line for line in found if line.startswith("from"))])
    if found:
        writer.blank()
    writer.raw(["import torch"])
    if re.search(r"(?<![\w.])F\.", text):
        writer.raw(["import torch.nn.functional as F"])
    writer.raw(["from torch import nn"])
