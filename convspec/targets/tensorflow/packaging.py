"""Live Keras models, `.keras` files and SavedModels, all made from the generated source. Imports Keras when called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from convspec.diagnostics import error, fail
from convspec.elaborate.module import Module
from convspec.targets.base import Weights
from convspec.targets.files import staged
from convspec.targets.tensorflow.artifact import print_source
from convspec.targets.tensorflow.file import channels_last
from convspec.targets.tensorflow.network import DEFAULT_FLOAT, Network, prepare

BUILT_IN: Mapping[str, Callable[[Any], Any]] = {
    "BatchNorm": lambda layers: partial(layers.BatchNormalization, momentum=0.9, epsilon=1e-5),
    "PRelu": lambda layers: layers.PReLU,
    "PaddedEmbedding": lambda layers: lambda entries, features, padding, **named: layers.Embedding(entries, features, **named),
}
"""For each helper layer, the layer of Keras that computes the same in inference: files then need no custom objects."""


def to_keras(module: Module, weights: Weights, dtype: str | None = None, straight: bool = False) -> Any:
    """A `keras.Model`, built by the generated source and filled with `weights` (canonical, by parameter name).

    Inputs and outputs of rank 3 and more are channels last. `dtype` is the precision that stands for the spec's float32
    (None: Keras's own floatx). Several inputs or outputs are dicts by name. Failure CNN090, CNN091 as `emit`, CNN303.

    A batch norm that a `layer` applies several times in one training step updates its running statistics in the order in which
    Keras runs the graph, which need not be that of the spec.
    """
    _import_keras()
    network = prepare(module.graph)
    return _filled(network, _executed(module, network, straight), weights, dtype)


def save_keras(module: Module, weights: Weights, path: str | Path, dtype: str | None = None) -> None:
    """Write a `.keras` file that `keras.models.load_model` reads without custom objects.

    In it, batch norm is Keras's own: the same in inference; when training goes on from the file, its running variance is
    the biased one, since no layer of Keras stores the unbiased one. `to_keras` and the source file have the exact layer.
    So is PReLU: when training goes on, its gradient at 0 is 0 and not the slope.
    Keras reads a file recursively: one with a thousand layers in a row needs `sys.setrecursionlimit` before `load_model`.
    Failure CNN090 where an op needs a layer that Keras does not have; CNN400 where the file cannot be written.
    """
    _import_keras()
    network = prepare(module.graph)
    definitions = _executed(module, network)
    _use_built_in_layers(network, definitions)
    model = _filled(network, definitions, weights, dtype)
    with staged(_with_suffix(path, ".keras")) as temporary:
        model.save(temporary)


def export_savedmodel(module: Module, weights: Weights, path: str | Path, dtype: str | None = None) -> None:
    """Write a SavedModel folder for inference; its inputs and outputs have the spec's names, symbolic sizes stay free.

    Read it with `tf.saved_model.load(path)`; `serve` takes the inputs in order and gives a dict by output name.
    Failure CNN400 where it cannot be written.
    """
    keras = _import_keras()
    import tensorflow as tf

    model = to_keras(module, weights, dtype)
    names = [item.value.name for item in module.graph.inputs]
    outputs = [item.name for item in module.graph.outputs]

    def serve(*tensors: Any) -> dict[str, Any]:
        result = model(tensors[0] if len(names) == 1 else dict(zip(names, tensors, strict=True)), training=False)
        return {outputs[0]: result} if len(outputs) == 1 else dict(result)

    signature = [
        _tensor_spec(tf, item.value, keras.config.floatx() if dtype is None else dtype) for item in module.graph.inputs
    ]
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", serve, signature)
    with staged(path) as temporary:
        archive.write_out(str(temporary), verbose=False)


def _import_keras() -> Any:
    """Keras with its backend. Failure CNN303 where one of them is not installed."""
    try:
        import keras
    except ImportError as problem:
        hint = 'pip install "convspec[tensorflow]"'
        raise fail(error("CNN303", f"{problem.name or 'keras'} is not installed", hint=hint)) from None
    return keras


def _tensor_spec(tf: Any, value: Any, floatx: str) -> Any:
    shape = [size if isinstance(size, int) else None for size in channels_last(value.type.shape)]
    return tf.TensorSpec(shape, floatx if value.type.dtype == DEFAULT_FLOAT else value.type.dtype, name=value.name)


def _with_suffix(path: str | Path, suffix: str) -> Path:
    path = Path(path)
    if path.suffix != suffix:
        raise fail(error("CNN401", f"the name of a Keras file ends in {suffix}, not `{path.name}`"))
    return path


def _executed(module: Module, network: Network, straight: bool = False) -> dict[str, Any]:
    """What the generated file defines."""
    source = print_source(module, network, module.name, straight)
    definitions: dict[str, Any] = {"__name__": f"convspec.generated.{module.name}"}
    exec(compile(source, f"<{module.name}.py>", "exec"), definitions)
    return definitions


def _use_built_in_layers(network: Network, definitions: dict[str, Any]) -> None:
    layers = _import_keras().layers
    for step in network.steps:
        fn = step.layer.fn if step.layer else ""
        _, is_helper, name = fn.partition("helpers.")
        if is_helper and name not in BUILT_IN:
            message = f"a .keras file cannot hold this `{step.node.op.name}`: it needs a layer that Keras does not have"
            raise fail(
                error("CNN090", message, step.node.span, frames=step.node.frames, hint="emit the source or a SavedModel")
            )
    definitions.update({name: make(layers) for name, make in BUILT_IN.items() if name in definitions})


def _filled(network: Network, definitions: Mapping[str, Any], weights: Weights, dtype: str | None) -> Any:
    with _precision(dtype):
        model = definitions["build"]()
    stored = {variable.key: variable for variable in network.variables}
    for layer in model.layers:
        for variable in layer.weights:
            source = stored[f"{layer.name}/{variable.name}"]
            variable.assign(source.to_keras(weights[source.parameter]))
    return model


@contextmanager
def _precision(dtype: str | None) -> Iterator[None]:
    """Keras's default precision for what is built inside. The policy is set too: Keras keeps the one first asked for."""
    if dtype is None:
        yield
        return
    keras = _import_keras()
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])


__all__ = ["export_savedmodel", "save_keras", "to_keras"]
