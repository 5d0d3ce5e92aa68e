"""A layer that takes no tensor is one: the name it is declared under stands for it, and is its name in weight files."""

from __future__ import annotations

import pytest

import convspec
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
        "embed.place": (1, 8, 8, 8),
        "Scaled1.gain": (1, 8, 1, 1),
        "second.gain": (1, 8, 1, 1),
    }
    assert [parameter.init.value for parameter in learned if "gain" in parameter.name] == [0.1, 0.5]
    assert "mul1 = mul(add1, embed.place" in dump(graph), "both uses are of one tensor"


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("pytorch", "self.gain = nn.Parameter(torch.zeros(1, in_channels, 1, 1))"),
        ("pytorch", "return x * gain"),
        ("pytorch", "place = self.embed.place\n"),
        ("tensorflow", 'gain = LearnedTensor(1, 1, 1, x.shape[-1], name=f"{name}.gain")(x)'),
    ],
)
def test_blocks_stay_readable(target: str, line: str) -> None:
    module, found = loads(SPEC), find_target(target)
    text = found.emit(module, randomised(module.graph, seed=0), found.options()).text()
    assert text.count(line) == 1


AWKWARD = """
block Scaled(x: tensor, learned: bool) {
    layer gain = "a.0.gain": parameter([1, x.channels, 1, 1], stored = [x.channels, 1, 1], trainable = learned)
    return x * gain
}
model Main {
    input x: float32[N, 3, H, 4]
    layer place = "0.1": parameter([1, 3, 1, 4], stored = 12x1)
    y = (x -> Scaled(true) -> Scaled(false)) + place
    for i in 0..2 {
        layer more = "more.{i}": parameter([1, 3, 1, 1])
        y = y * more
    }
    output y
}
"""


def test_names_that_are_no_identifiers_and_sizes_of_their_own() -> None:
    shapes = {name: parameter.shape for name, parameter in loads(AWKWARD).graph.parameters().items()}
    assert shapes == {
        "0.1": (12, 1),
        "Scaled1.a.0.gain": (3, 1, 1),
        "Scaled2.a.0.gain": (3, 1, 1),
        "more.0": (1, 3, 1, 1),
        "more.1": (1, 3, 1, 1),
    }
    report = convspec.loads(AWKWARD).verify(gradients=True, train_steps=1)
    assert report.passed, str(report)


def test_pytorch_keeps_tensors_and_buffers() -> None:
    network = convspec.loads(AWKWARD).to_torch()
    assert {name for name, _ in network.named_parameters()} == {"0.1", "Scaled1.a.0.gain", "more.0", "more.1"}
    assert {name for name, _ in network.named_buffers()} == {"Scaled2.a.0.gain"}


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
