"""Keras models of spatial ops can be saved and read back: helper functions become Keras's own operations."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from convspec.targets.tensorflow import helpers
from tests.ops.harness import KerasNet, prepare
from tests.ops.oracle import noise

OURS: list[tuple[str, dict[str, Any], int]] = [
    ("conv", {"filters": 4, "kernel": 3, "groups": 2}, 2),
    ("conv", {"filters": 4, "kernel": 3, "stride": 2, "dilation": 3}, 2),
    ("conv_transpose", {"filters": 4, "kernel": 3, "stride": 2, "pad": 1, "output_padding": 1}, 2),
    ("conv_transpose", {"filters": 4, "kernel": 3, "stride": 2, "dilation": 2, "groups": 2}, 2),
    ("maxpool", {"kernel": 2, "dilation": 2}, 2),
    ("maxpool", {"kernel": 2}, 3),
    ("avgpool", {"kernel": 3, "stride": 1, "pad": [[1, 0], [0, 1]], "count_pad": False}, 2),
    ("upsample", {"factor": 2, "mode": "linear"}, 2),
    ("upsample", {"factor": 2, "mode": "linear", "align_corners": True}, 1),
    ("resize", {"factor": 1.5, "mode": "cubic"}, 2),
    ("resize", {"size": (5, 4), "mode": "linear", "antialias": True}, 2),
    ("maxpool", {"kernel": 2, "stride": 1, "pad": 1, "indices": True}, 2),
    ("lppool", {"kernel": 2, "p": 3}, 3),
    ("blurpool", {"pad_mode": "replicate"}, 2),
    ("adaptive_avgpool", {"size": 3}, 2),
    ("adaptive_maxpool", {"size": 3}, 3),
    ("lrn", {"size": 4}, 2),
    ("pad", {"amount": 1, "value": 2.0}, 2),
    ("pad", {"amount": [[1, 0], [0, 2]], "mode": "replicate"}, 2),
    ("conv", {"filters": 4, "kernel": 3, "pad": [[0, 2]], "pad_mode": "circular"}, 1),
    ("ws_conv", {"filters": 4, "kernel": 3, "stride": 2, "pad": 1, "groups": 2, "eps": 1e-3}, 2),
    ("separable_conv", {"filters": 4, "kernel": 3, "stride": 2, "pad": 1, "multiplier": 2}, 3),
]
LAYERS = ("ConvTranspose", "WSConv", "SeparableConv3D")


@pytest.mark.parametrize(("name", "attrs", "rank"), OURS)
def test_a_model_survives_its_configuration(name: str, attrs: dict[str, Any], rank: int) -> None:
    """With sizes open; `LAYERS` are the classes of ours."""
    models: Any = import_module("keras").models
    x = noise(2, 4, *(9, 8, 7)[:rank])
    net = KerasNet(
        prepare(
            name,
            attrs,
            [x],
            free={0: 1, **dict.fromkeys(range(2, 2 + rank), 1)} if attrs.get("pad_mode") != "circular" else None,
        ),
        "float32",
    )
    assert net.model is not None
    copy = models.model_from_json(net.model.to_json(), custom_objects={name: getattr(helpers, name) for name in LAYERS})
    copy.set_weights(net.model.get_weights())
    given = np.moveaxis(x, 1, -1).astype("float32")
    for found, expected in zip(copy([given]), net.model([given]), strict=True):
        np.testing.assert_array_equal(found, expected)
