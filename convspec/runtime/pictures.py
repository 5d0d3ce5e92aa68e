"""A picture file becomes an input tensor, in steps that anybody can repeat.

1. Decode (PNG or JPEG, the first frame), turn it as its EXIF orientation says, and lay what is transparent over white.
2. Make it grey for an input of 1 channel (ITU-R 601: 0.299 R + 0.587 G + 0.114 B), RGB for one of 3. Values are 0…255; a
   16-bit grey picture keeps its precision (value / 257).
3. `size = (h, w)`: resize so that the picture just covers floor(h / crop) x floor(w / crop), keeping its proportions
   (bilinear with antialiasing, as Pillow and torchvision do it; the longer side is rounded down), then cut h x w out of the
   centre (the offset (H - h) / 2 is rounded half to even). For a square size this is torchvision's
   Resize(size / crop) and CenterCrop(size).
4. `invert`: v := 255 - v.
5. v := (v / scale - mean) / std, in float64, per channel, then rounded to the input's dtype.

`picture(...)` without `size` resizes to the declared height and width; where those are symbolic the picture keeps its own.
A model without `picture(...)` takes a picture of exactly its own size: nothing is resized, and step 5 scales to 0…1.
An input of integers takes the values 0…255 as they are.
"""

from __future__ import annotations

import math
import struct
import threading
import warnings
import zlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from convspec.diagnostics import Diagnostic, error, fail
from convspec.ir.graph import Picture
from convspec.ir.types import FLOATS, Array
from convspec.runtime.signature import TensorSpec
from convspec.weights.dtypes import numpy_dtype

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg")
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error, MemoryError, OverflowError)
"""What Pillow raises for a damaged file."""


_AT_ONCE = 1 << 16
"""Pixels looked up together: NumPy makes 8 bytes of each on the way."""


class _Quiet:
    """Inside it no thread warns. `catch_warnings` alone changes what all threads share, and they leave in another order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._saved = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._saved = warnings.catch_warnings()
                self._saved.__enter__()
                warnings.simplefilter("ignore")

    def __exit__(self, *problem: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._saved.__exit__(None, None, None)


_QUIET = _Quiet()


def is_picture(path: Path) -> bool:
    """Whether the file's name ends as a picture's does."""
    return path.suffix.lower() in SUFFIXES


def check_takes_pictures(spec: TensorSpec) -> None:
    """Failure CNN301 unless the input is (N, 1, H, W) or (N, 3, H, W)."""
    if spec.type.rank != 4 or spec.type.channels not in (1, 3):
        message = f"a picture cannot fill the input `{spec.name}`, which is {spec.type}"
        hint = "a picture fills an input of rank 4 with 1 or 3 channels; give this one an .npy file"
        raise fail(error("CNN301", message, spec.span, hint=hint))


def read_picture(path: Path, spec: TensorSpec) -> Array:
    """The picture at `path` as an array (1, C, H, W) of the input's dtype. Failure CNN300 or CNN301."""
    check_takes_pictures(spec)
    image = _decode(path, channels=int(str(spec.type.channels)))
    preparation = spec.picture or Picture()
    size = fixed_size(spec)
    if spec.picture is None:
        _check_size(path, image, spec)
    elif size is not None:
        image = _cover_and_crop(image, size, preparation.crop)
    return _to_array(image, preparation, spec)


def picture_area(path: Path) -> int:
    """How many pixels the picture has, by its first bytes; 0 where they do not tell. Nothing is decoded."""
    from PIL import Image

    try:
        with _QUIET, Image.open(path, formats=("PNG", "JPEG")) as opened:
            return opened.width * opened.height
    except Image.DecompressionBombError:
        return 0
    except _BROKEN:
        return 0


def fixed_size(spec: TensorSpec) -> tuple[int, int] | None:
    """The height and width that every picture is brought to: as `picture(...)` says, else as declared, else None."""
    if spec.picture is not None and spec.picture.size is not None:
        return spec.picture.size
    height, width = spec.type.spatial
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None


