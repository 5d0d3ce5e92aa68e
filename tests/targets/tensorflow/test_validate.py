"""The proof that a source file says what the network says finds every kind of difference. No Keras needed."""

from __future__ import annotations

import pytest

from convspec.targets.tensorflow.network import prepare
from convspec.targets.tensorflow.straight import print_straight
from convspec.targets.tensorflow.validate import differences
from tests.targets.tensorflow.networks import net
from tests.targets.tensorflow.specs import SPECS


@pytest.mark.parametrize("name", SPECS)
def test_straight_source_is_proven(name: str) -> None:
    text, model, _ = SPECS[name]
    network = prepare(net(text, model).module.graph)
    assert differences(print_straight(network, "m"), network) == []


SMALL = """
model M {
    input a: float32[N, 4, 6, 6]
    input b: float32[N, 4, 6, 6]
    output sum = (a -> conv1: conv(8, 3x3, stride = 2, pad = 1) -> relu) + (b -> conv2: conv(8, 3x3, stride = 2, pad = 1))
    output a -> maxpool(2x2) -> flatten -> fc: linear(5)
}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ops.relu", "ops.sigmoid"),
        ("relu1 + conv2", "conv2 + relu1"),
        ("layers.Conv2D(8, 3", "layers.Conv2D(8, 5"),
        ("strides=2", "strides=1"),
        ("relu1 = ops.relu(conv1)", "relu1 = ops.relu(conv1); ops.relu(conv1)"),
        ("fc = layers.Dense", 'fc, _ = [layers.Dense(5, name="fc")(flatten1) for _ in range(2)]; fc = layers.Dense'),
        ('name="conv1"', 'name="conv9"'),
        ('name="conv2"', 'name="conv1"'),
        ("layers.Dense(5, ", "layers.Dense(5, use_bias=False, "),
        ('{"sum": ', '{"total": '),
        ("keras.Input((6, 6, 4)", "keras.Input((6, 6, 3)"),
        ('"a": a, "b": b', '"b": b, "a": a'),
        ('name="M"', 'name="N"'),
        ("MaxPooling2D(2)", "MaxPooling2D(3)"),
        ("layers.Flatten()(maxpool1)", "layers.Flatten()(layers.Permute((3, 1, 2))(maxpool1))"),
        ("def build():", "def build(x):"),
    ],
)
def test_differences_are_found(old: str, new: str) -> None:
    network = prepare(net(SMALL).module.graph)
    text = print_straight(network, "m")
    assert old in text
    assert differences(text.replace(old, new, 1), network) != []


def test_equal_numbers_per_axis_and_defaults_written_out_are_no_difference() -> None:
    network = prepare(net(SMALL).module.graph)
    text = print_straight(network, "m")
    same = text.replace("layers.Conv2D(8, 3,", "layers.Conv2D(8, (3, 3), use_bias=True,").replace(
        "MaxPooling2D(2)", "MaxPooling2D((2, 2), strides=2)"
    )
    assert same != text
    assert differences(same, network) == []
