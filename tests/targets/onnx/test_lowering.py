"""Lowering trees become nodes, initialisers and constants; what cannot be is a located error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from convspec.diagnostics import Diagnostic, Failure
from convspec.elaborate import Module
from convspec.ir.lowering import Arg, Args, Call, Const, Lowered, Unsupported, Weight
from convspec.ir.opdef import AttrError, ShapeError
from convspec.ir.types import Array
from convspec.targets.onnx.target import TARGET, OnnxOptions
from tests.targets.onnx.hand import module, node, span, value, weight
from tests.targets.onnx.nets import run


def emit(made: Module, weights: Mapping[str, Array] | None = None, opset: int | None = None) -> bytes:
    return TARGET.emit(made, weights or {}, OnnxOptions(opset=opset)).data()


def parse(data: bytes) -> Any:
    import onnx

    return onnx.load_from_string(data)


def failures(made: Module, weights: Mapping[str, Array] | None = None, opset: int | None = None) -> list[Diagnostic]:
    with pytest.raises(Failure) as caught:
        emit(made, weights, opset)
    return caught.value.diagnostics


def unary(lowered: Lowered | Exception | None, *shape: int, out: tuple[int, ...] | None = None) -> Module:
    x, y = value("x", *shape), value("odd1", *(out or shape))
    return module([x], [node(lowered, [x], [y])], {"y": y})


X = np.arange(-3, 3, dtype=np.float32).reshape(2, 3)


def test_nested_calls_become_named_nodes() -> None:
    data = emit(unary(Call("Exp", (Call("Neg", (Call("Neg", (Arg(0),)),)),)), 2, 3))
    assert [(n.op_type, n.name, list(n.input), list(n.output)) for n in parse(data).graph.node] == [
        ("Neg", "odd1/Neg", ["x"], ["odd1/Neg"]),
        ("Neg", "odd1/Neg_2", ["odd1/Neg"], ["odd1/Neg_2"]),
        ("Exp", "odd1", ["odd1/Neg_2"], ["y"]),
    ]
    np.testing.assert_allclose(run(data, {"x": X})["y"], np.exp(X), rtol=1e-6)


def test_a_call_that_stands_twice_is_computed_once() -> None:
    inner = Call("Exp", (Arg(0),))
    data = emit(unary(Call("Mul", (inner, Call("Add", (inner, Arg(0))))), 2, 3))
    assert [n.op_type for n in parse(data).graph.node] == ["Exp", "Add", "Mul"]
    np.testing.assert_allclose(run(data, {"x": X})["y"], np.exp(X) * (np.exp(X) + X), rtol=1e-6)


def test_several_results_and_all_arguments() -> None:
    x, y = value("x", 2, 3), value("y", 2, 3)
    both, a, b = value("both", 2, 6), value("a", 2, 2), value("b", 2, 4)
    made = module(
        [x, y],
        [
            node(Call("Concat", (Args(),), {"axis": 1}), [x, y], [both], path="cat"),
            node(Call("Split", (Arg(0), Const((2, 4), "int64")), {"axis": 1}), [both], [a, b], path="cut"),
        ],
        {"b": b, "a": a},
    )
    found = run(emit(made), {"x": X, "y": 10 * X})
    np.testing.assert_array_equal(found["a"], X[:, :2])
    np.testing.assert_array_equal(found["b"], np.concatenate([X[:, 2:], 10 * X], 1))
    assert list(found) == ["b", "a"]


def test_absent_inputs_in_the_middle_and_at_the_end() -> None:
    for absent in ("", None):
        clipped = parse(emit(unary(Call("Clip", (Arg(0), absent, Const(1.0, "float32"))), 2, 3)))
        assert list(clipped.graph.node[0].input) == ["x", "", "constant_1"]
        relu = parse(emit(unary(Call("Clip", (Arg(0), Const(0.0, "float32"), absent)), 2, 3)))
        assert list(relu.graph.node[0].input) == ["x", "constant_1"]


def test_equal_constants_are_stored_once() -> None:
    """Equal in dtype, shape and bits: 0.0 and -0.0 are not."""
    one, also, zero, negative = (Const(v, "float32") for v in (1.0, 1, 0.0, -0.0))
    tree = Call("Add", (Call("Add", (Call("Add", (Call("Add", (Arg(0), one)), also)), zero)), negative))
    graph = parse(emit(unary(tree, 2, 3))).graph
    assert [init.name for init in graph.initializer] == ["constant_1", "constant_2", "constant_3"]


def test_weights_in_another_layout() -> None:
    """Reshaped, then permuted, as stored; the name says so and the parameter's own name stays for the plain one."""
    w = weight("odd1.weight", 2, 6)
    x, y = value("x", 2, 3), value("y", 2, 4)
    packed = Weight("weight", permute=(1, 0), reshape=(4, 3))
    tree = Call("MatMul", (Arg(0), packed))
    made = module([x], [node(tree, [x], [y], w)], {"y": y})
    stored = np.arange(12, dtype=np.float32).reshape(2, 6)
    data = emit(made, {"odd1.weight": stored})
    np.testing.assert_array_equal(run(data, {"x": X})["y"], X @ stored.reshape(4, 3).T)
    (init,) = parse(data).graph.initializer
    assert init.name == "odd1.weight/4x3/1,0"
    assert list(init.dims) == [3, 4]


