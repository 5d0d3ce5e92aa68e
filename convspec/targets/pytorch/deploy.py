"""`--emit deploy`: the network optimised for inference, as one PyTorch file that loads its weights and needs torch alone.

Batch norms are folded and branches merged (level 2), channels lie last, what nothing reads any more is overwritten or given
back, and every layer is an attribute of its own. No compiler is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from convspec.elaborate.module import Module
from convspec.ir.graph import Graph, Node, Parameter, Value
from convspec.ir.lowering import Arg, Call
from convspec.targets.base import Artifact, Weights
from convspec.targets.files import Content
from convspec.targets.pytorch import page
from convspec.targets.pytorch.lowered import Tree, lower_graph
from convspec.targets.pytorch.reserved import RESERVED
from convspec.targets.pytorch.source import WrongSource
from convspec.targets.pytorch.straight import StraightPrinter
from convspec.targets.pytorch.validate import differences
from convspec.targets.source import code, quote
from convspec.targets.source.layout import Writer

_IN_PLACE = {
    "relu": Call("torch.relu_", (Arg(0),)),
    "relu6": Call("F.relu6", (Arg(0),), {"inplace": True}),
    "hardswish": Call("F.hardswish", (Arg(0),), {"inplace": True}),
    "silu": Call("F.silu", (Arg(0),), {"inplace": True}),
    "sigmoid": Call("torch.sigmoid_", (Arg(0),)),
    "hardsigmoid": Call("F.hardsigmoid", (Arg(0),), {"inplace": True}),
    "add": Call(".add_", (Arg(0), Arg(1))),
    "mul": Call(".mul_", (Arg(0), Arg(1))),
}
"""Ops that can overwrite their first input."""

_FRESH = frozenset(
    (
        *_IN_PLACE,
        *("conv", "depthwise_conv", "conv_transpose", "separable_conv", "linear", "matmul", "concat", "sub", "div", "mean"),
        *("batchnorm", "groupnorm", "layernorm", "maxpool", "avgpool", "global_avgpool", "global_maxpool"),
    )
)
"""Ops whose result is no view of an input that lives on, and no stored tensor."""

_FASTER = {"hardsigmoid": Call("F.hardsigmoid", (Arg(0),))}
"""One kernel in place of several. Its gradient is rounded, which is of no account in inference."""

_LOAD = '''\
def load(path: str | Path | None = None, device: str = "cpu") -> nn.Module:
    """The network with its weights, ready for inference. `path`: by default the file beside this one."""
    path = Path(__file__).with_name({file}) if path is None else Path(path)
    model = {name}()
    model.load_state_dict(read_safetensors(path))
    model = model.eval().requires_grad_(False).to({place})
    model.forward = torch.inference_mode()(model.forward)
    return model


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file: the length of a header, the header as JSON, and then their bytes."""
    content = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    found = {{}}
    for name, entry in json.loads(content[8:start]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            part = content[start + begin : start + end]
            found[name] = torch.frombuffer(part, dtype=DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return found


DTYPES = {{
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}}
'''


def deploy(module: Module, weights: Weights, stem: str) -> Artifact:
    """`<stem>_deploy.py` and `<stem>_deploy.safetensors`. A network that is as its spec says is optimised first, at level 2.

    Failure CNN090 where PyTorch cannot say it.
    """
    from convspec.weights.store import content

    if not module.rewritten:
        from convspec.passes import optimise

        made = optimise(module, weights, 2, "pytorch")
        module, weights = made.module, made.weights
    name = f"{stem}_deploy"
    text, weights = _text(module, weights, name)
    files: dict[str, Content] = {f"{name}.py": text}
    files[f"{name}.safetensors"] = content(weights, module.name)
    return Artifact(files)


def emit_deploy(module: Module, weights: Weights, path: str | Path) -> list[Path]:
    """Write both files beside `path`, whose name they build on."""
    path = Path(path)
    return deploy(module, weights, path.name).write(path.parent)


def to_deployed(module: Module, weights: Weights) -> Any:
    """The class of the emitted file with its weights, as `load` makes it, but channels first. `module` is optimised."""
    import torch

    from convspec.targets.pytorch.package import import_text, tensor

    text, weights = _text(module, weights, module.name)
    made = getattr(import_text(text), page.class_name(module))()
    made.load_state_dict({name: tensor(torch, array) for name, array in weights.items()})
    return made.eval()


def flattened(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """The same network with labels of one level, `layer1_0_conv1` for `layer1.0.conv1`, and its weights under them."""
    names = quote.Names(("self", *page.reserved_names(), *RESERVED))
    paths: dict[str, str] = {}
    parameters: dict[str, Parameter] = {}
    nodes: dict[Node, Node] = {}
    for node in graph.nodes:
        path = paths.setdefault(node.path, "")
        if not path and node.path:
            path = paths[node.path] = names.of(node, node.path.replace(".", "_"))
        for role, parameter in node.params.items():
            leaf = _leaf(parameter, node, role)  # empty for a learned tensor, which is called what its layer is
            parameters.setdefault(parameter.name, replace(parameter, name=f"{path}.{leaf}" if leaf else path))
        params = {role: parameters[parameter.name] for role, parameter in node.params.items()}
        nodes[node] = replace(node, path=path, params=params)
    made = Graph(graph.name, graph.doc, list(graph.inputs), list(graph.outputs), list(nodes.values()))
    return made, {parameters[name].name: weights[name] for name in graph.parameters()}


def _leaf(parameter: Parameter, node: Node, role: str) -> str:
    """What the layer calls the parameter: its name without the layer's path."""
    inside = parameter.name.startswith(f"{node.path}.")
    return parameter.name.removeprefix(f"{node.path}.") if inside else role


def in_place(graph: Graph, trees: Mapping[Node, Tree]) -> dict[Node, Tree]:
    """Ops overwrite their first input where that is fresh memory that nothing reads later, the caller included."""
    uses, outputs, makers = graph.uses(), {output.value for output in graph.outputs}, graph.producers()
    found = dict(trees)
    for node, tree in trees.items():
        name, first = node.op.name, node.inputs[0] if node.inputs else None
        if name in _FASTER:
            found[node] = _FASTER[name]
        if name not in _IN_PLACE or first is None or first in outputs or first in node.inputs[1:]:
            continue
        alone = all(other is node or other.op.name in _FRESH for other in uses[first])
        maker = makers.get(first)
        fresh = maker is not None and maker.op.name in _FRESH and not isinstance(trees[maker], Arg)
        if alone and fresh and uses[first][-1] is node and first.type == node.output_types[0] and _is_plain(tree, node):
            found[node] = _IN_PLACE[name]
    return found


def _is_plain(tree: Tree, node: Node) -> bool:
    """Whether an op of two tensors is that and nothing else, not one with a number; one of a single tensor always is."""
    if node.op.name not in ("add", "mul"):
        return True
    return isinstance(tree, Call) and tree.args == (Arg(0), Arg(1)) and not tree.kwargs


class _Printer(StraightPrinter):
    """Values take turns under a few names, so that each is freed when nothing reads it any more."""

    def __init__(self, graph: Graph, trees: Mapping[Node, Tree]) -> None:
        super().__init__(graph, trees)
        self._held: dict[Value, str] = {}
        self._free: list[str] = []
        self._last = _last_reads(graph, trees)

    def _node(self, writer: Writer, node: Node, tree: Tree) -> None:
        self._free = sorted(
            [*self._free, *(self._held.pop(v) for v in self._last.get(node, ()) if v in self._held)], reverse=True
        )
        super()._node(writer, node, tree)

    def _name(self, value: Value, wanted: str | None = None) -> str:
        if any(item.value is value for item in self.graph.inputs):
            return super()._name(value, wanted)
        name = self._free.pop() if self._free else self.names.of(object(), f"x{len(self._held) + 1}")
        self._held[value] = name
        self.values[value] = code.name(name)
        return name


def _last_reads(graph: Graph, trees: Mapping[Node, Tree]) -> dict[Node, list[Value]]:
    """By the node that reads them last, the values whose names are free from there on. An identity shares its input's name."""
    same: dict[Value, Value] = {}
    readers: dict[Value, Node] = {}
    for node, tree in trees.items():
        for value in node.inputs:
            readers[same.get(value, value)] = node
        if isinstance(tree, Arg):
            same[node.outputs[0]] = same.get(node.inputs[tree.index], node.inputs[tree.index])
    kept = {same.get(output.value, output.value) for output in graph.outputs}
    found: dict[Node, list[Value]] = {}
    for value, node in readers.items():
        if value not in kept:
            found.setdefault(node, []).append(value)
    return found


def _text(module: Module, weights: Weights, stem: str) -> tuple[str, Weights]:
    """The file, held to the graph, and the weights by the names that they have in it."""
    graph, weights = flattened(module.graph, weights)
    trees = in_place(graph, lower_graph(graph))
    name = page.class_name(module)
    network, body, head, whole = Writer(), Writer(), Writer(), Writer()
    printer = _Printer(graph, trees)
    printer.write(network, name, module.doc)
    page.write_helpers(body, trees.values(), printer.uses_add)
    body.raw(network.lines)
    page.write_imports(head, body.lines)
    wrong = differences("\n".join([*head.lines, *body.lines]), name, graph, trees)
    if wrong:
        raise WrongSource("; ".join(mismatch.what for mismatch in wrong))
    whole.raw([*_head(module, stem), "", "import json", "from pathlib import Path", "", *head.lines, "", ""])
    whole.raw(body.lines)
    whole.blank(2)
    ranks = {len(parameter.shape) for parameter in graph.parameters().values()}
    place = "device, memory_format=torch.channels_last" if 4 in ranks and 5 not in ranks else "device"
    loader = _LOAD.format(file=quote.string(f"{stem}.safetensors"), name=name, place=place)
    whole.raw(loader.splitlines())
    return whole.text(), weights


def _head(module: Module, stem: str) -> list[str]:
    source = module.files[0].span.file.name if module.files else module.name
    said = f"{module.name} for inference, compiled from {source} by convspec: {module.rewritten or 'as it is'}."
    return quote.docstring(f"{said}\n\nNeeds torch alone:\n\n    model = {stem}.load()\n    outputs = model(inputs)")
