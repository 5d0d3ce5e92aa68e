"""The tables of what PyTorch says in two ways, held against the torch that is installed."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from convspec.ir.lowering import Arg, Call
from convspec.targets.pytorch.equivalents import DEFAULTS, MODULES, as_function, as_module, canonical
from convspec.targets.pytorch.reserved import RESERVED
from tests.targets.pytorch.nets import torch

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "LeakyReLU": (0.3,),
    "LocalResponseNorm": (3, 0.01, 0.7, 2.0),
    "Softmax": (1,),
    "Threshold": (0.1, 20.0),
    "Pool": (2,),
}


def named(fn: str) -> Any:
    package, name = fn.split(".")
    return getattr({"nn": torch.nn, "F": torch.nn.functional, "torch": torch}[package], name)


@pytest.mark.parametrize("fn", sorted(fn for fn in DEFAULTS if fn.startswith("nn.") or fn in ("F.pad", "F.interpolate")))
def test_defaults_are_those_of_torch(fn: str) -> None:
    parameters = inspect.signature(named(fn)).parameters
    assert {name: parameters[name].default for name in DEFAULTS[fn]} == DEFAULTS[fn]


def test_gelu_is_exact_by_default() -> None:
    x = torch.randn(9)
    assert torch.equal(named("F.gelu")(x), named("F.gelu")(x, **DEFAULTS["F.gelu"]))


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("kind", ["max", "avg"])
def test_pool_defaults_by_experiment(kind: str, rank: int) -> None:
    """Some of these have no signature of their own."""
    fn = f"F.{kind}_pool{rank}d"
    x = torch.randn(1, 2, *[7] * rank)
    assert torch.equal(named(fn)(x, 2), named(fn)(x, 2, stride=2, **DEFAULTS[fn]))


@pytest.mark.parametrize("fn", sorted(MODULES))
def test_a_module_does_what_its_function_does(fn: str) -> None:
    module = MODULES[fn]
    rank = int(module[-2]) if module.endswith("d") and "Pool" in module else 2
    x = torch.randn(2, 4, *[6] * rank)
    arguments = next((value for key, value in ARGUMENTS.items() if key in module), ())
    assert torch.equal(named(fn)(x, *arguments), named(module)(*arguments)(x))
    assert as_module(Call(fn, (Arg(0), *arguments))) == (module, arguments, {})


def test_flatten_is_a_module_only_from_the_first_axis() -> None:
    assert as_module(Call(".flatten", (Arg(0), 1))) == ("nn.Flatten", (), {})
    assert as_module(Call(".flatten", (Arg(0), 2))) is None
    assert as_function("nn.Flatten", (), {}) == (".flatten", (1,), {})
    assert as_function("nn.Dropout", (0.5,), {}) is None


def test_reserved_names_are_all_that_a_module_has() -> None:
    module = torch.nn.Module()
    own = {name for name in {*dir(module), *vars(module)} if not name.startswith("__")}
    assert own <= RESERVED


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (((3, 4, 3), {}), ((3, 4, (3, 3)), {}), True),
        (((3, 4, 3), {}), ((3, 4, 3), {"stride": 1, "padding": (0, 0), "bias": True}), True),
        (((3, 4, 3), {"padding": "same"}), ((3, 4, 3), {"padding": 1}), True),
        (((3, 4, 2), {"padding": "same"}), ((3, 4, 2), {"padding": 1}), False),
        (((3, 4, 3), {"padding": "same", "dilation": 2}), ((3, 4, 3), {"padding": 2, "dilation": 2}), True),
        (((3, 4, 3), {}), ((3, 4, 3), {"bias": False}), False),
        (((3, 4, 3), {"groups": 1}), ((3, 4, 3), {"groups": True}), False),
        (((3, 4, 3), {}), ((3, 4.0, 3), {}), False),
        (((3, 4, (1, 3)), {}), ((3, 4, (3, 1)), {}), False),
        (((3, 4, 3), {}), (([3], 4, 3), {}), False),
        (((3, 4, 3), {}), ((3, [4], 3), {}), False),
        (((3, 4, 3), {}), ((3, 4, [3]), {}), False),
        (((3, 4, 3), {"groups": 1}), ((3, 4, 3), {"groups": [1, 1]}), False),
        (((3, 4, 3), {"padding": 1}), ((3, 4, 3), {"padding": [[1, 1], [1, 1]]}), False),
    ],
)
def test_canonical_forms(one: Any, other: Any, equal: bool) -> None:
    assert (canonical("nn.Conv2d", *one) == canonical("nn.Conv2d", *other)) is equal


def test_padding_same_is_what_its_numbers_are() -> None:
    x = torch.randn(1, 2, 9, 9)
    word, number = (torch.nn.Conv2d(2, 2, (3, 5), padding=p, dilation=2) for p in ("same", (2, 4)))
    number.load_state_dict(word.state_dict())
    assert torch.equal(word(x), number(x))