def _decode(path: Path, channels: int) -> Image:
    """The picture upright, opaque, in mode L, RGB, or F (16-bit grey, brought to 0…255)."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with _QUIET, Image.open(path, formats=("PNG", "JPEG")) as opened:
            opened.load()
            return _plain(ImageOps.exif_transpose(opened), channels)
    except UnidentifiedImageError:
        raise fail(_unreadable(path, "it is not a PNG or JPEG picture")) from None
    except Image.DecompressionBombError:
        raise fail(_unreadable(path, "it has more pixels than Pillow's limit for safe decoding")) from None
    except _BROKEN as problem:
        raise fail(_unreadable(path, _reason(problem))) from None


def _unreadable(path: Path, reason: str) -> Diagnostic:
    return error("CNN300", f"cannot read the picture {path}: {reason}")


def _reason(problem: BaseException) -> str:
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror[:1].lower() + problem.strerror[1:]
    return str(problem) or type(problem).__name__


def _plain(image: Image, channels: int) -> Image:
    import numpy as np
    from PIL import Image as Images

    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion to L would clip it
        return Images.fromarray((np.asarray(image, dtype=np.float64) / 257).astype(np.float32))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Images.new("RGBA", image.size, (255, 255, 255, 255))
        image = Images.alpha_composite(paper, image)
    return image.convert("L" if channels == 1 else "RGB")


def _check_size(path: Path, image: Image, spec: TensorSpec) -> None:
    size = fixed_size(spec)
    if size is None or size == (image.height, image.width):
        return
    message = f"{path} is {image.height}x{image.width} (height x width), but the input `{spec.name}` takes {size[0]}x{size[1]}"
    wanted = size[0] if size[0] == size[1] else f"{size[0]}x{size[1]}"
    hint = f"to have pictures resized, declare the input `as picture(size = {wanted})`"
    raise fail(error("CNN301", message, spec.span, hint=hint))


def _cover_and_crop(image: Image, size: tuple[int, int], crop: float) -> Image:
    """Step 3 of the module's docstring."""
    from PIL.Image import Resampling

    height, width = size
    cover_height, cover_width = max(height, math.floor(height / crop)), max(width, math.floor(width / crop))
    if cover_height * image.width >= cover_width * image.height:
        resized = (cover_height * image.width // image.height, cover_height)
    else:
        resized = (cover_width, cover_width * image.height // image.width)
    image = image.resize(resized, Resampling.BILINEAR)
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, top, left + width, top + height))


def _to_array(image: Image, preparation: Picture, spec: TensorSpec) -> Array:
    """Steps 4 and 5. A grey picture in mode F stands for all channels."""
    import numpy as np

    channels = int(str(spec.type.channels))
    if spec.type.dtype not in FLOATS:
        _check_integers(preparation, spec)
    if image.mode == "F":
        values = _prepared(np.asarray(image, dtype=np.float64)[None], preparation, channels, spec.type.dtype)
        return np.ascontiguousarray(values[None])
    pixels = np.asarray(image).reshape(image.height, image.width, channels)
    table = _levels(preparation, channels, spec.type.dtype)
    result = np.empty((1, channels, image.height, image.width), table.dtype)
    rows = max(1, _AT_ONCE // image.width)
    for channel in range(channels):
        for row in range(0, image.height, rows):
            # Exact, and ten times as fast as arithmetic on every pixel. No index is out of range; "clip" spares the check.
            part = slice(row, row + rows)
            np.take(table[channel], pixels[part, :, channel], out=result[0, channel, part], mode="clip")
    return result


@lru_cache(maxsize=32)
def _levels(preparation: Picture, channels: int, dtype: str) -> Array:
    """What each of the values 0…255 becomes, by channel: [channels, 256]."""
    import numpy as np

    return _prepared(np.arange(256, dtype=np.float64).reshape(1, 1, 256), preparation, channels, dtype)[:, 0]


def _prepared(pixels: Array, preparation: Picture, channels: int, dtype: str) -> Array:
    """Steps 4 and 5 in float64, rounded to `dtype` at the end: [1, h, w] becomes [channels, h, w]."""
    import numpy as np

    pixels = np.repeat(pixels, channels, axis=0)
    if preparation.invert:
        pixels = 255.0 - pixels
    if dtype in FLOATS:
        mean, std = (np.asarray(values, dtype=np.float64).reshape(-1, 1, 1) for values in (preparation.mean, preparation.std))
        pixels = (pixels / preparation.scale - mean) / std
    else:
        pixels = np.rint(pixels)
    return pixels.astype(numpy_dtype(dtype))


def _check_integers(preparation: Picture, spec: TensorSpec) -> None:
    """An input of integers takes 0…255: mean, std and scale would not leave integers."""
    if any(preparation.mean) or set(preparation.std) != {1.0} or preparation.scale not in (1.0, 255.0):
        message = f"`picture(...)` of the input `{spec.name}` gives fractions, but the input holds {spec.type.dtype}"
        raise fail(error("CNN301", message, spec.span, hint="leave out mean, std and scale, or declare the input float32"))


__all__ = ["SUFFIXES", "check_takes_pictures", "fixed_size", "is_picture", "picture_area", "read_picture"]