def test_a_layout_that_changes_nothing_is_the_parameter_itself() -> None:
    w = weight("odd1.weight", 3, 2)
    x, y = value("x", 2, 3), value("y", 2, 2)
    tree = Call("Add", (Call("MatMul", (Arg(0), Weight("weight", (0, 1), (3, 2)))), Call("MatMul", (Arg(0), Weight("weight")))))
    made = module([x], [node(tree, [x], [y], w)], {"y": y})
    graph = parse(emit(made, {"odd1.weight": np.ones((3, 2), np.float32)})).graph
    assert [init.name for init in graph.initializer] == ["odd1.weight"]


def test_attributes_take_the_type_of_the_schema() -> None:
    class Traced(int):
        """An integer that remembers where it came from, as attribute values may."""

    tree = Call("LeakyRelu", (Call("Transpose", (Arg(0),), {"perm": (Traced(1), 0)}),), {"alpha": 1})
    nodes = parse(emit(unary(tree, 2, 3, out=(3, 2)))).graph.node
    assert list(nodes[0].attribute[0].ints) == [1, 0]
    assert nodes[1].attribute[0].f == 1.0


@pytest.mark.parametrize(
    ("attribute", "given"), [("value_floats", (1, 2)), ("value_ints", (1, 2)), ("value_float", 1), ("value_int", True)]
)
def test_attributes_of_every_kind(attribute: str, given: Any) -> None:
    tree = Call("Add", (Arg(0), Call("Cast", (Call("Constant", (), {attribute: given}),), {"to": 1})))
    added = run(emit(unary(tree, 2, 2)), {"x": np.zeros((2, 2), np.float32)})["y"]
    np.testing.assert_array_equal(added, np.broadcast_to(np.float32(given), (2, 2)))


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_layer_without_a_form_is_reported_at_its_place() -> None:
    x, a, b = value("x", 1), value("a", 1), value("b", 1)
    frames = ("in Block, called at hand.cnn:1",)
    made = module(
        [x],
        [node(Unsupported("the kernel is purple"), [x], [a], frames=frames, at=span(6, 10)), node(None, [a], [b])],
        {"b": b},
    )
    first, second = failures(made)
    assert (first.code, first.message) == ("CNN090", "ONNX cannot express this `odd` exactly: the kernel is purple")
    assert first.primary is not None
    assert first.primary.span.text == "Hand"
    assert first.frames == frames
    assert (second.code, second.message) == ("CNN090", "ONNX cannot express this `odd` exactly")


