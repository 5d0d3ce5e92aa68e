"""What a network shows of itself in a notebook: its drawing and summary as HTML, its summary as text.

Both are bounded: a large network is shown folded, and one that would freeze a browser by its numbers alone.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

from convspec.diagnostics import Failure
from convspec.elaborate.module import Module

if TYPE_CHECKING:
    from convspec.analysis.summary import Summary

MOST_ROWS = 60
"""A summary with more rows is folded by block."""
MOST_LAYERS = 5_000
"""Layers of a network that is still drawn, folded."""
MOST_BOXES = 400
"""Boxes of a drawing that is still shown: a network may have nothing to fold."""
_ROLL = "overflow:auto;max-height:45em;margin:0 0 1em 0"
_PICTURE = "max-width:none;display:block"
_NOTE = "opacity:.7"


def net_html(module: Module) -> str:
    """The drawing, and below it the summary."""
    return f'<div class="convspec-net">{drawing_html(module)}{_summary(module)._repr_html_()}</div>'


def net_text(module: Module) -> str:
    """The summary."""
    return str(_summary(module)).rstrip("\n")


def _summary(module: Module) -> Summary:
    from convspec.analysis.folding import folded
    from convspec.analysis.summary import summarise

    summary = summarise(module)
    return folded(summary, module, by_block=True, depth=1) if len(summary.rows) > MOST_ROWS else summary


def drawing_html(module: Module) -> str:
    """The drawing as a picture that stands on its own, or a line that says why there is none."""
    layers = len(module.graph.nodes)
    if layers > MOST_LAYERS or layers > MOST_BOXES < _boxes(module):
        return _note(f"{layers:,} layers are not drawn here; `convspec draw` writes a page that folds them.")
    from convspec.draw.render import draw

    try:
        picture = draw(module, "svg")
    except Failure as failure:
        first = failure.diagnostics[0]
        return _note(f"Not drawn: {first.message}{f' ({first.hint})' if first.hint else ''}.")
    data = picture.encode() if isinstance(picture, str) else picture
    name = escape(f"The network {module.name}", quote=True)
    # As an image its styles and ids cannot meet those of the page or of another drawing, and no script in it could run.
    image = f'<img alt="{name}" style="{_PICTURE}" src="data:image/svg+xml;base64,{b64encode(data).decode()}">'
    return f'<div style="{_ROLL}">{image}</div>'


def page_html(page: str, height: int) -> str:
    """A page that stands on its own, in a frame that keeps it from the notebook's. `height` is in pixels."""
    style = f"width:100%;height:{height}px;border:1px solid rgba(128,128,128,.4)"
    return f'<iframe sandbox="allow-scripts" style="{style}" srcdoc="{escape(page, quote=True)}"></iframe>'


def _boxes(module: Module) -> int:
    """How many boxes the drawing has, folded as far as it can be taken in."""
    from convspec.draw.diagram import diagram
    from convspec.draw.scene import watch

    return sum(1 for _ in watch(diagram(module)).root.boxes())


def _note(text: str) -> str:
    return f'<p style="{_NOTE}">{escape(text)}</p>'
