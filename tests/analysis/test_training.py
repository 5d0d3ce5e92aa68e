"""Memory of training and inference: peaks by hand, optimisers as PyTorch holds them, and the largest batch that fits."""

from __future__ import annotations

from typing import Any

import pytest

from convspec import load
from convspec.analysis.batch import MOST, batch_name, largest_batch
from convspec.analysis.memory import activation_memory
from convspec.analysis.training import OPTIMIZERS, Plan, plan
from convspec.diagnostics import Failure
from convspec.elaborate import loads
from convspec.targets.pytorch import to_torch
from convspec.weights.init import initial_weights
from convspec.zoo import networks

FLOAT = 4


def planned(body: str, shape: str = "1, 2, 8, 8") -> Plan:
    return plan(loads(f"model Net {{\ninput x: float32[{shape}]\n{body}\n}}").graph)


@pytest.mark.parametrize(
    ("body", "elements"),
    [
        # Nothing learns: the input stays, and one relu after the other; the output to the end.
        ("output x -> relu -> relu -> relu", 128 + 128 + 128),
        # conv keeps x. Backward: x, the output, and its gradient.
        ("output x -> conv(2, 1x1)", 128 + 128 + 128),
        # tanh's backward needs its output, not its input: x, the output, both gradients.
        ("output x -> conv(2, 1x1) -> tanh", 4 * 128),
        # relu's backward: x, output, both gradients.
        ("output x -> conv(2, 1x1) -> relu", 4 * 128),
        # batchnorm keeps its input and two numbers a channel: x, its input, its output, and two gradients.
        ("output x -> conv(2, 1x1) -> batchnorm", 5 * 128 + 4),
        # A skip: the gradient of conv1's output waits until the branch has come back. Kept: x, y (by the branch); output.
        ("y = x -> conv(2, 1x1)\nz = y -> conv(2, 1x1)\noutput y + z", 6 * 128),
        # flatten is a view, of the tensor and of the gradient.
        ("output x -> conv(2, 1x1) -> flatten", 3 * 128),
        # Two learners: x, a, out; backward of the second: gradients of out and a.
        ("output x -> conv(2, 1x1) -> conv(2, 1x1)", 5 * 128),
    ],
)
def test_training_peaks_by_hand(body: str, elements: int) -> None:
    assert planned(body).train({}).activations == FLOAT * elements


@pytest.mark.parametrize("name", ["LeNet5", "ResNet18", "UNet2D", "ConvVAE"])
def test_inference_is_the_peak_of_activations(name: str) -> None:
    """Two ways to the same number: intervals at numbers, and a walk with symbolic sizes."""
    network = next(each for each in networks() if each.name == name)
    graph = load(f"zoo:{name}").module.graph
    assert plan(graph).infer(network.sizes).activations == activation_memory(graph, network.sizes)


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_optimizers_hold_what_pytorch_holds(name: str) -> None:
    import torch

    module = load("zoo:LeNet5").module
    net = to_torch(module, initial_weights(module.graph, 0)).train()
    kinds: dict[str, tuple[Any, dict[str, float]]] = {
        "sgd": (torch.optim.SGD, {}),
        "momentum": (torch.optim.SGD, {"momentum": 0.9}),
        "rmsprop": (torch.optim.RMSprop, {}),
        "adam": (torch.optim.Adam, {}),
        "adamw": (torch.optim.AdamW, {}),
    }
    kind, options = kinds[name]
    made: Any = kind(net.parameters(), lr=0.1, **options)
    net(torch.zeros(2, 1, 28, 28)).sum().backward()
    made.step()
    held = [each for state in made.state.values() for each in state.values() if isinstance(each, torch.Tensor)]
    use = plan(module.graph).train({"N": 2}, optimizer=name)
    assert use.optimizer == sum(each.nbytes for each in held)
    assert use.gradients == sum(each.grad.nbytes for each in net.parameters() if each.grad is not None)
    assert use.parameters == sum(each.nbytes for each in [*net.parameters(), *net.buffers()])


def test_statistics_are_stored_and_not_learnt() -> None:
    use = planned("output x -> conv(3, 1x1) -> batchnorm").train({}, optimizer="momentum")
    assert use.parameters == FLOAT * (2 * 3 + 3 + 4 * 3)
    assert use.gradients == use.optimizer == FLOAT * (2 * 3 + 3 + 2 * 3)


def test_sixteen_bits() -> None:
    """Inference halves every float; training is mixed: a copy of the convolution's weights, activations in half."""
    made = planned("output x -> conv(2, 1x1) -> batchnorm")
    whole, half = made.infer({}), made.infer({}, "fp16")
    assert (half.parameters * 2, half.activations * 2) == (whole.parameters, whole.activations)
    mixed, full = made.train({}, "bf16"), made.train({})
    assert mixed.parameters == full.parameters + 2 * (2 * 2 + 2)
    assert (mixed.gradients, mixed.optimizer) == (full.gradients, full.optimizer)
    assert mixed.activations == 2 * 5 * 128 + 16


def test_indices_and_masks_do_not_shrink() -> None:
    made = planned("output x -> conv(2, 1x1) -> maxpool(2x2) -> dropout(0.5)")
    assert made.kept_bytes({}) == FLOAT * 256 + 8 * 32 + 32
    assert made.kept_bytes({}, "fp16") == 2 * 256 + 8 * 32 + 32


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("budget", [10_000, 300_000, 2_345_678, 10**9])
def test_the_largest_batch_is_the_largest(training: bool, budget: int) -> None:
    """Against trying one after the other."""
    made = plan(load("zoo:LeNet5").module.graph)

    def use(batch: int) -> int:
        return (made.train({"N": batch}) if training else made.infer({"N": batch})).total

    found = largest_batch(made, budget, {}, training=training)
    if use(1) > budget:
        assert (found.batch, found.use, found.beyond.total) == (0, None, use(1))
        return
    assert found.use is not None and found.use.total == use(found.batch) <= budget < use(found.batch + 1) == found.beyond.total
    if found.batch < 100:
        assert found.batch == max(batch for batch in range(1, 101) if use(batch) <= budget)


def test_a_batch_with_a_least_size() -> None:
    made = planned("output x -> relu", "N >= 4, 2, 8, 8")
    assert largest_batch(made, 3 * 2 * 128 * FLOAT, {}, training=False).batch == 0
    assert largest_batch(made, 4 * 2 * 128 * FLOAT, {}, training=False).batch == 4
    assert largest_batch(made, 8 * 2 * 128 * FLOAT + 1, {}, training=False).batch == 8


def test_a_batch_that_is_a_multiple() -> None:
    """The first axis is 2*N: N is what is found."""
    assert largest_batch(planned("output x -> relu", "2*N, 2, 8, 8"), 4096, {}, training=False).batch == 2


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("input x: float32[1, 2, 8, 8]\noutput x -> relu", "the batch of Net is a plain number, so there is none to find"),
        (
            "input x: float32[N, 2]\ninput y: float32[M, 2]\noutput a = x -> relu\noutput b = y -> relu",
            "the inputs of Net have different batches: M, N",
        ),
    ],
)
def test_no_batch(inputs: str, message: str) -> None:
    graph = loads(f"model Net {{\n{inputs}\n}}").graph
    with pytest.raises(Failure) as caught:
        batch_name(graph)
    assert caught.value.diagnostics[0].message == message


def test_a_batch_that_memory_hardly_feels_ends() -> None:
    assert largest_batch(planned("output x -> relu", "N, 1, 1, 1"), 2**62, {}, training=False).batch >= MOST
