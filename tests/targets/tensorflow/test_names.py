"""Names that Keras or TensorFlow refuses are errors at the stage that has them; all others are carried as they are."""

from __future__ import annotations

import pytest

from convspec.diagnostics import Failure
from convspec.elaborate import loads
from convspec.targets.tensorflow.network import prepare


def failures(body: str, name: str = "x") -> list[str]:
    """What is said under each refused name."""
    module = loads(f"model M {{\ninput {name}: float32[N, 4]\n{body}\n}}")
    with pytest.raises(Failure) as caught:
        prepare(module.graph)
    diagnostics = caught.value.diagnostics
    assert {d.code for d in diagnostics} == {"CNN091"}
    return [d.primary.text for d in diagnostics if d.primary]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("output x -> _a: linear(3)", "TensorFlow takes no name that begins with `_`"),
        ('output x -> "-a": linear(3)', "TensorFlow takes no name that begins with `-`"),
        ("output x -> x: linear(3)", "an input has the same name"),
        ("output x -> relu_1: linear(3) -> relu", "Keras numbers its own `relu` operations so, and names must differ"),
        ("output x -> relu: linear(3) -> relu", "Keras numbers its own `relu` operations so, and names must differ"),
        ("output o = x + (x -> add: linear(4))", "Keras numbers its own `add` operations so, and names must differ"),
        (
            "output x -> dropout_12: linear(3) -> dropout",
            "Keras numbers its own `dropout` operations so, and names must differ",
        ),
    ],
)
def test_labels_that_keras_refuses(body: str, reason: str) -> None:
    assert failures(body) == [reason]


@pytest.mark.parametrize("name", ["_x", "relu", "relu_3"])
def test_input_names_that_keras_refuses(name: str) -> None:
    assert len(failures(f"output {name} -> relu", name)) == 1


def test_a_model_name_that_tensorflow_refuses() -> None:
    module = loads("model _M {\ninput x: float32[N, 4]\noutput x -> relu\n}")
    with pytest.raises(Failure, match="cannot carry the model name `_M`: TensorFlow takes no name that begins with `_`"):
        prepare(module.graph)


def test_every_refusal_is_reported_in_one_run() -> None:
    assert len(failures("output x -> _a: linear(3) -> _b: linear(3) -> _c: relu")) == 2  # `_c` names no Keras layer


@pytest.mark.parametrize("label", ["a._b", "a.-b", "9", "class", "None", "build", "layers", "a-", "conv1", "relu2", "A", "0.0"])
def test_labels_that_are_carried(label: str) -> None:
    module = loads(f'model M {{\ninput x: float32[N, 4]\noutput x -> "{label}": linear(3) -> relu\n}}')
    network = prepare(module.graph)
    assert [variable.key for variable in network.variables] == [f"{label}/kernel", f"{label}/bias"]


def test_names_of_operations_that_are_not_used_are_free() -> None:
    module = loads("model M {\ninput x: float32[N, 4]\noutput x -> relu_1: linear(3) -> sigmoid\n}")
    assert prepare(module.graph).variables[0].key == "relu_1/kernel"