def test_a_lowering_that_finds_a_size_it_cannot_take() -> None:
    reason = "`pad` must be known, but it is 2*h"
    for problem in (AttrError(reason, "pad", "CNN033"), ShapeError(reason)):
        (diagnostic,) = failures(unary(problem, 2, 3))
        assert diagnostic.message == "ONNX cannot express this `odd` exactly: `pad` must be known, but it is 2*h"


PAD = (Arg(0), Const((0, 1, 0, 1), "int64"))

TOO_NEW = [
    (Call("Gelu", (Arg(0),)), 19, "opset 19 has no Gelu; opset 20 has"),
    (Call("Mystery", (Arg(0),)), 28, "opset 28 has no Mystery"),
    (Call("Upsample", (Arg(0), Const((1.0, 1.0), "float32"))), 28, "opset 28 has no Upsample"),  # deprecated since 10
    (Call("Relu", (Arg(0),), {"slope": 1.0}), 28, "Relu of opset 28 has no attribute `slope`"),
    (Call("Relu", (Arg(0), Arg(0))), 28, "Relu of opset 28 takes 1 to 1 inputs, not 2"),
    (Call("Pad", PAD, {"mode": "wrap"}), 18, "Pad of opset 18 has no `mode` of 'wrap'; opset 19 has"),
    (Call("GroupNormalization", (Arg(0),) * 3, {"num_groups": 1}), 20, "opset 20 has no GroupNormalization; opset 21 has"),
]


@pytest.mark.parametrize(("tree", "opset", "reason"), TOO_NEW, ids=lambda value: getattr(value, "fn", ""))
def test_what_an_opset_cannot_say(tree: Call, opset: int, reason: str) -> None:
    (diagnostic,) = failures(unary(tree, 2, 3), opset=opset)
    assert (diagnostic.code, diagnostic.message) == ("CNN090", f"ONNX cannot express this `odd` exactly: {reason}")


def test_the_younger_values_are_refused_by_onnx_runtime_indeed() -> None:
    """The table of values younger than their attribute is not only hearsay: one opset later they run."""
    made = unary(Call("Pad", PAD, {"mode": "wrap"}), 2, 3, out=(2, 5))
    np.testing.assert_array_equal(run(emit(made, opset=19), {"x": X})["y"], np.pad(X, ((0, 0), (1, 1)), mode="wrap"))


@pytest.mark.parametrize("asked", [17, 10**6, -1])
def test_opsets_that_cannot_be_asked_for(asked: int) -> None:
    (diagnostic,) = failures(unary(Call("Relu", (Arg(0),)), 2, 3), opset=asked)
    assert diagnostic.code == "CNN401"
    assert diagnostic.hint is not None
    assert diagnostic.hint.startswith("the opsets are 18 to ")


def test_a_shape_that_is_not_what_the_nodes_give_is_refused() -> None:
    (diagnostic,) = failures(unary(Call("Transpose", (Arg(0),)), 2, 3))
    assert diagnostic.code == "CNN090"
    assert diagnostic.message.startswith("onnx refuses the model made from Hand: ")
    assert "\n" not in diagnostic.message


def test_a_dtype_that_an_op_does_not_take_is_refused() -> None:
    x, y = value("x", 2, 3, dtype="int32"), value("odd1", 2, 3, dtype="int32")
    (diagnostic,) = failures(module([x], [node(Call("Sigmoid", (Arg(0),)), [x], [y])], {"y": y}))
    assert diagnostic.code == "CNN090"


def test_weights_that_do_not_fit_are_refused() -> None:
    w = weight("odd1.weight", 3, 2)
    x, y = value("x", 2, 3), value("y", 2, 2)
    made = module([x], [node(Call("MatMul", (Arg(0), Weight("weight"))), [x], [y], w)], {"y": y})
    for given in ({}, {"odd1.weight": np.ones((2, 3), np.float32)}, {"odd1.weight": np.ones((3, 2))}):
        (diagnostic,) = failures(made, given)
        assert diagnostic.code == "CNN201"
