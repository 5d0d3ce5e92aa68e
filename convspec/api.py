"""The Python API: a network from a spec, with its weights, to look at, compile, convert and run.

A network is verified by its method, `net.verify(gradients=True)`; `convspec.verify` is the package that does the work.
Every mistake of the caller's is a `convspec.Failure`; its `diagnostics` say what, where and what to do.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from convspec import elaborate
from convspec.diagnostics import error, fail
from convspec.elaborate.module import Module
from convspec.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from convspec.analysis.summary import Summary
    from convspec.ir.types import Array
    from convspec.runtime.base import Session
    from convspec.targets.base import Target
    from convspec.verify.report import Report
    from convspec.weights.report import Conversion

WeightSource: TypeAlias = "str | Path | Mapping[str, Array] | None"
"""A weights file (.safetensors, .pt, .pth, .weights.h5, .keras, .onnx), arrays by name in canonical layout, or None for initial
weights drawn from the seed.
"""


def load(
    path: str | Path,
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
    weights: WeightSource = None,
    seed: int = 0,
    root: str | Path | None = None,
    limits: Limits = DEFAULT,
    allow_missing: Sequence[str] = (),
) -> Net:
    """The network that the spec at `path` describes; `zoo:resnet50` is one that the package ships.

    `model` names one of its models or configurations; it may be left out where there is one. `settings` gives its parameters
    values (int, float, bool, str, list, or a tuple for a size). `weights` is a weights file whose names are the spec's, or a
    mapping of arrays; without it weights are initialised from `seed`, on first use, and so are tensors that are not in
    `weights` where a pattern of `allow_missing` ("fc.*") matches their names. Imports stay inside `root`, by default the
    file's folder. `limits` bounds what the spec may use.
    """
    path, model = _resolve(path, model)
    module = elaborate.load(path, model=model, settings=_settings(settings), limits=limits, root=root)
    return Net(module, weights, seed, stem=model or Path(path).stem, allow_missing=allow_missing)


def _resolve(path: str | Path, model: str | None) -> tuple[Path, str | None]:
    """A network of the zoo by its name, without looking for it where that cannot be one."""
    if not str(path).startswith("zoo:"):
        return Path(path), model
    from convspec.zoo import resolve

    return resolve(path, model)


def loads(
    text: str,
    name: str = "<text>",
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
    weights: WeightSource = None,
    seed: int = 0,
    limits: Limits = DEFAULT,
    allow_missing: Sequence[str] = (),
) -> Net:
    """The network that a spec given as text describes; messages call the text `name`. The rest is as in `load`."""
    module = elaborate.loads(text, name=name, model=model, settings=_settings(settings), limits=limits)
    return Net(module, weights, seed, allow_missing=allow_missing)


def _settings(settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """A tuple stands for a size (`3x3`); everything else is what it is."""
    from convspec.ir.attrs import Extent

    return {name: Extent(value) if type(value) is tuple else value for name, value in (settings or {}).items()}


class Net:
    """A network and its weights. Made by `load` and `loads`; nothing in it changes afterwards."""

    def __init__(
        self,
        module: Module,
        weights: WeightSource = None,
        seed: int = 0,
        stem: str | None = None,
        allow_missing: Sequence[str] = (),
    ) -> None:
        """Budgets that the spec asserts are checked here: Failure CNN070 where one is broken. `stem` names compiled files."""
        from convspec.analysis.budgets import check_asserts

        check_asserts(module)
        self.module = module
        """What the spec means: the graph, and the record of how the source led to it."""
        self._source, self._seed, self._stem = weights, seed, stem or module.name
        self._allow_missing = allow_missing
        self._sessions: dict[tuple[str, str, bool], Session] = {}

    def __repr__(self) -> str:
        return f"<convspec.Net {self.module.name}>"

    @cached_property
    def weights(self) -> dict[str, Array]:
        """Every parameter by name, in canonical (PyTorch's) layout. Failure CNN200 or CNN201 where a file does not fit."""
        from convspec.weights.init import initial_weights

        return self.conversion.weights if self.conversion else initial_weights(self.module.graph, self._seed)

    @cached_property
    def conversion(self) -> Conversion | None:
        """How the weights that were given became the network's, tensor by tensor; None where none were given."""
        from convspec.weights.convert import arrays_source, convert

        if self._source is None:
            if self._allow_missing:
                raise fail(error("CNN401", "allow_missing says nothing without weights", hint="give a weights file too"))
            return None
        source = self._source if isinstance(self._source, str | Path) else arrays_source(self._source)
        return convert(self.module, source, allow_missing=self._allow_missing, seed=self._seed)

    def summary(self, sizes: Mapping[str, int] | None = None) -> Summary:
        """A table of the layers; `print` shows it. `sizes` gives symbolic sizes values: {"N": 1, "h": 7, "w": 7}."""
        from convspec.analysis.summary import summarise

        return summarise(self.module, sizes)

    def compile(self, target: str, path: str | Path | None = None, emit: Sequence[str] = (), **options: Any) -> list[Path]:
        """Write the files of `target` (onnx, pytorch, tensorflow, …) whole or not at all, and return their paths.

        `path` is the main file, or a folder that exists; without it the files go to the current folder, named like the spec, or
        like the model where one was chosen. `emit` asks for packages too: "pt2" of pytorch, "keras" and "savedmodel" of
        tensorflow, which need those installed. `options` are those of the target (`opset=`, `external_data=`, …).
        Failure CNN090, CNN091, CNN400 or CNN401.
        """
        from convspec.targets.base import find_target

        found = find_target(target)
        folder, stem = _place(path, found, self._stem)
        artifact = found.emit(self.module, self.weights, _options(found, stem, options))
        self._spare_sources(folder / name for name in artifact.files)
        packages = [_package(kind, target, folder / stem, self) for kind in emit]
        return [*artifact.write(folder), *packages]

    def _spare_sources(self, paths: Iterable[Path]) -> None:
        """Failure CNN400 where a file to be written is one that this network was read from."""
        from convspec.runtime.outputs import same_file

        sources = [file.span.file.path for file in self.module.files]
        sources += [Path(self._source)] if isinstance(self._source, str | Path) else []
        for path in paths:
            if any(source is not None and same_file(path, source) for source in sources):
                raise fail(error("CNN400", f"cannot write {path}: it is read by this command", hint="name another file"))

    def to_onnx(self, path: str | Path, **options: Any) -> list[Path]:
        """Write an ONNX model to `path`; the files written, the model first."""
        return self.compile("onnx", path, **options)

    def to_torch(self) -> Any:
        """A `torch.nn.Module` with these weights, in inference mode, made from the source that `compile("pytorch")` writes."""
        from convspec.targets.pytorch import to_torch

        return to_torch(self.module, self.weights)

    def to_keras(self, dtype: str | None = None) -> Any:
        """A `keras.Model` with these weights, channels last. `dtype` stands for float32 (None: Keras's own floatx)."""
        from convspec.targets.tensorflow.packaging import to_keras

        return to_keras(self.module, self.weights, dtype)

    def save_weights(self, path: str | Path) -> Path:
        """Write the weights as safetensors, named by label. Failure CNN400 where that cannot be done."""
        from convspec.weights import store

        return store.save(path, self.weights, self.module.name)

    def run(
        self, x: Array | Mapping[str, Array], runtime: str = "onnxruntime", device: str = "auto", tf32: bool = False
    ) -> dict[str, Array]:
        """Every output by name, from one array or from arrays by input name, in canonical layout (N, C, space).

        Shapes, dtypes and values are checked first (Failure CNN301, CNN302); what is changed on the way in, such as float64
        rounded to float32, is a Python warning. A session is made once for each runtime and device, and kept.
        """
        from convspec.runtime.checks import check_arrays

        session = self.session(runtime, device, tf32)
        inputs = session.signature.inputs
        arrays = dict(x) if isinstance(x, Mapping) else {inputs[0].name: x}
        checked = check_arrays(session.signature, {name: _as_array(name, array) for name, array in arrays.items()})
        for note in checked.notes:
            warnings.warn(note, stacklevel=2)
        return session.run(checked.arrays)

    def verify(
        self,
        targets: Sequence[str] | None = None,
        *,
        gradients: bool = False,
        train_steps: int = 0,
        device: str = "auto",
        seed: int = 0,
    ) -> Report:
        """Hold `targets` (None: all) against the float64 reference; `passed` of the report is the verdict, `print` shows it.

        With these weights if they were given, else with weights drawn from `seed` under which every layer matters. `gradients`
        and `train_steps` compare PyTorch and TensorFlow in float64 too; dropout takes one mask on both, so that what is shown
        of training holds for the network around it, not for the frameworks' own generators. Failure CNN305 or CNN401.
        """
        from convspec.verify.check import verify

        given = None if self._source is None else self.weights
        origin = str(self._source) if isinstance(self._source, str | Path) else "given"
        return verify(
            self.module,
            given,
            targets,
            gradients=gradients,
            train_steps=train_steps,
            device=device,
            seed=seed,
            weights_from=origin,
        )

    def session(self, runtime: str = "onnxruntime", device: str = "auto", tf32: bool = False) -> Session:
        """The network opened on a runtime and device; its `about` tells what really runs. Failure CNN303, CNN304 or CNN305."""
        from convspec.runtime.base import Network, RunOptions, find_runtime

        key = (runtime, device, tf32)
        if key not in self._sessions:
            network = Network(self.module, self.weights)
            self._sessions[key] = find_runtime(runtime).open(network, RunOptions(device, tf32))
        return self._sessions[key]


def _as_array(name: str, data: Any) -> Array:
    """Data as NumPy sees it. Failure CNN301 for what it cannot see as an array (ragged lists, tensors on a GPU)."""
    import numpy as np

    try:
        return np.asarray(data)
    except (TypeError, ValueError) as problem:
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise fail(error("CNN301", f"the data for `{name}` is no array: {reason}")) from None


def _place(path: str | Path | None, target: Target, stem: str) -> tuple[Path, str]:
    """The folder to write to, and the main file's name without its suffix, `stem` where `path` says none. Failure CNN401."""
    if path is None:
        return Path(), stem
    if os.path.isdir(path) or str(path).endswith(("/", "\\")):
        return Path(path), stem
    path = Path(path)
    if path.suffix != target.suffix:
        hint = f"name a file that ends in {target.suffix}, or a folder that exists"
        raise fail(error("CNN401", f"the target {target.name} writes {target.suffix} files, not {path.name}", hint=hint))
    return path.parent, path.name.removesuffix(target.suffix)


def _options(target: Target, stem: str, given: Mapping[str, Any]) -> Any:
    """The target's own options. Failure CNN401 for one that it does not have."""
    known = [option.name for option in fields(target.options) if option.name != "stem"]
    unknown = [name for name in given if name not in known]
    if unknown:
        hint = f"it has {', '.join(known)}" if known else "it has none"
        raise fail(error("CNN401", f"the target {target.name} has no option `{unknown[0]}`", hint=hint))
    return target.options(stem=stem, **given)


def _package(kind: str, target: str, path: Path, net: Net) -> Path:
    """Write one package beside the sources. Failure CNN401 for a kind that the target does not have."""
    kinds = {"pytorch": ("pt2",), "tensorflow": ("keras", "savedmodel")}.get(target, ())
    if kind not in kinds:
        hint = f"it also writes {' and '.join(kinds)}" if kinds else "pytorch also writes pt2; tensorflow keras and savedmodel"
        raise fail(error("CNN401", f"the target {target} cannot emit `{kind}`", hint=hint))
    if kind == "pt2":
        from convspec.targets.pytorch import export_pt2

        return export_pt2(net.module, net.weights, path.with_name(f"{path.name}.pt2"))
    from convspec.targets.tensorflow import packaging

    if kind == "keras":
        packaging.save_keras(net.module, net.weights, path.with_name(f"{path.name}.keras"))
        return path.with_name(f"{path.name}.keras")
    packaging.export_savedmodel(net.module, net.weights, path.with_name(f"{path.name}_savedmodel"))
    return path.with_name(f"{path.name}_savedmodel")


__all__ = ["Net", "load", "loads"]
