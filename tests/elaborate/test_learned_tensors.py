"""A layer that takes no tensor is one: the name it is declared under stands for it, and for its weight."""

from __future__ import annotations

import pytest

from convspec.diagnostics import Failure
from convspec.elaborate import loads
from convspec.ir.dump import dump
from convspec.targets.base import find_target
from convspec.weights.randomised import randomised

SPEC = """
block Scaled(x: tensor, start: float = 0.1) {
    layer gain = parameter([1, x.channels, 1, 1], init = constant(start))
    return x * gain
}
model Main {
    input x: float32[N, 3, 8, 8]
    layer place = "embed.place": parameter([1, 8, 8, 8])
    y = x -> conv(8, 3x3, pad = 1) -> Scaled -> second: Scaled(0.5)
    output z = (y + place) * place
}
"""


def test_the_label_names_the_weight() -> None:
    graph = loads(SPEC).graph
    learned = [parameter for name, parameter in graph.parameters().items() if not name.startswith("conv1")]
    assert {parameter.name: parameter.shape for parameter in learned} == {
        "embed.place.weight": (1, 8, 8, 8),
        "Scaled1.gain.weight": (1, 8, 1, 1),
        "second.gain.weight": (1, 8, 1, 1),
    }
    assert [parameter.init.value for parameter in learned if "gain" in parameter.name] == [0.1, 0.5]
    assert "mul1 = mul(add1, embed.place" in dump(graph), "both uses are of one tensor"


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("pytorch", "self.gain = LearnedTensor(1, in_channels, 1, 1)"),
        ("pytorch", "gain = self.gain()"),
        ("tensorflow", 'gain = LearnedTensor(1, 1, 1, x.shape[-1], name=f"{name}.gain")(x)'),
    ],
)
def test_blocks_stay_readable(target: str, line: str) -> None:
    module, found = loads(SPEC), find_target(target)
    text = found.emit(module, randomised(module.graph, seed=0), found.options()).text()
    assert text.count(line) == 1


def test_it_is_no_stage() -> None:
    with pytest.raises(Failure) as caught:
        loads(SPEC.replace("(y + place) * place", "y -> place"))
    assert caught.value.diagnostics[0].code == "CNN021"
    with pytest.raises(Failure) as caught:
        loads(SPEC.replace("y = x -> conv", "y = x -> parameter([1, 3, 8, 8]) -> conv"))
    assert caught.value.diagnostics[0].code == "CNN042"
    assert "takes no tensor" in caught.value.diagnostics[0].message


def test_it_needs_an_input_above_it() -> None:
    spec = "model Main {\n    layer place = parameter([1, 3])\n    input x: float32[N, 3]\n    output x + place\n}"
    with pytest.raises(Failure) as caught:
        loads(spec)
    assert caught.value.diagnostics[0].code == "CNN048"
