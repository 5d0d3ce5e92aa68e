"""Networks of keras.applications to compare with: made, unsettled, run on our pictures, their weights converted by layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from convspec.elaborate.module import Module
from convspec.ir.types import Array
from convspec.weights.convert import convert
from convspec.weights.shipped import shipped_mapping
from convspec.weights.sources import open_source


def made(name: str, shape: tuple[int, int, int], seed: int = 0, **options: object) -> Any:
    """`keras.applications.{name}` for pictures of `shape`, channels last, with numbers under which no layer is the identity."""
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    network = getattr(keras.applications, name)(
        weights=None, input_shape=shape, **{"classifier_activation": None, "include_top": True, **options}
    )
    unsettle(network, seed)
    return network


def unsettle(network: Any, seed: int = 0) -> None:
    """Norms, biases and learned scales as training would leave them; fresh ones do nothing."""
    rng = np.random.default_rng(seed)
    ranges = {
        "gamma": (0.5, 1.0),
        "beta": (-0.2, 0.2),
        "bias": (-0.2, 0.2),
        "moving_mean": (-0.2, 0.2),
        "moving_variance": (0.5, 1.5),
    }
    for layer in leaves(network):
        for variable in layer.weights:
            low, high = ranges.get(variable.name, (0.5, 1.0))
            if len(variable.shape) == 1:
                variable.assign(rng.uniform(low, high, variable.shape).astype(np.float32))


def leaves(layer: Any) -> Iterator[Any]:
    """The layers that own weights, those of nested models too."""
    for inner in getattr(layer, "layers", []):
        yield from leaves(inner)
    if layer.weights and not getattr(layer, "layers", []):
        yield layer


def answers(network: Any, batch: Array) -> Array:
    """What it gives for a batch in our layout, channels first."""
    return np.asarray(network(np.moveaxis(batch, 1, -1), training=False))


def converted(
    module: Module, network: Any, label: Callable[[str], str], folder: Path, allow_missing: Sequence[str] = ()
) -> dict[str, Array]:
    """The weights that `convert` finds in its saved file by the mapping that is shipped.

    That one is held against `label`, which gives ours for the name of one of its layers by what the names say.
    """
    path = folder / "network.keras"
    network.save(path)
    shipped = f"zoo:keras/{module.name}"
    found = shipped_mapping(shipped, open_source(path))
    layers = {place: layer for place, layer in placed(network) if type(layer).__name__ != "Normalization"}
    assert {place: found.get(place) for place in layers} == {place: label(layer.name) for place, layer in layers.items()}
    return dict(convert(module, path, mapping=shipped, allow_missing=allow_missing).weights)


def placed(network: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves with their names in a file. The scope that a layer was made in, which its paths tell, is not in it."""
    for layer in network.layers:
        if getattr(layer, "layers", []):
            yield from placed(layer, f"{above}{layer.name}/")
        elif layer.weights:
            yield above + layer.name, layer
