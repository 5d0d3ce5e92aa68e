"""The blocks of the standard library mean the same on every target, forward and backward, and are documented."""

from __future__ import annotations

import re

import numpy as np
import pytest

import convspec
from convspec.elaborate.libraries import LIBRARIES, shipped
from convspec.source import SourceFile
from convspec.syntax import ast, parse
from convspec.targets.pytorch.source import generate
from tests.examples.networks import inputs, scaled_error
from tests.examples.test_gradients import keras_gradients, torch_gradients
from tests.std.samples import SAMPLES, Sample

FP32, FP64 = 1e-5, 1e-8
NOTHING = 1e-13
"""Times the largest gradient: the rounding of float64."""


def blocks(name: str) -> list[ast.Block]:
    """The blocks of `std:attention`."""
    path = LIBRARIES["std"] / f"{name.removeprefix('std:')}.cnn"
    return [item for item in parse(SourceFile(name, path.read_text(encoding="utf-8"))).items if isinstance(item, ast.Block)]


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_targets_agree(sample: Sample) -> None:
    net = sample.net()
    arrays = inputs(net, {"N": 2, **sample.sizes})
    expected = net.run(arrays, runtime="reference")
    for runtime in ("onnxruntime", "pytorch", "tensorflow"):
        found = net.run(arrays, runtime=runtime)
        assert found.keys() == expected.keys()
        for name, values in expected.items():
            assert scaled_error(found[name], values) < FP32, f"{runtime}, {name}"


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_gradients_agree(sample: Sample) -> None:
    net = sample.net()
    arrays = {name: array.astype(np.float64) for name, array in inputs(net, {"N": 2, **sample.sizes}).items()}
    training = not any(node.op.training_only for node in net.module.graph.nodes)
    expected, found = torch_gradients(net, arrays, training), keras_gradients(net, arrays, training)
    assert found.keys() == expected.keys()
    assert set(arrays) <= set(expected)
    largest = max(np.abs(values).max() for values in expected.values())
    for name, values in expected.items():
        if max(np.abs(values).max(), np.abs(found[name]).max()) < NOTHING * largest:
            continue  # a bias before a batch norm changes nothing: its gradient is 0, and what is computed is rounding
        assert scaled_error(found[name], values) < FP64, name


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_sources_keep_the_blocks(sample: Sample) -> None:
    """Nothing is written out instance by instance: the generated file has a class for the block."""
    source = generate(convspec.loads(sample.text()).module, "sample")
    assert source.notes == ()
    assert f"class {sample.block}(nn.Module):" in source.text


def test_every_block_has_a_sample() -> None:
    written = {(name.removeprefix("std:"), block.name.text) for name in shipped("std") for block in blocks(name)}
    assert written == {(sample.file, sample.block) for sample in SAMPLES}


@pytest.mark.parametrize("name", shipped("std"))
def test_every_block_is_documented(name: str) -> None:
    path = LIBRARIES["std"] / f"{name.removeprefix('std:')}.cnn"
    assert path.read_text(encoding="utf-8").startswith("## ")
    for block in blocks(name):
        assert block.doc, f"{block.name.text} has no documentation"
        for param in block.params:
            assert param.type is not None, f"{block.name.text}: {param.name.text} has no type"


def test_papers_are_named() -> None:
    for name in shipped("std"):
        text = (LIBRARIES["std"] / f"{name.removeprefix('std:')}.cnn").read_text(encoding="utf-8")
        assert re.search(r"arXiv:\d{4}\.\d{5}", text), name
