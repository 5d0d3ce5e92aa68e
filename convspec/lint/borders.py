"""CNN115: cells at the end of an axis that no window sees, because the stride does not divide what is left.

A window of 3 at stride 2 without padding sees 111 cells of 112: the last row is never looked at. Cells of padding that nobody
sees are no loss (a 7x7 at stride 2 with pad 3 on 224 leaves only padding), and where the window is smaller than the stride,
cells are skipped everywhere and on purpose. Where sizes are symbolic, it is told only if every one of them loses cells.
"""

from __future__ import annotations

from convspec.ir.dims import Size, lower_bound
from convspec.ir.graph import Node
from convspec.lint.survey import Finding, Survey
from convspec.lint.windows import Slide, slides


def look(survey: Survey, node: Node) -> Finding | None:
    """CNN115 for a window that never comes upon the last cells of an axis."""
    padded = _padded_before(survey, node)
    lost = [(slide, _lost(slide) - padded.get(slide.index, 0)) for slide in slides(node)]
    found = [(slide, cells) for slide, cells in lost if (lower_bound(cells) or 0) >= 1]
    if not found:
        return None
    (slide, cells), names = found[0], " and ".join(slide.axis for slide, _ in found)
    least = lower_bound(cells)
    many = f"{least}" if isinstance(cells, int) else f"at least {least}"
    one = least == 1 and isinstance(cells, int)
    return Finding(
        message=f"the last {'cell' if one else f'{many} cells'} of the {names} {'is' if one else 'are'} never seen",
        label=_numbers(slide),
        hint=_hint(node),
    )


def _padded_before(survey: Survey, node: Node) -> dict[int, int]:
    """By axis, cells at the end of the input that a `pad` layer before it made up."""
    before = survey.before(node)
    pads = before.attrs.amount if before is not None and before.op.name == "pad" else ()
    return {index: after for index, (_, after) in enumerate(pads)}


def _lost(slide: Slide) -> Size:
    """Cells behind the last one that the last window reaches; 0 where cells are skipped everywhere."""
    if slide.extent < slide.stride or slide.stride == 1:
        return 0
    last = (slide.outputs - 1) * slide.stride - slide.before + slide.extent - 1
    return slide.size - 1 - last


def _numbers(slide: Slide) -> str:
    padded = f" and pads {slide.before}, {slide.after}" if slide.before or slide.after else ""
    return f"a window of {slide.extent} at stride {slide.stride}{padded} on {slide.axis} {slide.size}"


def _hint(node: Node) -> str:
    pads = "`pad = same` sees every cell"
    return f"`ceil = true` lets a last window reach over the end; {pads}" if hasattr(node.attrs, "ceil") else pads
