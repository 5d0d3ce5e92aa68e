"""`convspec draw`: a network as a picture."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import click

from convspec.cli.declare import Option, command
from convspec.cli.guard import guarded
from convspec.cli.options import AllowMissing, LimitOptions, Model, Root, Seed, Settings, Spec, Weights

EXAMPLES = """Examples:

convspec draw lenet5.cnn

convspec draw zoo:resnet50 -o resnet50.svg -o resnet50.html --sizes N=1,h=7,w=7

convspec draw zoo:vgg16 -o vgg16.png --style volumes --theme light

convspec draw zoo:resnet50 --view"""

PICTURE = "The picture"
_OUTPUT = """The picture, by its suffix: .svg, .html (folds, searches, needs no network), .png, .mmd (Mermaid), .dot (Graphviz)
or .json (what is drawn, as data). May be repeated. By default an .svg in the current folder, named like the spec, or like
--model."""
_SIZES = "Give symbolic sizes values: N=1,h=7,w=7. Without it they stay symbolic."
_DEPTH = "Open N levels of blocks, and fold those below. Without it, as many as leave a picture that can be taken in."
_UNROLL = "Draw repeats that are alike one by one, not as one stack."
_THEME = "auto follows the reader's system (a .png is light)."
_STYLE = "volumes: feature maps as boxes to scale, as papers draw them, for a network without branches."
_LOG = "Volumes: sides as logarithms, for a network whose maps differ much in size."
_VIEW = "Open Netron on the ONNX model in the browser, until Ctrl-C (needs convspec[view]). Nothing is drawn without -o."
_NO_BROWSER = "With --view: only say the address."


class Colour(StrEnum):
    """What colours stand for."""

    macs = "macs"
    params = "params"
    memory = "memory"
    none = "none"


class Direction(StrEnum):
    """Where the network flows to."""

    down = "down"
    right = "right"


class Theme(StrEnum):
    """Light or dark paper."""

    auto = "auto"
    light = "light"
    dark = "dark"


class Style(StrEnum):
    """What is drawn: blocks, or volumes of feature maps."""

    blocks = "blocks"
    volumes = "volumes"


@command("draw", epilog=EXAMPLES)
@guarded
def draw(
    spec: Spec,
    output: Annotated[list[Path] | None, Option("-o", "--output", metavar="FILE", help=_OUTPUT)] = None,
    sizes: Annotated[list[str] | None, Option("--sizes", metavar="NAME=INT,…", help=_SIZES)] = None,
    depth: Annotated[int | None, Option("--depth", metavar="N", min=0, section=PICTURE, help=_DEPTH)] = None,
    unroll: Annotated[bool, Option("--unroll", section=PICTURE, help=_UNROLL)] = False,
    style: Annotated[Style, Option("--style", section=PICTURE, help=_STYLE)] = Style.blocks,
    log: Annotated[bool, Option("--log", section=PICTURE, help=_LOG)] = False,
    colour: Annotated[
        Colour, Option("--colour", "--color", section=PICTURE, help="What the colour of a box stands for.")
    ] = Colour.macs,
    direction: Annotated[
        Direction, Option("--direction", section=PICTURE, help="Where the network flows to.")
    ] = Direction.down,
    theme: Annotated[Theme, Option("--theme", section=PICTURE, help=_THEME)] = Theme.auto,
    view: Annotated[bool, Option("--view", help=_VIEW)] = False,
    no_browser: Annotated[bool, Option("--no-browser", help=_NO_BROWSER)] = False,
    model: Model = None,
    settings: Settings = None,
    weights: Weights = None,
    allow_missing: AllowMissing = None,
    seed: Seed = 0,
    root: Root = None,
    limits: LimitOptions = None,
) -> None:
    """Draw a network: blocks as boxes that fold, repeats as stacks, shapes on the edges, cost as colour."""
    from convspec import api
    from convspec.cli.values import parse_limits, parse_settings, parse_sizes, say_left_out
    from convspec.draw.render import form_of

    for path in output or []:
        form_of(path)  # a suffix that is unknown is told before a large network is read
    given, bounds = parse_settings(settings or []), parse_limits(limits or [])
    net = api.load(spec, model, given, weights, seed, root, bounds, allow_missing or ())
    fixed = parse_sizes(sizes or [])
    for path in output or ([] if view else [Path(f"{net.stem}.svg")]):
        net.draw(
            path,
            sizes=fixed,
            depth=depth,
            unroll=unroll,
            style=style.value,
            log=log,
            colour=colour.value,
            direction=direction.value,
            theme=theme.value,
        )
        click.echo(f"wrote {path}")
    if view:
        say_left_out(net)
        from convspec.draw.view import view as open_view

        open_view(net.module, net.weights, browser=not no_browser)
