from tests.conformance.cell import Bad, Cell, noise
from tests.conformance.cells._convolutions import grid, padded, plain

CELLS = (
    *grid("conv", "6, K"),
    Cell("x -> conv(6, 3, groups = 2)", x=noise(2, 4, 7)),
    Cell("x -> conv(8, 3, groups = 4, pad = same)", x=noise(2, 4, 7)),
    Cell("x -> conv(6, [3, 2], groups = 2, pad_mode = circular, pad = [[0, 1], [2, 0]])", x=noise(2, 4, 7, 6)),
    Cell("x -> conv(4, 3, groups = 2, pad = 1)", x=noise(1, 4, 5, 4, 5)),
    Cell("x -> conv(8, 3, groups = 4, stride = 2, pad = 1)", x=noise(1, 4, 5, 4, 5)),
    # symbolic sizes
    Cell("x -> conv(4, 3, groups = 2)", x=noise(2, 4, 8), types={"x": "float32[N, 4, 2*h + 2]"}),
    Cell("x -> conv(4, 3x3, stride = 2, pad = same)", x=noise(1, 3, 8, 6), types={"x": "float32[N, 3, 2*h, 2*w]"}),
    Cell("x -> conv(4, 3, pad = 2, pad_mode = reflect)", x=noise(1, 3, 8, 6), types={"x": "float32[N, 3, H >= 3, 3*w]"}),
    Cell("x -> conv(4, 3, pad = 2, pad_mode = circular)", x=noise(1, 3, 8, 6), types={"x": "float32[N, 3, H >= 2, 3*w]"}),
    Cell("x -> conv(4, 2, pad = 1, pad_mode = replicate)", x=noise(1, 2, 3, 2, 4), types={"x": "float32[N, 2, D, H, W]"}),
    # causal: before the input only
    Cell("x -> conv(4, 3, pad = causal)", x=noise(2, 3, 7), oracle=padded(plain, [(2, 0)])),
    Cell("x -> conv(4, 3, pad = causal, stride = 2)", x=noise(2, 3, 7), oracle=padded(plain, [(2, 0)], stride=2)),
    Cell("x -> conv(4, 2, pad = causal, dilation = 3)", x=noise(2, 3, 7), oracle=padded(plain, [(3, 0)], dilation=3)),
    Cell(
        "x -> conv(6, 3, pad = causal, dilation = 2, stride = 3, groups = 3, pad_mode = replicate)",
        x=noise(2, 3, 7),
        oracle=padded(plain, [(4, 0)], "replicate", dilation=2, stride=3, groups=3),
    ),
    Cell("x -> conv(4, 1, pad = causal)", x=noise(2, 3, 7)),
    # those most likely to be wrong
    Cell("x -> conv(4, 4x3, stride = [3, 2], pad = same)", x=noise(2, 3, 8, 11)),
    Cell("x -> conv(4, 4x3, dilation = 3, pad = same)", x=noise(2, 3, 8, 11)),
    Cell("x -> conv(4, 1, stride = 4, pad = same)", x=noise(2, 3, 8)),
    Cell("x -> conv(4, 1x1, stride = 4, pad = same)", x=noise(2, 3, 8, 12)),
    Cell("x -> conv(4, 1, stride = 2)", x=noise(1, 3, 5, 6, 4)),
    Cell("x -> conv(6, 3x3, groups = 3, stride = 2, dilation = 2)", x=noise(2, 3, 9, 9)),
    Cell("x -> conv(6, 3x3, groups = 3, stride = [1, 2])", x=noise(2, 3, 9, 9)),
    Cell(
        "x -> conv(6, 3, groups = 2, stride = 2, dilation = 2, pad = [[1, 0], [0, 1], [2, 1]])",
        x=noise(1, 4, 7, 7, 7),
        oracle=padded(plain, [(1, 0), (0, 1), (2, 1)], groups=2, stride=2, dilation=2),
    ),
    Cell("x -> conv(4, 3, pad = 5, pad_mode = circular)", x=noise(2, 3, 5), oracle=padded(plain, [(5, 5)], "circular")),
    Cell(
        "x -> conv(4, 3x3, pad = [[5, 0], [0, 4]], pad_mode = circular)",
        x=noise(2, 3, 5, 5),
        oracle=padded(plain, [(5, 0), (0, 4)], "circular"),
    ),
)

X = "float32[1, 3, 7, 7]"
BAD = (
    Bad("filters", "x -> conv(0, 3x3)", "CNN045", "at least 1, not 0", x=X),
    Bad("filters", "x -> conv(2.5, 3x3)", "CNN040", "2.5", x=X),
    Bad("kernel", "x -> conv(4, 9x9)", "CNN032", "9x9", "7x7", x=X),
    Bad("kernel", "x -> conv(4, 3x3x3)", "CNN045", "3 numbers (3x3x3)", "2 spatial axes", x=X),
    Bad("kernel", "x -> conv(4, N)", "CNN033", "symbolic", x="float32[N, 3, 7, 7]"),
    Bad("stride", "x -> conv(4, 3, stride = -1)", "CNN045", "at least 1, not -1", x=X),
    Bad("pad", "x -> conv(4, 3, pad = -1)", "CNN045", "at least 0, not -1", x=X),
    Bad("pad", "x -> conv(4, 3, pad = valid)", "CNN047", "same, causal", "valid", x=X),
    Bad("pad", "x -> conv(4, 3, pad = causal)", "CNN045", "one spatial axis", "not with 2", x=X),
    Bad("pad", "x -> conv(4, 3, pad = same, stride = 2)", "CNN033", "height H", x="float32[1, 3, H, 8]"),
    Bad("pad", "x -> conv(4, 3, pad = 7, pad_mode = reflect)", "CNN045", "7 cells", "at least 8, not 7", x=X),
    Bad("pad", "x -> conv(4, 3, pad = 8, pad_mode = circular)", "CNN045", "8 cells", "at least 8, not 7", x=X),
    Bad("pad", "x -> conv(4, 3, pad = 2, pad_mode = reflect)", "CNN034", "declare `H >= 3`", x="float32[1, 3, H]"),
    Bad("pad_mode", "x -> conv(4, 3, pad = 1, pad_mode = mirror)", "CNN047", "reflect", "mirror", x=X),
    Bad("pad_mode", "x -> conv(4, 3, pad = causal, pad_mode = circular)", "CNN045", "from later on", x="float32[1, 3, 7]"),
    Bad("pad_value", "x -> conv(4, 3, pad = 1, pad_value = 2)", "CNN045", "pad_mode = constant", "zeros", x=X),
    Bad("dilation", "x -> conv(4, 3, dilation = 4)", "CNN032", "dilated 9x9", "7x7", x=X),
    Bad("groups", "x -> conv(6, 3, groups = 2)", "CNN036", "3 input channels", "2 groups", x=X),
    Bad("groups", "x -> conv(4, 3, groups = 3)", "CNN036", "4 filters", "3 groups", x=X),
    Bad("bias", "x -> conv(4, 3, bias = 0)", "CNN040", "true or false", x=X),
    Bad("init", "x -> conv(4, 3, init = he)", "CNN202", "kaiming_normal", "he", x=X),
    Bad("", "x -> conv(4, 3)", "CNN030", "rank 2", x="float32[N, 3]"),
    Bad("", "x -> conv(4, 3)", "CNN033", "C", x="float32[N, C, 7]"),
)
