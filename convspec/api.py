"""The Python API: a network from a spec, with its weights, to look at, compile, convert and run.

A network is verified by its method, `net.verify(gradients=True)`; `convspec.verify` is the package that does the work.
Every mistake of the caller's is a `convspec.Failure`; its `diagnostics` say what, where and what to do.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from convspec import elaborate
from convspec.analysis.seeing import Seeing
from convspec.collector import collector_off
from convspec.diagnostics import error, fail
from convspec.elaborate.module import Module
from convspec.files import write_file
from convspec.limits import DEFAULT, Limits
from convspec.notebook.shown import Shown

if TYPE_CHECKING:
    from convspec.analysis.summary import Summary
    from convspec.ir.types import Array
    from convspec.passes.report import OptimisationReport
    from convspec.precision.quantise import QuantisationReport
    from convspec.precision.report import PrecisionReport
    from convspec.runtime.base import Session
    from convspec.verify.report import Report
    from convspec.weights.report import Conversion

WeightSource: TypeAlias = "str | Path | Mapping[str, Array] | None"
"""A weights file (.safetensors, .pt, .pth, .weights.h5, .keras, .onnx), arrays by name in canonical layout, or None for initial
weights drawn from the seed.
"""

Rewriting: TypeAlias = "OptimisationReport | PrecisionReport"
"""What was done to a network: `text()` for people, `to_json()` for programs."""


def load(
    path: str | Path,
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
    weights: WeightSource = None,
    seed: int = 0,
    root: str | Path | None = None,
    limits: Limits = DEFAULT,
    allow_missing: Sequence[str] = (),
    sizes: Mapping[str, int] | None = None,
) -> Net:
    """The network that the spec at `path` describes; `zoo:resnet50` is one that the package ships.

    `model` names one of its models or configurations; it may be left out where there is one. `settings` gives its parameters
    values (int, float, bool, str, list, or a tuple for a size). `weights` is a weights file whose names are the spec's, or a
    mapping of arrays; without it weights are initialised from `seed`, on first use, and so are tensors that are not in
    `weights` where a pattern of `allow_missing` ("fc.*") matches their names. Imports stay inside `root`, by default the
    file's folder. `limits` bounds what the spec may use. `sizes` fixes symbolic sizes of the inputs: {"N": 1, "h": 7, "w": 7}.
    """
    path, model = _resolve(path, model)
    with collector_off():
        module = _module(elaborate.opened(path, limits, root), model, settings, sizes)
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
    sizes: Mapping[str, int] | None = None,
    root: str | Path | None = None,
) -> Net:
    """The network that `text` describes; messages call it `name`, imports begin in `root`. The rest is as in `load`."""
    with collector_off():
        module = _module(elaborate.opened_text(text, name, limits, root), model, settings, sizes)
    return Net(module, weights, seed, allow_missing=allow_missing)


def _module(
    file: elaborate.Opened, model: str | None, settings: Mapping[str, Any] | None, sizes: Mapping[str, int] | None
) -> Module:
    if not sizes:
        return file.module(model, _settings(settings))
    from convspec.analysis.sizes import fixed_module

    return fixed_module(file, model, _settings(settings), sizes)


def _settings(settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """A tuple stands for a size (`3x3`); everything else is what it is."""
    from convspec.ir.attrs import Extent

    return {name: Extent(value) if type(value) is tuple else value for name, value in (settings or {}).items()}


class Net(Shown, Seeing):
    """A network and its weights. Made by `load` and `loads`; nothing in it changes afterwards."""

    def __init__(
        self,
        module: Module,
        weights: WeightSource = None,
        seed: int = 0,
        stem: str | None = None,
        allow_missing: Sequence[str] = (),
        reports: Sequence[Rewriting] = (),
    ) -> None:
        """Budgets that the spec asserts are checked here: Failure CNN070 where one is broken. `stem` names compiled files.

        `reports` is for a network that was rewritten: what was done to it. Its `weights` are arrays that fit as they are.
        """
        from convspec.analysis.budgets import check_asserts

        check_asserts(module)
        self.module = module
        """What the spec means: the graph, and the record of how the source led to it."""
        self._source, self._seed = weights, seed
        self.stem = stem or module.name
        """What files that are made of it are named like, without a suffix."""
        self._allow_missing = allow_missing
        self._read = [Path(weights)] if isinstance(weights, str | Path) else []
        self.reports = tuple(reports)
        """What was done to the network since its spec, by the optimiser and for a lower precision, in order."""
        self._sessions: dict[tuple[Any, ...], Session] = {}

    @cached_property
    def weights(self) -> dict[str, Array]:
        """Every parameter by name, in canonical (PyTorch's) layout. Failure CNN200 or CNN201 where a file does not fit."""
        from convspec.weights.init import initial_weights

        if self.reports and isinstance(self._source, Mapping):
            return dict(self._source)
        return self.conversion.materialised() if self.conversion else initial_weights(self.module.graph, self._seed)

    def _weights_to_write(self) -> Mapping[str, Array]:
        """The weights for a file: those at hand, else such as are made when they are written, and kept by nobody."""
        from convspec.weights.init import drawn_weights

        if self.reports or "weights" in self.__dict__:
            return self.weights
        return self.conversion.weights if self.conversion else drawn_weights(self.module.graph, self._seed)

    @cached_property
    def conversion(self) -> Conversion | None:
        """How the weights that were given became the network's, tensor by tensor; None where none were given."""
        if self._source is None or self.reports:
            if self._allow_missing:
                raise fail(error("CNN401", "allow_missing says nothing without weights", hint="give a weights file too"))
            return None
        from convspec.weights.convert import arrays_source, convert

        source = self._source if isinstance(self._source, str | Path) else arrays_source(self._source)
        return convert(self.module, source, allow_missing=self._allow_missing, seed=self._seed, lazy=True)

    def summary(self, sizes: Mapping[str, int] | None = None) -> Summary:
        """A table of the layers; `print` shows it. `sizes` gives symbolic sizes values: {"N": 1, "h": 7, "w": 7}."""
        from convspec.analysis.summary import summarise

        return summarise(self.module, sizes)

    def draw(
        self, path: str | Path | None = None, format: str = "svg", sizes: Mapping[str, int] | None = None, **look: Any
    ) -> str | bytes:
        """The network as a picture: text, or bytes of a PNG; with a path it is also written there, in the form of its suffix.

        `format` is svg, html, png, mmd, dot or json. `sizes` is as in `summary`. `look` are the fields of `draw.look.Look`:
        depth=1, unroll=True, colour="params", direction="right", theme="dark", style="volumes", log=True.
        Failure CNN400 or CNN401; CNN303 without `convspec[draw]`.
        """
        from convspec.draw.render import draw, form_of, make_look

        made = draw(self.module, form_of(path) if path is not None else format, make_look(look), sizes)
        if path is not None:
            self._spare_sources([Path(path)])
            write_file(path, made)
        return made

    def optimise(self, level: int = 1, target: str = "onnx") -> Net:
        """This network with less to do in inference, exact up to rounding; `reports` of the result says what was done.

        Level 1 folds and removes, level 2 also merges layers and reshapes them for `target`. Inputs and outputs keep names and
        types; labels and weights inside change. Failure CNN401 for another level.
        """
        from convspec.passes import optimise

        made = optimise(self.module, self.weights, level, target)
        return self._rewritten(made.module, made.weights, made.report)

    def lower(self, precision: str) -> Net:
        """This network with its heavy layers in "fp16" or "bf16", and inputs and outputs as they are declared. For inference.

        To be optimised first, so that batch norms are folded. Failure CNN205 where a weight is beyond the type's range, CNN401
        for another precision.
        """
        from convspec.precision import lower

        made = lower(self.module, self.weights, precision)
        return self._rewritten(made.module, made.weights, made.report)

    def tuned(self, target: str, optimize: int = 0, precision: str = "fp32") -> Net:
        """This network as `target` is to run it; itself where nothing was asked. A lower precision implies level 1."""
        net: Net = self
        if optimize or precision != "fp32":
            net = net.optimise(max(1, optimize), target)
        return net if precision == "fp32" else net.lower(precision)

    def _rewritten(self, module: Module, weights: Mapping[str, Array], report: Rewriting) -> Net:
        made = Net(module, weights, self._seed, self.stem, reports=(*self.reports, report))
        made._read = self._read
        return made

    def compile(
        self,
        target: str,
        path: str | Path | None = None,
        emit: Sequence[str] = (),
        optimize: int = 0,
        precision: str = "fp32",
        **options: Any,
    ) -> list[Path]:
        """Write the files of `target` (onnx, pytorch, tensorflow, …) whole or not at all, and return their paths.

        `path` is the main file, or a folder that exists; without it the files go to the current folder, named like the spec, or
        like the model where one was chosen. `emit` asks for packages too: "pt2" of pytorch, "keras" and "savedmodel" of
        tensorflow, which need those installed; "deploy" of pytorch, one file optimised for inference, which needs nothing.
        `optimize` and `precision` rewrite the network for inference first, see `tuned`. `options` are those
        of the target (`opset=`, `external_data=`, …). Failure CNN090, CNN091, CNN400 or CNN401.
        """
        from convspec.artifacts import package, place, target_options
        from convspec.targets.base import find_target

        found = find_target(target)
        folder, stem = place(path, found, self.stem)
        net = self.tuned(target, optimize, precision)
        if options.get("reuse_data") is not None and net._source is not None:
            hint = "leave out one of the two"
            raise fail(error("CNN401", "the weights are given, and are to be those of a data file too", hint=hint))
        with collector_off():
            artifact = found.emit(net.module, net._weights_to_write(), target_options(found, stem, options))
        self._spare_sources(folder / name for name in artifact.files)
        packages = [made for kind in emit for made in package(kind, target, folder / stem, net.module, net.weights)]
        return [*artifact.write(folder), *packages]

    def compile_int8(
        self, calibration: str | Path, path: str | Path | None = None, optimize: int = 1, **options: Any
    ) -> tuple[list[Path], QuantisationReport]:
        """Write an ONNX model whose layers compute in 8-bit integers; what was quantised, and how far outputs are from float32.

        `calibration` is a folder of pictures, an .npy or an .npz: ranges are measured on it. `options` are the fields of
        `precision.QuantiseOptions`. The rest is as in `compile`. Failure CNN303 without onnxruntime.
        """
        from convspec.artifacts import place
        from convspec.precision import QuantiseOptions, quantise, read_calibration
        from convspec.targets.base import Artifact, find_target

        found = find_target("onnx")
        folder, stem = place(path, found, self.stem)
        net = self.optimise(max(1, optimize), "onnx")
        made = quantise(net.module, net.weights, read_calibration(calibration, net.module.graph), QuantiseOptions(**options))
        artifact = Artifact({f"{stem}{found.suffix}": made.model})
        self._spare_sources(folder / name for name in artifact.files)
        return artifact.write(folder), made.report

    def _spare_sources(self, paths: Iterable[Path]) -> None:
        """Failure CNN400 where a file to be written is one that this network was read from."""
        from convspec.files import same_file

        sources = [file.span.file.path for file in self.module.files]
        sources += self._read
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
        self,
        x: Array | Mapping[str, Array],
        runtime: str = "onnxruntime",
        device: str = "auto",
        tf32: bool = False,
        **options: Any,
    ) -> dict[str, Array]:
        """Every output by name, from one array or from arrays by input name, in canonical layout (N, C, space).

        Shapes, dtypes and values are checked first (Failure CNN301, CNN302); what is changed on the way in, such as float64
        rounded to float32, is a Python warning. `options` are those of `session`, which is made once for each way to run.
        """
        from convspec.runtime.arrays import as_array
        from convspec.runtime.checks import check_arrays

        session = self.session(runtime, device, tf32, **options)
        inputs = session.signature.inputs
        arrays = dict(x) if isinstance(x, Mapping) else {inputs[0].name: x}
        checked = check_arrays(session.signature, {name: as_array(name, array) for name, array in arrays.items()})
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
        optimize: int = 0,
        precision: str = "fp32",
    ) -> Report:
        """Hold `targets` (None: all) against the float64 reference; `passed` of the report is the verdict, `print` shows it.

        With these weights if they were given, else with weights drawn from `seed` under which every layer matters. `gradients`
        and `train_steps` compare PyTorch and TensorFlow in float64 too; dropout takes one mask on both, so that what is shown
        of training holds for the network around it, not for the frameworks' own generators. With `optimize` and
        `precision` the targets run what `tuned` makes of the network, the reference the network itself.
        Failure CNN305 or CNN401.
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
            optimize=optimize,
            precision=precision,
        )

    def session(
        self,
        runtime: str = "onnxruntime",
        device: str = "auto",
        tf32: bool = False,
        *,
        optimize: int | None = None,
        **options: Any,
    ) -> Session:
        """The network opened on a runtime and device; its `about` tells what really runs. Failure CNN303, CNN304 or CNN305.

        `optimize` is the level of optimisation: by default 1, and 0 on the reference, which is the measure of everything else.
        `options` are the other fields of `runtime.base.RunOptions`.
        """
        from convspec.runtime.base import TARGETS, Network, RunOptions, find_runtime

        level = optimize if optimize is not None else 0 if runtime == "reference" else 1
        if options.get("precision", "fp32") != "fp32":
            level = max(1, level)
        key = (runtime, device, tf32, level, *sorted(options.items()))
        if key not in self._sessions:
            found = find_runtime(runtime)
            net = self.optimise(level, TARGETS[runtime]) if level else self
            self._sessions[key] = found.open(Network(net.module, net.weights), RunOptions(device, tf32, **options))
        return self._sessions[key]


__all__ = ["Net", "load", "loads"]
