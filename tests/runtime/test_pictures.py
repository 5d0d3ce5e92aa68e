"""Pictures become tensors by the documented steps: checked against numbers by hand and PyTorch's antialiased resizing."""

from __future__ import annotations

import io
import random as pyrandom
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from convspec.diagnostics import Failure
from convspec.runtime.pictures import is_picture, read_picture
from convspec.runtime.signature import TensorSpec, signature_of
from tests.runtime.helpers import module, told

RGB = "float32[N, 3, H, W]"
GREY = "float32[N, 1, H, W]"
SIDEWAYS = 6
"""The EXIF orientation of a picture whose first row is the right side: shown right, it is turned by 90 degrees."""


def spec(declared: str, picture: str | None = None) -> TensorSpec:
    """The input `image` of this type, prepared `as picture(…)` where given."""
    prepared = f" as picture({picture})" if picture is not None else ""
    text = f"model Net {{\ninput image: {declared}{prepared}\noutput image\n}}"
    return signature_of(module(text).graph).inputs[0]


def noise(*shape: int) -> Any:
    return np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)


def saved(folder: Path, pixels: Any, name: str = "p.png", **options: Any) -> Path:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(folder / name, **options)
    return folder / name


def test_names() -> None:
    assert [is_picture(Path(name)) for name in ("a.png", "b.JPG", "c.jpeg", "d.npy", "png")] == [True, True, True, False, False]


def test_without_picture_values_go_to_0_1(tmp_path: Path) -> None:
    pixels = noise(5, 7, 3)
    array = read_picture(saved(tmp_path, pixels), spec("float32[N, 3, 5, 7]"))
    assert array.dtype == np.float32
    assert array.shape == (1, 3, 5, 7)
    np.testing.assert_array_equal(array[0], (pixels.transpose(2, 0, 1) / 255).astype(np.float32))


def test_grey_from_colour_and_colour_from_grey(tmp_path: Path) -> None:
    pixels = noise(4, 4, 3)
    luma = pixels @ [0.299, 0.587, 0.114]
    grey = read_picture(saved(tmp_path, pixels), spec(GREY))
    np.testing.assert_allclose(grey[0, 0] * 255, luma, atol=1.0)
    flat = noise(4, 4)
    colour = read_picture(saved(tmp_path, flat), spec(RGB))
    for channel in colour[0]:
        np.testing.assert_array_equal(channel, (flat / 255).astype(np.float32))


def test_mean_std_scale_and_invert(tmp_path: Path) -> None:
    pixels = noise(2, 2, 3)
    path = saved(tmp_path, pixels)
    prepared = read_picture(path, spec(RGB, "mean = [0.1, 0.2, 0.3], std = [0.5, 0.25, 2.0]"))
    expected = (pixels / 255 - [0.1, 0.2, 0.3]) / [0.5, 0.25, 2.0]
    np.testing.assert_array_equal(prepared[0], expected.transpose(2, 0, 1).astype(np.float32))
    raw = read_picture(path, spec(RGB, "scale = 1, mean = 127.5, std = 127.5"))
    np.testing.assert_array_equal(raw[0], ((pixels - 127.5) / 127.5).transpose(2, 0, 1).astype(np.float32))
    inverted = read_picture(path, spec(RGB, "invert = true"))
    np.testing.assert_array_equal(inverted[0], ((255.0 - pixels) / 255).transpose(2, 0, 1).astype(np.float32))


@pytest.mark.parametrize(
    ("height", "width", "size", "crop", "resized", "corner"),
    [
        (60, 90, (30, 30), 1.0, (30, 45), (0, 8)),  # 7.5 rounds to even
        (90, 60, (30, 30), 1.0, (45, 30), (8, 0)),
        (100, 67, (28, 28), 0.875, (47, 32), (10, 2)),  # floor(28 / 0.875) = 32; 100 * 32 // 67 = 47; 9.5 rounds to 10
        (40, 100, (20, 30), 1.0, (20, 50), (0, 10)),
        (100, 40, (20, 30), 1.0, (75, 30), (28, 0)),  # 27.5 rounds to even
        (10, 10, (20, 20), 1.0, (20, 20), (0, 0)),  # enlarged
        (51, 53, (50, 52), 1.0, (50, 52), (0, 0)),  # the longer side: 53 * 50 // 51 = 51 would not cover
    ],
)
def test_resize_and_crop(
    tmp_path: Path,
    height: int,
    width: int,
    size: tuple[int, int],
    crop: float,
    resized: tuple[int, int],
    corner: tuple[int, int],
) -> None:
    pixels = noise(height, width, 3)
    prepared = spec(RGB, f"size = [{size[0]}, {size[1]}], crop = {crop}")
    array = read_picture(saved(tmp_path, pixels), prepared)
    channels = torch.tensor(pixels).permute(2, 0, 1)[None].double()
    smooth = torch.nn.functional.interpolate(channels, resized, mode="bilinear", antialias=True, align_corners=False)
    top, left = corner
    expected = smooth[0, :, top : top + size[0], left : left + size[1]].numpy()
    assert array.shape == (1, 3, *size)
    np.testing.assert_allclose(array[0] * 255, expected, atol=1.01)  # Pillow rounds to 8 bits after each axis


def test_size_comes_from_the_declaration_where_picture_says_none(tmp_path: Path) -> None:
    path = saved(tmp_path, noise(12, 16, 3))
    assert read_picture(path, spec("float32[N, 3, 6, 6]", "mean = 0.5")).shape == (1, 3, 6, 6)
    assert read_picture(path, spec(RGB, "mean = 0.5")).shape == (1, 3, 12, 16)
    assert read_picture(path, spec(RGB)).shape == (1, 3, 12, 16)


