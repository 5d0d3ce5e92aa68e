"""The emitted source of PyTorch and Keras, made alive: printed once, built once, run as often as wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from convspec.elaborate import Module
from convspec.ir.types import Array
from convspec.runtime.tensorflow import to_channels_last, to_channels_second

Run: TypeAlias = Callable[[Mapping[str, Array]], dict[str, Array]]
"""From arrays by input name to arrays by output name, both in canonical layout."""


def load(target: str, text: str, module: Module, weights: Mapping[str, Array]) -> Run:
    """What the file `text` defines, with these weights, in inference."""
    return _torch(text, module, weights) if target == "pytorch" else _keras(text, module, weights)


def straight(target: str, module: Module, weights: Mapping[str, Array]) -> Run:
    """The same from the straight-line form of the source."""
    return load(target, straight_text(target, module), module, weights)


def straight_text(target: str, module: Module) -> str:
    if target == "pytorch":
        from convspec.targets.pytorch.source import generate

        return generate(module, module.name, True).text
    from convspec.targets.tensorflow.network import prepare
    from convspec.targets.tensorflow.straight import print_straight

    return print_straight(prepare(module.graph), module.name)


def is_straight(target: str, text: str, module: Module) -> bool:
    """Whether the file that was emitted is the straight-line form."""
    if target == "pytorch":
        return "the network is written out layer by layer" in " ".join(text.replace("#", " ").split())
    return text == straight_text(target, module)


def _torch(text: str, module: Module, weights: Mapping[str, Array]) -> Run:
    import torch

    from convspec.targets.pytorch.package import import_text
    from convspec.targets.pytorch.page import class_name

    model = getattr(import_text(text), class_name(module))()
    keys = {key for key in model.state_dict() if not key.endswith("num_batches_tracked")}
    assert keys == set(module.graph.parameters())
    model.load_state_dict({key: torch.tensor(array) for key, array in weights.items()})
    model.eval()

    def run(arrays: Mapping[str, Array]) -> dict[str, Array]:
        with torch.no_grad():
            result = model(*(torch.tensor(arrays[item.value.name]) for item in module.graph.inputs))
        return {name: tensor.detach().numpy() for name, tensor in _by_name(module, result).items()}

    return run


def _keras(text: str, module: Module, weights: Mapping[str, Array]) -> Run:
    from convspec.targets.tensorflow.network import prepare
    from convspec.targets.tensorflow.weights import to_keras

    definitions: dict[str, Any] = {"__name__": f"convspec.generated.{module.name}"}
    exec(compile(text, f"<{module.name}.py>", "exec"), definitions)
    model = definitions["build"]()
    variables = prepare(module.graph).variables
    assert {variable.parameter for variable in variables} <= set(module.graph.parameters())
    values = to_keras(variables, weights)
    for layer in model.layers:
        for variable in layer.weights:
            variable.assign(values[f"{layer.name}/{variable.name}"])

    def run(arrays: Mapping[str, Array]) -> dict[str, Array]:
        feeds = {item.value.name: to_channels_last(arrays[item.value.name]) for item in module.graph.inputs}
        result = model(feeds if len(feeds) > 1 else next(iter(feeds.values())), training=False)
        return {name: to_channels_second(tensor.numpy()) for name, tensor in _by_name(module, result).items()}

    return run


def _by_name(module: Module, result: Any) -> dict[str, Any]:
    """One output comes bare, several by name."""
    names = [output.name for output in module.graph.outputs]
    return {name: result[name] for name in names} if isinstance(result, dict) else {names[0]: result}
