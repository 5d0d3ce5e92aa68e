"""Names: inputs, outputs and weights as the spec has them, all others from the labels, and none of them twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convspec.diagnostics import Failure
from convspec.ir.lowering import Arg, Call, Weight
from convspec.targets.onnx.target import TARGET, OnnxOptions
from tests.targets.onnx.hand import module, node, value, weight
from tests.targets.onnx.nets import assert_equal, net, run


def names(graph: Any) -> dict[str, list[str]]:
    return {
        "inputs": [i.name for i in graph.input],
        "outputs": [o.name for o in graph.output],
        "weights": [i.name for i in graph.initializer],
        "nodes": [n.name for n in graph.node],
    }


def test_names_come_from_the_labels() -> None:
    made = net("""
        model M {
            input image: float32[N, 3, 8, 8]
            x = image -> stem: conv(4, 3x3) -> relu -> "p-2.0": conv(4, 3x3, bias = false)
            for i in 0..2 { x = x -> "branch{i}": [conv(4, 1x1, bias = false) -> silu] }
            output logits = x -> global_avgpool -> flatten -> fc: linear(2)
        }
    """)
    found = names(made.proto().graph)
    assert found == {
        "inputs": ["image"],
        "outputs": ["logits"],
        "weights": [
            "stem.weight", "stem.bias", "p-2.0.weight", "branch0.0.weight", "branch1.0.weight", "fc.weight", "fc.bias",
        ],
        "nodes": [
            "stem", "relu1", "p-2.0", "branch0.0", "branch0.1/Sigmoid", "branch0.1", "branch1.0", "branch1.1/Sigmoid",
            "branch1.1", "global_avgpool1", "flatten1", "fc",
        ],
    }  # fmt: skip


def test_a_shared_layer_is_stored_once() -> None:
    made = net("""
        block Tower(x: tensor) { return x -> conv: conv(2, 3x3, pad = 1) -> relu }
        model M {
            input a: float32[N, 2, 4, 4]
            input b: float32[N, 2, 6, 6]
            layer tower = Tower()
            output left = a -> tower -> tower
            output right = b -> tower
        }
    """)
    found = names(made.proto().graph)
    assert found["weights"] == ["tower.conv.weight", "tower.conv.bias"]
    assert len(set(found["nodes"])) == len(found["nodes"]) == 6
    inputs = made.inputs({"N": 2})
    assert_equal(run(made.artifact().data(), inputs), made.expected(inputs))


def test_an_output_may_be_an_input_or_stand_twice() -> None:
    made = net("""
        model M {
            input a: float32[N, 2]
            input b: float32[N, 2]
            y = a + b -> dropout
            output same = a
            output sum = y
            output again = y -> dropout
            output b
        }
    """)
    inputs = made.inputs({"N": 3})
    found = run(made.artifact().data(), inputs)
    assert list(found) == ["same", "sum", "again", "b"]
    np.testing.assert_array_equal(found["same"], inputs["a"])
    np.testing.assert_array_equal(found["b"], inputs["b"])
    np.testing.assert_array_equal(found["again"], found["sum"])
    np.testing.assert_allclose(found["sum"], inputs["a"] + inputs["b"], rtol=1e-6)
    graph = made.proto().graph
    assert [(n.op_type, list(n.output)) for n in graph.node] == [
        ("Add", ["sum"]),
        ("Identity", ["same"]),
        ("Identity", ["again"]),
    ]


def test_an_output_takes_the_name_of_an_inner_tensor() -> None:
    """`relu1` is the name of a tensor inside, and of an output that is another one."""
    made = net("""
        model M {
            input x: float32[N, 2]
            y = x -> relu
            z = y -> tanh
            output relu1 = z
            output tanh1 = y
        }
    """)
    inputs = made.inputs({"N": 3})
    assert_equal(run(made.artifact().data(), inputs), made.expected(inputs))
    made = net("""
        model M {
            input x: float32[N, 2]
            output relu1 = x -> relu -> tanh
        }
    """)
    inputs = made.inputs({"N": 3})
    assert_equal(run(made.artifact().data(), inputs), made.expected(inputs))
    assert [list(n.output) for n in made.proto().graph.node] == [["relu1_2"], ["relu1"]]


def test_an_output_cannot_have_the_name_of_an_input_that_it_is_not() -> None:
    x, y = value("x", 2), value("y", 2)
    made = module([x], [node(Call("Relu", (Arg(0),)), [x], [y])], {"x": y})
    with pytest.raises(Failure) as caught:
        TARGET.emit(made, {}, OnnxOptions())
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "CNN091"
    assert diagnostic.message == "ONNX cannot carry the name `x` for an output: the model has another tensor of that name"


def test_a_weight_cannot_have_the_name_of_an_output() -> None:
    x, y, w = value("x", 2), value("y", 2), weight("odd1.weight", 2)
    made = module([x], [node(Call("Add", (Arg(0), Weight("weight"))), [x], [y], w)], {"odd1.weight": y})
    with pytest.raises(Failure) as caught:
        TARGET.emit(made, {"odd1.weight": np.ones(2, np.float32)}, OnnxOptions())
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "CNN091"
    assert "for a weight" in diagnostic.message


def test_an_inner_tensor_gives_way_to_a_weight() -> None:
    x, y, z, w = value("x", 2), value("odd1.weight", 2), value("z", 2), weight("odd1.weight", 2)
    tree = Call("Add", (Arg(0), Weight("weight")))
    made = module([x], [node(tree, [x], [y], w), node(Call("Neg", (Arg(0),)), [y], [z], path="neg1")], {"z": z})
    data = TARGET.emit(made, {"odd1.weight": np.array([1, 2], np.float32)}, OnnxOptions()).data()
    assert run(data, {"x": np.zeros(2, np.float32)})["z"].tolist() == [-1, -2]