def test_the_orientation_of_a_photograph(tmp_path: Path) -> None:
    pixels = noise(4, 6)
    exif = Image.Exif()
    exif[0x0112] = SIDEWAYS
    array = read_picture(saved(tmp_path, pixels, exif=exif), spec(GREY))
    np.testing.assert_array_equal(array[0, 0], (np.rot90(pixels, -1) / 255).astype(np.float32))


def test_what_is_transparent_lies_on_white(tmp_path: Path) -> None:
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, :, 3] = (0, 128, 255)  # black: absent, half there, there
    array = read_picture(saved(tmp_path, pixels), spec(RGB))
    np.testing.assert_array_equal(array[0, 0, 0] * 255, [255, 127, 0])


def test_transparent_palettes_and_grey_with_alpha(tmp_path: Path) -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putdata([0, 1])
    array = read_picture(saved(tmp_path, palette, transparency=0), spec(RGB))
    np.testing.assert_array_equal(array[0, :, 0, :].T * 255, [[255, 255, 255], [200, 100, 50]])
    grey = Image.fromarray(np.array([[[9, 0], [9, 255]]], np.uint8), "LA")
    np.testing.assert_array_equal(read_picture(saved(tmp_path, grey), spec(GREY))[0, 0, 0] * 255, [255, 9])


def test_other_modes(tmp_path: Path) -> None:
    bits = Image.fromarray(np.array([[True, False]]))
    np.testing.assert_array_equal(read_picture(saved(tmp_path, bits), spec(GREY))[0, 0, 0], [1, 0])
    ink = Image.new("CMYK", (8, 8), (0, 0, 0, 0))
    np.testing.assert_allclose(read_picture(saved(tmp_path, ink, "p.jpg", quality=100), spec(RGB)), 1, atol=0.02)


@pytest.mark.parametrize("declared", [GREY, RGB])
def test_sixteen_bits_keep_their_precision(tmp_path: Path, declared: str) -> None:
    pixels = np.array([[0, 1, 257, 300, 65535]], np.uint16)
    array = read_picture(saved(tmp_path, pixels), spec(declared))
    for channel in array[0]:
        np.testing.assert_allclose(channel[0], pixels[0] / 65535, rtol=1e-6)


def test_integer_inputs_take_the_values_as_they_are(tmp_path: Path) -> None:
    pixels = noise(3, 4, 3)
    array = read_picture(saved(tmp_path, pixels), spec("uint8[N, 3, 3, 4]"))
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array[0], pixels.transpose(2, 0, 1))
    assert told(lambda: read_picture(tmp_path / "p.png", spec("uint8[N, 3, 3, 4]", "mean = 0.5"))) == (
        "error[CNN301]: `picture(...)` of the input `image` gives fractions, but the input holds uint8\n"
        "  = leave out mean, std and scale, or declare the input float32"
    )


def test_a_picture_of_another_size_is_not_resized_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    saved(tmp_path, noise(5, 7, 3))
    assert told(lambda: read_picture(Path("p.png"), spec("float32[N, 3, 28, 28]"))) == (
        "error[CNN301]: p.png is 5x7 (height x width), but the input `image` takes 28x28\n"
        "  = to have pictures resized, declare the input `as picture(size = 28)`"
    )
    assert told(lambda: read_picture(Path("p.png"), spec("float32[N, 3, 28, 32]"))).endswith("picture(size = 28x32)`")


@pytest.mark.parametrize("declared", ["float32[N, 8, 4, 4]", "float32[N, 3, 4]", "float32[N, C, 4, 4]", "float32[N, 10]"])
def test_inputs_that_no_picture_fills(tmp_path: Path, declared: str) -> None:
    path = saved(tmp_path, noise(4, 4, 3))
    assert told(lambda: read_picture(path, spec(declared))) == (
        f"error[CNN301]: a picture cannot fill the input `image`, which is {declared}\n"
        "  = a picture fills an input of rank 4 with 1 or 3 channels; give this one an .npy file"
    )


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.png", b"", "it is not a PNG or JPEG picture"),
        ("a.png", b"hello", "it is not a PNG or JPEG picture"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "it is not a PNG or JPEG picture"),
        ("a.jpg", b"GIF89a\x01\0\x01\0\0\0\0;", "it is not a PNG or JPEG picture"),
        ("missing.png", None, "no such file or directory"),
    ],
)
def test_unreadable_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes | None, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_bytes(content)
    assert told(lambda: read_picture(Path(name), spec(RGB))) == f"error[CNN300]: cannot read the picture {name}: {reason}"


def test_more_pixels_than_are_safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, noise(40, 40))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert told(lambda: read_picture(path, spec(GREY))).endswith("it has more pixels than Pillow's limit for safe decoding")


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_damaged_pictures_never_show_a_traceback(tmp_path: Path, kind: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(noise(16, 16, 3)).save(buffer, kind, exif=Image.Exif())
    whole, dice, path = buffer.getvalue(), pyrandom.Random(1), tmp_path / "p.png"
    refused = 0
    for turn in range(200):
        damaged = bytearray(whole[: dice.randrange(len(whole))] if turn % 2 else whole)
        for _ in range(dice.randrange(1, 6)):
            if damaged:
                damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        path.write_bytes(damaged)
        try:
            read_picture(path, spec(RGB))
        except Failure as failure:
            refused += failure.diagnostics[0].code == "CNN300"
    assert refused > 50
