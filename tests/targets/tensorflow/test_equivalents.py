"""Tables about Keras against the Keras that is installed."""

from __future__ import annotations

import inspect
import operator
import re
from typing import Any

import numpy as np
import pytest

from convspec.targets.tensorflow import to_keras
from convspec.targets.tensorflow.equivalents import DEFAULTS, canonical
from convspec.targets.tensorflow.expressions import functions_of
from convspec.targets.tensorflow.helpers_text import functions_in_helpers, helper_names, helper_texts
from convspec.targets.tensorflow.names import automatic_names
from convspec.targets.tensorflow.network import prepare
from tests.targets.tensorflow.networks import net
from tests.targets.tensorflow.specs import SPECS


def _found(fn: str) -> Any:
    import keras

    from convspec.targets.tensorflow import helpers

    package, _, name = fn.partition(".")
    return operator.attrgetter(name)(helpers if package == "helpers" else getattr(keras, package))


@pytest.mark.parametrize("fn", DEFAULTS)
def test_defaults_are_those_of_keras(fn: str) -> None:
    parameters = inspect.signature(_found(fn)).parameters
    for name, value in DEFAULTS[fn].items():
        found = parameters[name].default
        assert canonical(fn, (), {name: found}) == canonical(fn, (), {name: value}) == canonical(fn, (), {}), name


def test_the_strides_of_a_pool_are_its_size() -> None:
    import keras

    assert keras.layers.MaxPooling2D((2, 3)).strides == (2, 3)
    assert canonical("layers.MaxPooling2D", (2,), {"strides": (2, 2)}) == canonical("layers.MaxPooling2D", ((2, 2),), {})


@pytest.mark.parametrize(
    ("fn", "one", "other"),
    [
        ("layers.Conv2D", (4, 3), (4, [3, 3])),
        ("layers.Conv1D", (4, 3), (4, [3])),
        ("layers.ZeroPadding2D", (1,), (((1, 1), (1, 1)),)),
        ("layers.ZeroPadding2D", ((1, 2),), ([[1, 1], [2, 2]],)),
        ("layers.ZeroPadding1D", (2,), ((2, 2),)),
        ("layers.Cropping1D", (2,), ([2, 2],)),
        ("layers.UpSampling3D", (2,), ((2, 2, 2),)),
    ],
)
def test_arguments_that_mean_the_same(fn: str, one: Any, other: Any) -> None:
    assert canonical(fn, one, {}) == canonical(fn, other, {})
    x = _ramp(fn)
    assert np.array_equal(_found(fn)(*one)(x).shape, _found(fn)(*other)(x).shape)


@pytest.mark.parametrize(
    ("fn", "right", "wrong"),
    [
        ("layers.Conv2D", (4, 3), ([4], 3)),
        ("layers.Conv2D", (4, 3), (4, [3])),
        ("layers.Conv2D", (4, 3), (4, [[3, 3], [3, 3]])),
        ("layers.ZeroPadding1D", (2,), ([2],)),
        ("layers.ZeroPadding1D", ((1, 2),), ([[1, 2]],)),
        ("layers.Cropping1D", (2,), ([2],)),
        ("layers.UpSampling1D", (2,), ([2],)),
    ],
)
def test_arguments_that_keras_does_not_take(fn: str, right: Any, wrong: Any) -> None:
    assert canonical(fn, right, {}) != canonical(fn, wrong, {})
    with pytest.raises((ValueError, TypeError)):
        _found(fn)(*wrong)(_ramp(fn))


def _ramp(fn: str) -> Any:
    """An input for a layer of that many axes."""
    return np.ones((1, *[6] * int(fn[-2]), 2), np.float32)


@pytest.mark.parametrize("name", SPECS)
def test_every_name_that_keras_gives_by_itself_is_foreseen(name: str) -> None:
    """Otherwise a label could collide with it."""
    made = net(*SPECS[name][:2])
    network = prepare(made.module.graph)
    functions = [fn for step in network.steps for fn in functions_of(step.tree)]
    foreseen = automatic_names([*functions, *functions_in_helpers(functions)])
    own = {step.node.path for step in network.steps} | {item.value.name for item in made.module.graph.inputs}
    names = {op.name for op in to_keras(made.module, made.weights).operations} - own
    assert names
    assert {re.sub(r"_\d+$", "", given) for given in names} <= foreseen


def test_helpers_are_taken_out_whole() -> None:
    assert "BatchNorm" in helper_names()
    for name in helper_names():
        (text, *others) = [text for text in helper_texts([name]) if re.match(rf"(class|def) {name}\b", text)]
        assert not others
        compile(text, name, "exec")
        assert '"""' in text
