"""What `check --fix` does about warnings: only what has one right answer, and afterwards the warning is gone."""

from __future__ import annotations

import pytest

from convspec.diagnostics.fixes import apply_fixes
from convspec.elaborate import opened_text
from convspec.lint import warnings

MODEL = "model Net {{\n    input x: float32[N, 3, 32, 32]\n    output x -> {}\n}}\n"

MENDED = {
    "a bias": (MODEL.format("conv(8, 3x3) -> batchnorm"), MODEL.format("conv(8, 3x3, bias = false) -> batchnorm")),
    "a bias that is written": (
        MODEL.format("conv(8, bias = true, 3x3) -> batchnorm".replace("bias = true, 3x3", "3x3, bias = true, stride = 1")),
        MODEL.format("conv(8, 3x3, bias = false, stride = 1) -> batchnorm"),
    ),
    "a trailing comma": (MODEL.format("conv(8, 3x3,) -> batchnorm"), MODEL.format("conv(8, 3x3, bias = false,) -> batchnorm")),
    "a comment in the call": (
        MODEL.format("conv(\n        8,\n        3x3  # small\n    ) -> batchnorm"),
        MODEL.format("conv(\n        8,\n        3x3, bias = false  # small\n    ) -> batchnorm"),
    ),
    "a bias from a default": (
        "default conv(bias = true)\n" + MODEL.format("conv(8, 3x3) -> batchnorm"),
        "default conv(bias = true)\n" + MODEL.format("conv(8, 3x3, bias = false) -> batchnorm"),
    ),
    "a call as a function": (
        "model Net {\n    input x: float32[N, 3, 32, 32]\n    output conv(x, 8, 3x3) -> batchnorm\n}\n",
        "model Net {\n    input x: float32[N, 3, 32, 32]\n    output conv(x, 8, 3x3, bias = false) -> batchnorm\n}\n",
    ),
    "an import": ('use ECA from "std:attention"\n\n' + MODEL.format("relu"), "\n" + MODEL.format("relu")),
    "an import among others": (
        'use ECA, CBAM, NonLocal from "std:attention"  # heads\n' + MODEL.format("conv(8, 3x3) -> CBAM"),
        'use CBAM from "std:attention"  # heads\n' + MODEL.format("conv(8, 3x3) -> CBAM"),
    ),
    "two imports that are neighbours": (
        'use ECA, CBAM, NonLocal from "std:attention"\n' + MODEL.format("conv(8, 3x3) -> NonLocal"),
        'use NonLocal from "std:attention"\n' + MODEL.format("conv(8, 3x3) -> NonLocal"),
    ),
    "all of several imports": ('use ECA, CBAM from "std:attention"\n' + MODEL.format("relu"), MODEL.format("relu")),
}

LEFT = {
    "a bias that something else decides": "let B = true\n" + MODEL.format("conv(8, 3x3, bias = B) -> batchnorm"),
    "a stage that is handed over": """
block Unit(x: tensor, act: stage) { return x -> act -> batchnorm }
model Net { input x: float32[N, 3, 32, 32] output x -> Unit(conv(8, 3x3)) }
""",
    "a value that is not used": "model Net { input x: float32[N, 3, 32, 32] y = x -> conv(8, 3x3) output x -> relu }",
}


@pytest.mark.parametrize("title", MENDED)
def test_mended(title: str) -> None:
    text, expected = MENDED[title]
    for _ in range(5):
        spec = opened_text(text)
        changes = apply_fixes(warnings(spec.module()))
        if not changes:
            break
        ((text, _count),) = changes.values()
    assert text == expected
    assert warnings(opened_text(text).module()) == []


@pytest.mark.parametrize("title", LEFT)
def test_left_alone(title: str) -> None:
    found = warnings(opened_text(LEFT[title]).module("Net"))
    assert found
    assert apply_fixes(found) == {}
