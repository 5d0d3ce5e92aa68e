"""CNN111: windows, or cells of a kernel, that only ever see padding.

Either whole output cells come from padding alone, because there is more of it than the window reaches over; or some of a
kernel's weights never meet the input, because it is too small for the kernel: a 3x3 on a 1x1 with padding is a 1x1. Where sizes
are symbolic, only what holds for all of them is told; a kernel's weights all meet an input that is large enough.
"""

from __future__ import annotations

from math import prod

from convspec.ir.dims import lower_bound
from convspec.ir.graph import Node
from convspec.lint.survey import Finding, Survey
from convspec.lint.windows import Slide, slides


def look(survey: Survey, node: Node) -> Finding | None:
    """CNN111 for a layer of which something only ever sees padding."""
    axes = tuple(slides(node))
    if not axes:
        return None
    empty = next((slide for slide in axes if _sees_only_padding(slide)), None)
    if empty is not None:
        return _empty_windows(empty)
    return _idle_weights(node, axes) if "weight" in node.params or len(node.params) > 1 else None


def _sees_only_padding(slide: Slide) -> bool:
    """Whether the first or the last output cell sees no cell of the input, whatever the size is."""
    if slide.before >= slide.extent:
        return True
    past_the_end = (slide.outputs - 1) * slide.stride - slide.before - slide.size
    least = lower_bound(past_the_end)
    return least is not None and least >= 0


def _empty_windows(slide: Slide) -> Finding:
    side = "first" if slide.before >= slide.extent else "last"
    pads = slide.before if side == "first" else slide.after
    kernel = f"a window of {slide.extent}" if slide.extent > 1 else "a window of one cell"
    hint = f"a pad of at most {slide.extent - 1} lets every output see the input"
    return Finding(
        message=f"the {side} outputs along the {slide.axis} see only padding",
        label=f"{kernel}, and padding of {pads}",
        hint=hint if slide.extent > 1 else "leave the pad out",
    )


def _idle_weights(node: Node, axes: tuple[Slide, ...]) -> Finding | None:
    if not all(isinstance(slide.size, int) and isinstance(slide.outputs, int) for slide in axes):
        return None
    met = [_taps_that_meet(slide) for slide in axes]
    total, used = prod(slide.taps for slide in axes), prod(map(len, met))
    if used == total:
        return None
    kernel, source = ("x".join(str(getattr(slide, what)) for slide in axes) for what in ("taps", "size"))
    rest = total - used
    return Finding(
        message=f"of the {total} cells of this kernel {rest} only ever {'see' if rest > 1 else 'sees'} padding",
        label=f"{_dilated(kernel, axes)} on an input of {source}",
        notes=(f"it computes what a kernel of {'x'.join(str(len(taps)) for taps in met)} would",),
    )


def _dilated(kernel: str, axes: tuple[Slide, ...]) -> str:
    extents = "x".join(str(slide.extent) for slide in axes)
    return f"kernel {kernel}" + (f" (dilated {extents})" if extents != kernel else "")


def _taps_that_meet(slide: Slide) -> list[int]:
    """The taps of an axis that see a cell of the input for some output."""
    assert isinstance(slide.size, int) and isinstance(slide.outputs, int)
    return [tap for tap in range(slide.taps) if _meets(slide, tap * slide.dilation - slide.before, slide.size, slide.outputs)]


def _meets(slide: Slide, first: int, size: int, outputs: int) -> bool:
    """Whether first, first + stride, … (one for each output) comes upon 0 … size - 1."""
    start = max(0, -(first // slide.stride)) if first < 0 else 0
    return start < outputs and first + start * slide.stride < size
