"""Blocks of the standard library as stages, and what they make of a tensor's shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from convspec.ir.types import TensorType
from tests.fuzz.layers import Attributes, Scope, number
from tests.fuzz.terms import Env, Invalid, Stage, infer, literal, tensor


@dataclass(frozen=True, slots=True)
class Entry:
    """A block: its file, how its arguments are drawn, and how its channels follow from them (None: they stay)."""

    file: str
    arguments: Callable[[Scope], Attributes] = lambda scope: {}
    channels: Callable[[int, dict[str, Any]], int] | None = None
    ranks: tuple[int, ...] = (3, 4, 5)


def _filters(*extra: tuple[str, Any]) -> Callable[[Scope], Attributes]:
    def draw(scope: Scope) -> Attributes:
        return {"filters": number(scope, 1, 6)} | {k: literal(v) for k, v in extra if scope.draw.chance(50)}

    return draw


def _given(key: str, times: int = 1) -> Callable[[int, dict[str, Any]], int]:
    return lambda channels, given: int(given[key]) * times


def _width(scope: Scope) -> Attributes:
    return {"width": number(scope, 1, 4)}


BLOCKS = {
    "SqueezeExcite": Entry("attention", lambda scope: {"reduction": number(scope, 1, 4)}),
    "CBAM": Entry("attention", lambda scope: {"reduction": number(scope, 1, 3), "kernel": literal(3)}),
    "ECA": Entry("attention", ranks=(4,)),
    "NonLocal": Entry("attention"),
    "ConvBNAct": Entry("common", _filters(("kernel", 1), ("dilation", 2)), _given("filters")),
    "DepthwiseSeparable": Entry("common", _filters(("dilation", 2)), _given("filters")),
    "ConvNeXtBlock": Entry("convnext", lambda scope: {"kernel": literal(3), "expand": number(scope, 1, 2)}),
    "DenseBlock": Entry(
        "dense",
        lambda scope: {"depth": number(scope, 1, 2), "growth": number(scope, 1, 3), "bottleneck": literal(2)},
        lambda channels, given: channels + int(given["depth"]) * int(given["growth"]),
    ),
    "GatedConv": Entry("gated", _filters(("kernel", 1)), _given("filters")),
    "InvertedResidual": Entry("mobile", _filters(("expand", 1), ("expand", 2)), _given("filters")),
    "BasicBlock": Entry("residual", _width, _given("width")),
    "PreActBlock": Entry("residual", _width, _given("width")),
    "RepVGGBlock": Entry("repvgg", _filters(), _given("filters")),
    "TransformerEncoderBlock": Entry("transformer", lambda scope: {"heads": literal(1), "hidden": number(scope, 1, 6)}),
    "DoubleConv": Entry("unet", _filters(), _given("filters")),
    "ConvUnit": Entry("yolo", _filters(("kernel", 3)), _given("filters")),
    "C2f": Entry("yolo", lambda scope: {"filters": literal(scope.draw.pick((2, 4)))}, _given("filters")),
}


def stage(scope: Scope, x: TensorType, used: dict[str, set[str]]) -> Stage:
    """A block from the table; `used` takes down that it is."""
    block = scope.draw.pick(list(BLOCKS))
    entry = BLOCKS[block]
    given = entry.arguments(scope)
    used.setdefault(entry.file, set()).add(block)
    written = ", ".join(f"{key} = {term.text}" for key, term in given.items())

    def apply(env: Env, value: Any) -> Any:
        of = tensor(value)
        if of.rank not in entry.ranks or type(of.channels) is not int or of.dtype != "float32":
            raise Invalid("not for such tensors")
        if entry.file in ("convnext", "transformer"):
            infer("layernorm", {}, of)
        infer("conv", {"filters": 1, "kernel": 3, "pad": "same"}, of)
        numbers = {key: term.value(env) for key, term in given.items()}
        if not all(type(value) is int and value >= 1 for value in numbers.values()):
            raise Invalid("a plain number of at least 1 is wanted")
        channels = entry.channels(of.channels, numbers) if entry.channels else of.channels
        return of.with_shape((of.shape[0], channels, *of.spatial))

    return Stage(f"{block}({written})" if given else block, apply)
