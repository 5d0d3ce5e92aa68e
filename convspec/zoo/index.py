"""Works out `index.json` from the specs: `python -m convspec.zoo.index`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from convspec.analysis.budgets import check_asserts
from convspec.analysis.cost import parameters_of, total_cost
from convspec.analysis.receptive_field import show, trunk_field
from convspec.analysis.sizes import symbolic_sizes
from convspec.diagnostics import Failure
from convspec.diagnostics.render import render
from convspec.elaborate import Module, load
from convspec.elaborate.libraries import shipped
from convspec.elaborate.walk import descendants
from convspec.files import write_file
from convspec.ir.dims import equal, substitute
from convspec.ir.graph import GraphInput
from convspec.limits import DEFAULT
from convspec.source import SourceFile
from convspec.syntax import ast, parse
from convspec.zoo.catalogue import FOLDER, INDEX, PREFIX, Network

SOURCE = re.compile(r"\(([^()]*\b(?:19|20)\d\d\b[^()]*)\)")
"""The first parenthesis with a year: `(He et al. 2015, arXiv:1512.03385)`."""


def measure(library: str) -> Iterator[Network]:
    """The networks of a file, `zoo:resnet`: models and configurations that need no argument, in its order."""
    path = FOLDER / f"{library.removeprefix(PREFIX)}.cnn"
    for name in _names(path):
        module = load(path, name)
        check_asserts(module)
        yield _network(library, name, module)


def _names(path: Path) -> list[str]:
    tree = parse(SourceFile(path.name, path.read_text(encoding="utf-8")), DEFAULT)
    named = [item for item in tree.items if isinstance(item, ast.Configuration | ast.Block)]
    return [item.name.text for item in named if isinstance(item, ast.Configuration) or _is_network(item)]


def _is_network(block: ast.Block) -> bool:
    return block.kind == "model" and all(param.default is not None for param in block.params)


def _network(library: str, name: str, module: Module) -> Network:
    sizes = sizes_of(module)
    doc = _doc(module, name)
    paper = SOURCE.search(doc)
    return Network(
        name=name,
        library=library,
        summary=_summary(doc),
        paper=" ".join(paper[1].split()) if paper else "",
        inputs=tuple(_shown(graph_input, sizes) for graph_input in module.graph.inputs),
        parameters=parameters_of(module.graph.nodes).learnable,
        macs=_number(total_cost(module.graph.nodes, sizes).macs),
        receptive_field=show(trunk_field(module.graph)),
        sizes=sizes,
    )


def _doc(module: Module, name: str) -> str:
    """What is said of the network itself, or else of the model that it configures."""
    own = [i.doc for i in module.files[0].items if isinstance(i, ast.Configuration | ast.Block) and i.name.text == name]
    return own[0] if own and SOURCE.search(own[0]) else module.root.block.doc or module.files[0].doc


def _summary(doc: str) -> str:
    """The first sentence, without its source."""
    text = SOURCE.sub("", " ".join(doc.split("\n\n", maxsplit=1)[0].split()), count=1)
    sentence = re.split(r"(?<=[a-z0-9)])\s*\.(?:\s|$)", text, maxsplit=1)[0]
    return " ".join(sentence.replace(" ,", ",").split()).rstrip("., ")


def _shown(graph_input: GraphInput, sizes: Mapping[str, int]) -> str:
    shape = [substitute(size, sizes) for size in graph_input.value.type.shape]
    return f"{graph_input.value.name}: {graph_input.value.type.dtype}[{', '.join(map(str, shape))}]"


def _number(size: object) -> int:
    assert isinstance(size, int), f"MACs depend on a size that the spec gives no value: {size}"
    return size


def sizes_of(module: Module) -> dict[str, int]:
    """Values for all symbolic sizes: those that the spec says in `macs(…)`, those of its picture, a batch of one."""
    least = symbolic_sizes(module.graph)
    found = {**_of_pictures(module), **_said(module)}
    found = {name: value for name, value in found.items() if name in least}
    missing = least.keys() - found.keys() - {"N"}
    assert not missing, f"{module.name}: no assertion says macs(…) at which {', '.join(sorted(missing))}"
    return {name: found.get(name, 1) for name in least}


def _said(module: Module) -> dict[str, int]:
    calls = [node for given in module.asserts for node in descendants(given.statement.condition) if isinstance(node, ast.Call)]
    args = [arg for call in calls if call.function.text == "macs" for arg in call.args]
    return {arg.name.text: arg.value.value for arg in args if arg.name is not None and isinstance(arg.value, ast.IntLit)}


def _of_pictures(module: Module) -> dict[str, int]:
    found: dict[str, int] = {}
    for graph_input in module.graph.inputs:
        if graph_input.picture is not None and graph_input.picture.size is not None:
            for size, wanted in zip(graph_input.value.type.spatial, graph_input.picture.size, strict=True):
                solution = equal(size, wanted).substitution
                found |= {name: value for name, value in solution.items() if isinstance(value, int)}
    return found


def text(found: Iterable[Network]) -> str:
    """The index as it is stored: a network a line."""
    rows = ",\n".join(json.dumps(network.to_json(), ensure_ascii=False) for network in found)
    return f"[\n{rows}\n]\n"


def main() -> int:
    """Write the index of all files that are right; exit status 1, with what is wrong with the others, where one is not."""
    found: list[Network] = []
    wrong = 0
    for library in shipped("zoo"):
        try:
            found += measure(library)
        except Failure as failure:
            wrong += 1
            print(render(failure.diagnostics), file=sys.stderr)
        except AssertionError as problem:
            wrong += 1
            print(f"{library}: {problem}", file=sys.stderr)
    write_file(INDEX, text(found))
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
