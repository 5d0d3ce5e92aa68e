from typing import Any

from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._convolutions import convolve, surround


def moved(kernel: tuple[int, int], **arguments: Any) -> Any:
    """Torch's `grid_sample` reads the cells, one of the kernel after another; nothing of it is shared with the layer."""

    def run(x: Any, offset: Any, *mask: Any, weight: Any, bias: Any = None) -> Any:
        import torch
        from torch.nn import functional

        step, before, spread, parts = (
            arguments.get(k, v) for k, v in (("s", (1, 1)), ("p", (0, 0)), ("d", (1, 1)), ("parts", 1))
        )
        height, width = x.shape[2:]
        rows, columns = offset.shape[2:]
        total = []
        for part, image in enumerate(x.chunk(parts, 1)):
            cells = []
            for cell in range(kernel[0] * kernel[1]):
                at = part * kernel[0] * kernel[1] + cell
                down = offset[:, 2 * at] + (torch.arange(rows) * step[0] - before[0] + cell // kernel[1] * spread[0])[:, None]
                right = offset[:, 2 * at + 1] + torch.arange(columns) * step[1] - before[1] + cell % kernel[1] * spread[1]
                grid = torch.stack([(2 * right + 1) / width - 1, (2 * down + 1) / height - 1], -1)
                found = functional.grid_sample(image, grid, align_corners=False, padding_mode="zeros")
                cells.append(found * mask[0][:, at : at + 1] if mask else found)
            total.append(torch.stack(cells, 2))
        read = torch.cat(total, 1)  # (N, C, cells, rows, columns): a convolution of kernel (cells, 1, 1)
        flat = weight.reshape(*weight.shape[:2], -1, 1, 1)
        return convolve(read, flat, bias, groups=arguments.get("groups", 1))[:, :, 0]

    return run


def still(x: Any, offset: Any, weight: Any, bias: Any) -> Any:
    """Offsets of 0 leave a convolution."""
    return convolve(surround(x, [(1, 1), (1, 1)]), weight, bias) + 0 * offset.sum()


OFFSET = noise(2, 18, 5, 6)
CELLS = (
    Cell("x -> deform_conv(o, 4, 3x3, pad = 1)", x=noise(2, 3, 5, 6), o=2 * OFFSET, oracle=moved((3, 3), p=(1, 1))),
    # whole offsets, where the interpolation has kinks
    Cell("x -> deform_conv(o, 4, 3, pad = 1)", x=noise(2, 3, 5, 6), o=0 * OFFSET, oracle=still, gradients=False),
    Cell("x -> deform_conv(o, 4, 3, pad = 1)", x=noise(2, 3, 5, 6), o=(2 * OFFSET).round()),
    Cell(
        "x -> deform_conv(o, filters = 6, kernel = 3x2, mask = m, groups = 2, offset_groups = 2, bias = false)",
        x=noise(2, 4, 5, 6),
        o=noise(2, 24, 3, 5),
        m=noise(2, 12, 3, 5),
        oracle=moved((3, 2), parts=2, groups=2),
    ),
    Cell(
        "x -> deform_conv(o, filters = 2, kernel = [2, 3], stride = [2, 1], dilation = [1, 2], pad = [[0, 1], [2, 1]])",
        x=noise(2, 3, 5, 6),
        o=noise(2, 12, 3, 5),
        oracle=moved((2, 3), s=(2, 1), p=(0, 2), d=(1, 2)),
    ),
    Cell("x -> deform_conv(o, 2, 1x1, pad = same, bias = true)", x=noise(2, 3, 4, 4), o=40 * noise(2, 2, 4, 4)),
    Cell(
        "x -> deform_conv(x -> conv(18, 3, pad = 1), filters = 2, kernel = 3, pad = same)",
        x=noise(2, 3, 4, 5),
        types={"x": "float32[N, 3, H, W]"},
    ),
    Cell(
        "x -> deform_conv(o, 2, 3, pad = 1, stride = 2)",
        x=noise(1, 3, 6, 4),
        o=noise(1, 18, 3, 2),
        types={"x": "float32[N, 3, 2*h, 2*w]", "o": "float32[N, 18, h, w]"},
    ),
)

X, O = "float32[1, 4, 7, 7]", "float32[1, 18, 5, 5]"  # noqa: E741
BAD = (
    Bad("filters", "x -> deform_conv(o, filters = 0, kernel = 3)", "CNN045", "at least 1, not 0", x=X, o=O),
    Bad("kernel", "x -> deform_conv(o, filters = 4, kernel = 9)", "CNN032", "9x9", "7x7", x=X, o=O),
    Bad("stride", "x -> deform_conv(o, filters = 4, kernel = 3, stride = 0)", "CNN045", "at least 1", x=X, o=O),
    Bad("pad", "x -> deform_conv(o, filters = 4, kernel = 3, pad = 1)", "CNN031", "[1, 18, 7, 7]", "[1, 18, 5, 5]", x=X, o=O),
    Bad("dilation", "x -> deform_conv(o, filters = 4, kernel = 3, dilation = 4)", "CNN032", "9x9", x=X, o=O),
    Bad("groups", "x -> deform_conv(o, filters = 4, kernel = 3, groups = 3)", "CNN036", "4 input channels", x=X, o=O),
    Bad("offset_groups", "x -> deform_conv(o, filters = 4, kernel = 3, offset_groups = 3)", "CNN036", "4 input", x=X, o=O),
    Bad("bias", "x -> deform_conv(o, filters = 4, kernel = 3, bias = 1)", "CNN040", "true or false", x=X, o=O),
    Bad("init", "x -> deform_conv(o, filters = 4, kernel = 3, init = he)", "CNN202", "he", x=X, o=O),
    Bad("", "x -> deform_conv(o, filters = 4, kernel = 3)", "CNN030", "rank 3", x="float32[1, 4, 7]", o=O),
    Bad("", "x -> deform_conv(o, filters = 4, kernel = 3, mask = o)", "CNN031", "[1, 9, 5, 5]", x=X, o=O),
)
