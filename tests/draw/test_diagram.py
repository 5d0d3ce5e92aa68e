"""What is drawn is what the network is: every layer once, every edge, and the same numbers as elsewhere."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings

from convspec import api
from convspec.analysis.summary import summarise
from convspec.diagnostics import Failure
from convspec.draw.diagram import Diagram, Group, Layer, Stack, diagram
from convspec.draw.scene import watch
from convspec.elaborate.module import Module
from tests.draw.networks import ALL, GROWING, PARALLEL, RESIDUAL, SHARED, TAPPED, module
from tests.fuzz.checks import Network
from tests.fuzz.specs import Spec, specs


def check(of: Module) -> None:
    """Everything that holds for any network."""
    drawn = diagram(of)
    check_tree(drawn, of)
    check_edges(drawn, of)
    check_numbers(drawn, of)
    check_stacks(drawn)
    plain = drawn.to_json()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def check_tree(drawn: Diagram, of: Module) -> None:
    layers = list(drawn.root.layers())
    assert [layer.node for layer in layers] == of.graph.nodes  # each once, in the order of execution
    ids = [layer.id for layer in layers] + [group.id for group in drawn.root.groups()]
    ids += [each.id for each in (*drawn.inputs, *drawn.outputs)]
    assert len(set(ids)) == len(ids)
    for group in drawn.root.groups():
        assert group.children or group is drawn.root
        if group.what == "label":
            assert all(layer.node.path.startswith(f"{group.path}.") for layer in group.layers())


def check_edges(drawn: Diagram, of: Module) -> None:
    graph = of.graph
    made: dict[Any, str] = {each.value: f"in{index}" for index, each in enumerate(graph.inputs)}
    made |= {value: f"n{index}" for index, node in enumerate(graph.nodes) for value in node.outputs}
    wanted = Counter((made[value], f"n{index}", value.type) for index, node in enumerate(graph.nodes) for value in node.inputs)
    wanted += Counter((made[output.value], f"out{index}", output.value.type) for index, output in enumerate(graph.outputs))
    assert Counter((edge.source, edge.target, edge.type) for edge in drawn.edges) == wanted


def check_numbers(drawn: Diagram, of: Module) -> None:
    table = summarise(of)
    numbers = drawn.root.numbers
    assert numbers.parameters == table.parameters.learnable
    assert numbers.statistics == table.parameters.statistics
    assert numbers.macs == table.cost.macs
    assert numbers.flops == table.cost.flops
    for layer, row in zip(drawn.root.layers(), table.rows, strict=True):
        assert (layer.numbers.parameters, layer.numbers.macs) == (row.parameters.learnable, row.cost.macs)
        assert (layer.outputs, layer.text, layer.field) == (row.outputs, row.layer, row.field)
    for group in drawn.root.groups():
        assert group.numbers.parameters == sum(layer.numbers.parameters for layer in group.layers())
        macs = sum(layer.numbers.weights["macs"] for layer in group.layers())
        assert group.numbers.weights["macs"] == pytest.approx(macs)


def check_stacks(drawn: Diagram) -> None:
    """Members of a stack are the same by a comparison of their own: as text, with places for what stands outside."""
    for group in drawn.root.groups():
        for stack in group.stacks:
            members = group.children[stack.first : stack.first + stack.count]
            assert stack.count == len(members) > 1
            assert len({_as_text(member) for member in members if isinstance(member, Group)}) == 1
            assert stack.parallel == (len({_read(member) for member in members if isinstance(member, Group)}) == 1)


def _read(group: Group) -> frozenset[int]:
    """What comes into a group from outside."""
    made = {id(value) for layer in group.layers() for value in layer.node.outputs}
    return frozenset(id(value) for layer in group.layers() for value in layer.node.inputs) - made


def _as_text(group: Group) -> str:
    places: dict[Any, str] = {}
    lines = []
    for layer in group.layers():
        inputs = [places.setdefault(value, f"outside{len(places)}") for value in layer.node.inputs]
        for value in layer.node.outputs:
            places[value] = f"made{len(places)}"
        lines.append(f"{layer.text} {inputs} {[str(kind) for kind in layer.outputs]}")
    return "\n".join(lines)


@pytest.mark.parametrize("name", ALL)
def test_everything_is_drawn(name: str) -> None:
    check(module(name))


@seed(6)
@settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(spec=specs())
def test_random_networks_are_drawn(spec: Spec) -> None:
    try:
        of = Network(spec).module
    except Failure:
        return
    check(of)


@pytest.mark.zoo
def test_the_whole_zoo_is_drawn() -> None:
    from convspec.zoo import networks

    for network in networks():
        check(api.load(network.library, network.name).module)


# ── groups ───────────────────────────────────────────────────────────────────────────────────────────────────


def outline(group: Group) -> Any:
    """Titles of groups and labels of layers."""
    return [child.label if isinstance(child, Layer) else {child.title: outline(child)} for child in group.children]


def of_text(text: str, **sizes: int) -> Diagram:
    return diagram(api.loads(text).module, sizes)


def test_groups_are_labels_blocks_and_turns() -> None:
    drawn = of_text(RESIDUAL)
    residual = ["conv1", "batchnorm1", "relu1", "conv2", "add1", "relu2"]
    assert outline(drawn.root) == ["stem", "relu1", {"stage": [{"Residual": residual}] * 3}, "head"]
    stage = drawn.root.children[2]
    assert isinstance(stage, Group)
    assert [(stack.first, stack.count) for stack in stage.stacks] == [(0, 3)]
    block = stage.children[1]
    assert isinstance(block, Group)
    assert (block.label, block.path, block.arguments) == ("1", "stage.1", "width = 8")
    assert block.doc.startswith('A block <with> "odd" & text')


def test_a_loop_of_several_stages_is_a_group_for_each_turn() -> None:
    drawn = of_text(
        "model M {\n input x: float32[1, 3, 8, 8]\n"
        ' for i, width in [4, 8] { x = x -> "c{i}": conv(width, 3x3) -> relu }\n output x\n}'
    )
    assert outline(drawn.root) == [{"i = 0, width = 4": ["c0", "relu1.0"]}, {"i = 1, width = 8": ["c1", "relu1.1"]}]


def test_branches_that_are_alike_are_a_stack_side_by_side() -> None:
    drawn = of_text(PARALLEL)
    assert outline(drawn.root)[:5] == [{"Expert": ["conv1", "gelu1", "conv2"]}] * 4 + [{"sum1": ["0", "1", "2"]}]
    assert drawn.root.stacks == [Stack(0, 4, parallel=True), Stack(5, 3, parallel=True)]
    assert [stack.mark for stack in drawn.root.stacks] == ["4 in parallel", "3 in parallel"]


@pytest.mark.parametrize(
    "body",
    [
        'a = x -> "a": E(8)\nb = x -> "b": E(8)\noutput p = a, q = b',  # two outputs
        'a = x -> "a": E(8)\nb = x -> "b": E(8)\nc = a -> relu\noutput c + b',  # read by different layers
        'a = x -> "a": E(8)\nb = x -> relu -> "b": E(8)\noutput a + b',  # that read different tensors
        'a = x -> "a": E(8)\nb = x -> "b": E(9)\noutput a + b',  # of different widths
    ],
)
def test_branches_that_differ_are_no_stack(body: str) -> None:
    text = "block E(x: tensor, w: int) { return x -> conv(w, 1x1) -> conv(4, 1x1) }\n"
    drawn = of_text(f"{text}model M {{\n input x: float32[1, 4, 8, 8]\n {body}\n}}")
    assert drawn.root.stacks == []


def test_repeats_that_are_read_elsewhere_are_no_stack() -> None:
    assert [group.stacks for group in of_text(TAPPED).root.groups()] == [[]] * 4


def test_repeats_that_grow_are_no_stack() -> None:
    assert not any(group.stacks for group in of_text(GROWING).root.groups())


def test_two_uses_of_a_layer_side_by_side_are_no_stack_and_share() -> None:
    drawn = of_text(SHARED)
    assert not any(group.stacks for group in drawn.root.groups())
    layers = list(drawn.root.layers())
    assert [layer.shared_with for layer in layers] == [None, None, layers[0].id, None, None]
    assert [layer.numbers.parameters > 0 for layer in layers] == [True, False, False, False, False]


def test_labels_that_are_left_and_entered_again_are_two_groups() -> None:
    drawn = of_text(
        "model M {\n input x: float32[1, 3, 8, 8]\n"
        ' x = x -> "a.c1": conv(3, 1x1) -> "a.c2": relu -> b: conv(3, 1x1)\n'
        ' -> "a.c3": conv(3, 1x1) -> "a.c4": relu\n'
        " output x\n}"
    )
    assert outline(drawn.root) == [{"a": ["c1", "c2"]}, "b", {"a": ["c3", "c4"]}]


def test_a_network_that_was_rewritten_is_grouped_by_its_labels() -> None:
    net = api.loads(RESIDUAL).optimise(1)
    drawn = diagram(net.module)
    assert [layer.node for layer in drawn.root.layers()] == net.module.graph.nodes
    assert "stage" in [group.title for group in drawn.root.groups()]


# ── sizes ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_sizes_stay_as_text_unless_they_are_given() -> None:
    assert of_text(RESIDUAL).to_json()["edges"][0]["text"] == "3×8h×8w"
    plain = of_text(RESIDUAL, N=2, h=4, w=5).to_json()
    assert plain["edges"][0] == {
        "from": "in0",
        "to": "n0",
        "dtype": "float32",
        "shape": [2, 3, 32, 40],
        "text": "3×32×40",
        "anchor": False,
    }
    assert (plain["open_sizes"], plain["basis"]) == ([], {"N": 2, "h": 4, "w": 5})
    assert of_text(RESIDUAL, h=4).basis == {"N": 1, "h": 4, "w": 28}  # 224 pixels, the usual extent


def test_a_row_of_words_has_a_usual_length() -> None:
    drawn = of_text("model M {\n input words: int64[N, L]\n output y = words -> embedding(50, 8)\n}")
    assert drawn.basis == {"N": 1, "L": 224}


def test_sizes_that_there_are_not_are_explained() -> None:
    with pytest.raises(Failure, match="no symbolic size `q`"):
        of_text(RESIDUAL, q=1)


def test_a_constant_hangs_on_nothing_that_is_seen() -> None:
    drawn = of_text("model M {\n input x: float32[1, 3, 8, 8]\n output y = x + parameter([1, 3, 1, 1])\n}")
    assert [(edge.source, edge.target) for edge in drawn.edges if edge.anchor] == [("in0", "n0")]
    assert {(wire.source, wire.target) for wire in watch(drawn).wires} == {("in0", "n1"), ("n0", "n1"), ("n1", "out0")}


def test_the_source_of_each_layer_is_told() -> None:
    plain = of_text(RESIDUAL).to_json()
    text = plain["files"][0]["text"].splitlines()
    pending = [plain["root"]]
    found = 0
    while pending:
        each = pending.pop()
        pending += each.get("children", [])
        if each["kind"] == "layer":
            source = each["source"]
            assert source["line"] == source["end_line"]
            written = text[source["line"] - 1][source["column"] - 1 : source["end_column"] - 1]
            assert written.startswith(each["op"]) or "+" in written
            found += 1
    assert found == len(list(of_text(RESIDUAL).root.layers()))
