"""`convspec verify`: every target held against the reference, and gradients and training between the targets that have them."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import click

from convspec.cli.declare import Option, command
from convspec.cli.guard import Format, guarded, write_json
from convspec.cli.options import (
    WEIGHTS_FILE,
    AllowMissing,
    LimitOptions,
    Model,
    Optimize,
    OutputFormat,
    Precision,
    Root,
    Settings,
    Sizes,
    Spec,
)

EXAMPLES = """Examples:

convspec verify lenet5.cnn

convspec verify resnet.cnn --model ResNet18 --gradients --train-steps 3

convspec verify unet.cnn --model UNet2D --targets onnx --weights unet.safetensors --device cuda"""

_TARGETS = "Which targets, with commas between them. By default every one; one that is named here must be able to run."
_WEIGHTS = f"{WEIGHTS_FILE} By default weights are drawn under which every layer matters."
_GRADIENTS = "Also compare all gradients, in float64, between PyTorch and TensorFlow."
_STEPS = "Also train N steps (plain SGD, float64) and compare outputs, gradients, running statistics and weights."
_SEED = "Where inputs, masks of dropout and, without --weights, weights are drawn from."
_DEVICE = "auto, cpu, cuda, cuda:1 or tensorrt. auto takes CUDA where it works."


@command("verify", epilog=EXAMPLES)
@guarded
def verify(
    spec: Spec,
    targets: Annotated[str | None, Option("--targets", metavar="NAME,…", help=_TARGETS)] = None,
    gradients: Annotated[bool, Option("--gradients", help=_GRADIENTS)] = False,
    train_steps: Annotated[int, Option("--train-steps", metavar="N", min=0, max=1000, help=_STEPS)] = 0,
    device: Annotated[str, Option("--device", metavar="DEVICE", help=_DEVICE)] = "auto",
    model: Model = None,
    settings: Settings = None,
    sizes: Sizes = None,
    weights: Annotated[str | None, Option("--weights", metavar="FILE", help=_WEIGHTS)] = None,
    allow_missing: AllowMissing = None,
    seed: Annotated[int, Option("--seed", metavar="N", min=0, help=_SEED)] = 0,
    optimize: Optimize = 0,
    precision: Precision = "fp32",
    root: Root = None,
    limits: LimitOptions = None,
    output_format: OutputFormat = Format.text,
) -> None:
    """Show that every target computes what the spec says.

    The float64 reference and every installed target run from one set of weights, at several sizes where sizes are symbolic. In
    training, dropout takes one mask on all targets. Where a target fails, the first layer that diverges is shown.
    The exit status is 0 only if all that ran passed, at least one target ran, and all that was named by an option could run.
    """
    from convspec import api
    from convspec.cli.values import parse_limits, parse_settings, parse_sizes, say_left_out

    given, bounds = parse_settings(settings or []), parse_limits(limits or [])
    net = api.load(spec, model, given, weights, seed, root, bounds, allow_missing or (), parse_sizes(sizes or []))
    say_left_out(net)
    names = None if targets is None else [name.strip() for name in targets.split(",") if name.strip()]
    report = net.verify(
        names, gradients=gradients, train_steps=train_steps, device=device, seed=seed, optimize=optimize, precision=precision
    )
    if output_format is Format.json:
        write_json(report.to_json())
    else:
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        click.echo(report.text(colour), nl=False)
    if not report.passed:
        raise click.exceptions.Exit(1)
