"""`verify`: every target against the reference, and gradients and training between the targets that have them."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

from convspec.diagnostics import error, fail
from convspec.elaborate.module import Module
from convspec.ir.types import Array
from convspec.runtime.base import Network, RunOptions, find_runtime
from convspec.runtime.devices import parse_device
from convspec.targets.base import find_target, target_names
from convspec.verify.backends import GRADIENT_TARGETS
from convspec.verify.exact import Framework, check_exactly
from convspec.verify.forward import RUNTIMES, check_outputs
from convspec.verify.report import Report, Row
from convspec.verify.subject import Subject


def verify(
    module: Module,
    weights: Mapping[str, Array] | None = None,
    targets: Sequence[str] | None = None,
    *,
    gradients: bool = False,
    train_steps: int = 0,
    device: str = "auto",
    seed: int = 0,
    weights_from: str = "given",
    optimize: int = 0,
    precision: str = "fp32",
) -> Report:
    """Run the reference and `targets` (None: every known one) from one set of weights, and compare.

    `weights` None draws weights under which no layer is an identity and values stay near 1. With `gradients` and `train_steps`
    PyTorch and TensorFlow are also compared in float64; in training, dropout, channel_dropout and drop_path are given one mask
    drawn here. With `optimize` and `precision` the targets run what is made of the network so, which has no gradients.
    Failure CNN401 for a target that is not known or options that do not go together, CNN305 for a device.
    """
    asked = _targets(targets, gradients or train_steps > 0)
    if (optimize or precision != "fp32") and (gradients or train_steps):
        hint = "leave out --optimize and --precision, or --gradients and --train-steps"
        raise fail(error("CNN401", "a rewritten network is for inference: it has no gradients to compare", hint=hint))
    parse_device(device)
    if weights is None:
        from convspec.weights.randomised import randomised

        weights, weights_from = randomised(module.graph, seed), f"drawn for the comparison from seed {seed}"
    subject = Subject(module, weights, seed, device, optimize, precision)
    report = Report(module.name, weights_from, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # frameworks remark on small sizes, which are wanted here
        _compare(subject, asked, targets is not None, report)
        if gradients or train_steps:
            check_exactly(subject, _frameworks(subject, asked, report.rows), gradients, train_steps, report)
    return report


def _compare(subject: Subject, targets: Sequence[str], required: bool, report: Report) -> None:
    """The outputs of every target."""
    report.notes += subject.remarks()
    for target in targets:
        check_outputs(subject, target, required, report)
        gc.collect()  # the model of a framework is full of cycles, and may be large


def _targets(targets: Sequence[str] | None, exact: bool) -> list[str]:
    """The targets, each once. Failure CNN401."""
    if targets is None:
        return list(target_names())
    if not targets:
        raise fail(error("CNN401", "no target is named", hint=f"the targets are {', '.join(target_names())}"))
    for name in targets:
        find_target(name)
    if exact and not set(targets).intersection(GRADIENT_TARGETS):
        message = "gradients and training are compared between pytorch and tensorflow, and neither is among the targets"
        raise fail(error("CNN401", message, hint="name one of them, or leave out --gradients and --train-steps"))
    return list(dict.fromkeys(targets))


def _frameworks(subject: Subject, asked: Sequence[str], rows: Sequence[Row]) -> list[Framework]:
    """PyTorch and TensorFlow where they run: as the rows of outputs tell, or found out for one that is only the measure."""
    found = []
    for target in GRADIENT_TARGETS:
        own = [row for row in rows if row.target == target and row.runtime]
        if own:
            found.append(Framework(target, own[0].runtime, own[0].device, asked=True))
        elif target not in asked:
            try:
                about = find_runtime(RUNTIMES[target]).open(_empty(subject), RunOptions(subject.device)).about
            except Exception:  # a measure that does not open, for whatever reason, is not there
                continue
            found.append(Framework(target, f"{about.runtime} {about.version}", about.device, asked=False))
    return found


def _empty(subject: Subject) -> Network:
    return Network(replace(subject.module), subject.weights)


__all__ = ["verify"]
