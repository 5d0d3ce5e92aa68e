"""Whole networks: onnx accepts the model, ONNX Runtime computes what the reference does, at every opset and several sizes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from convspec.diagnostics import Failure
from convspec.elaborate import Module, load, model_names
from convspec.targets.onnx.opsets import DEFAULT_OPSET, OLDEST_OPSET
from convspec.weights.init import initial_weights
from tests.targets.onnx.nets import Net, assert_equal, net, run, shape_of

RESIDUAL = """
block Block(x: tensor, width: int, stride: int = 1) {
    shortcut = x
    if stride > 1 { shortcut = x -> downsample: [conv(width, 1x1, stride = stride, bias = false) -> batchnorm] }
    return (x -> conv1: conv(width, 3x3, stride = stride, pad = 1, bias = false) -> bn1: batchnorm -> relu
              -> conv2: conv(width, 3x3, pad = 1) -> bn2: batchnorm) + shortcut -> relu
}
model Residual {
    input image: float32[N, 3, 8*h, 8*w]
    x = image -> stem: conv(8, 7x7, stride = 2, pad = 3) -> maxpool(3x3, stride = 2, pad = 1)
    for i in 0..2 { x = x -> "layer{i}": Block(8 * (i + 1), stride = i + 1) }
    output logits = x -> global_avgpool -> flatten -> dropout -> fc: linear(5)
}
"""

UNET = """
model UNet {
    input image: float32[N, 2, 4*h, 4*w]
    skips = []
    x = image
    for i in 0..2 {
        x = x -> "down{i}": [conv(4, 3x3, pad = same) -> relu6]
        skips = skips + [x]
        x = x -> maxpool(2x2)
    }
    x = x -> middle: conv(4, 3x3, pad = same, dilation = 2) -> silu
    for i in 0..2 {
        x = x -> "up{i}": conv_transpose(4, 2x2, stride = 2)
        x = concat(x, skips[-1 - i]) -> "join{i}": [conv(4, 3x3, pad = 1, groups = 2) -> leaky_relu(0.2)]
    }
    output mask = x -> head: conv(1, 1x1) -> sigmoid
}
"""

MANY = """
model Many {
    input left: float32[N, 6, H, W]
    input right: float32[N, 6, H, W]
    x = left * 0.5 + right / 2.0 - 1.0
    a, b, c = x -> split(3)
    y = concat(-a, b -> tanh, c -> hardsigmoid, a -> hardswish) -> lrn(3) -> pad(1)
    z = y -> avgpool(3x3, stride = 1) -> upsample(2) -> upsample(2, mode = linear)
    output top = z -> global_maxpool -> flatten
    output soft = z -> softmax
}
"""

LINE = """
model Line {
    input signal: float32[N, 2, 64]
    output classes = signal -> conv(4, 5, stride = 2) -> gelu -> maxpool(2) -> avgpool(3, pad = 1, count_pad = false)
        -> conv_transpose(3, 4, stride = 3, pad = 1, output_padding = 1) -> p: linear(3, axis = channels) -> flatten
        -> linear(4)
}
"""

CUBE = """
model Cube {
    input scan: float32[N, 2, 2*d, 2*h, 2*w]
    output mask = scan -> conv(4, 3x3x3, pad = same, groups = 2) -> batchnorm -> relu -> maxpool(2x2x2) -> lrn(4)
        -> conv_transpose(1, 2x2x2, stride = 2)
}
"""

FLOORS = """
model Floors {
    input image: float32[N, 3, H >= 13, 3*w + 8]
    a = image -> conv(4, 3x3, stride = 2, pad = 1)
    b = image -> conv(4, 1x1, stride = 2)
    output map = a + b -> maxpool(3x3, stride = 2) -> conv(2, 3x2, stride = 1x2)
}
"""

NETS: dict[str, tuple[str, list[Mapping[str, int]]]] = {
    "residual": (RESIDUAL, [{"N": 1, "h": 2, "w": 2}, {"N": 3, "h": 3, "w": 1}]),
    "unet": (UNET, [{"N": 1, "h": 2, "w": 2}, {"N": 2, "h": 3, "w": 4}]),
    "many": (MANY, [{"N": 1, "H": 4, "W": 5}, {"N": 2, "H": 7, "W": 1}]),
    "line": (LINE, [{"N": 1}, {"N": 4}]),
    "floors": (FLOORS, [{"N": 1, "H": 13, "w": 1}, {"N": 2, "H": 16, "w": 4}]),
    "cube": (CUBE, [{"N": 1, "d": 2, "h": 3, "w": 2}, {"N": 2, "d": 4, "h": 1, "w": 3}]),
}


@pytest.fixture(scope="module", params=NETS)
def case(request: pytest.FixtureRequest) -> tuple[Net, list[Mapping[str, int]]]:
    text, sizes = NETS[request.param]
    return net(text), sizes


def test_runs_as_the_reference_at_every_size(
    case: tuple[Net, list[Mapping[str, int]]], capfd: pytest.CaptureFixture[str]
) -> None:
    """And without a warning: ONNX Runtime warns of shapes that are not as declared and of initialisers it does not use."""
    made, sizes = case
    model = made.artifact().data()
    for number, chosen in enumerate(sizes):
        inputs = made.inputs(chosen, seed=number)
        assert_equal(run(model, inputs), made.expected(inputs))
    assert capfd.readouterr().err == ""


def test_the_full_check_passes_and_inference_agrees_with_our_shapes(case: tuple[Net, list[Mapping[str, int]]]) -> None:
    """Strict inference fails on a shape of ours that is not what it infers; where it infers a number, so do we."""
    onnx = import_module("onnx")
    made, _ = case
    proto = made.proto()
    onnx.checker.check_model(proto, full_check=True)
    bare = onnx.ModelProto()
    bare.CopyFrom(proto)
    bare.graph.ClearField("value_info")
    ours = {info.name: shape_of(info) for info in proto.graph.value_info}
    inferred = onnx.shape_inference.infer_shapes(bare, check_type=True, strict_mode=True, data_prop=True)
    assert ours
    for info in inferred.graph.value_info:
        for found, declared in zip(shape_of(info), ours[info.name], strict=True):
            assert found == declared or not isinstance(found, int), info.name


def test_every_tensor_has_its_shape(case: tuple[Net, list[Mapping[str, int]]]) -> None:
    """Whatever a node gives stands in value_info or among the outputs, with every size filled in for tensors of the graph."""
    made, _ = case
    graph = made.proto().graph
    shapes = {info.name: shape_of(info) for info in (*graph.value_info, *graph.output)}
    assert {name for node in graph.node for name in node.output} <= set(shapes)
    declared = {tuple(str(size) for size in v.type.shape) for node in made.module.graph.nodes for v in node.outputs}
    found = {tuple(map(str, shape)) for shape in shapes.values()}
    assert declared <= found


@pytest.mark.parametrize("opset", range(OLDEST_OPSET, DEFAULT_OPSET + 1))
def test_every_opset_runs(opset: int) -> None:
    """All op types in one network, but Gelu, which opset 20 brought."""
    for text, sizes in (NETS["many"], NETS["unet"]):
        made = net(text)
        inputs = made.inputs(sizes[0])
        proto = made.proto(opset=opset)
        assert [(entry.domain, entry.version) for entry in proto.opset_import] == [("", opset)]
        assert_equal(run(proto.SerializeToString(), inputs), made.expected(inputs))


def test_the_same_twice(case: tuple[Net, list[Mapping[str, int]]]) -> None:
    made, _ = case
    text = made.module.files[0].span.file.text
    assert made.artifact().data() == made.artifact().data() == net(text).artifact().data()


EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.mark.parametrize("file", sorted(path.stem for path in EXAMPLES.glob("*.cnn")))
def test_every_model_of_the_examples_compiles(file: str) -> None:
    """`emit` checks the graph strictly. Weights of one repeated number need no memory, and nothing is written here."""
    compiled = 0
    for model in model_names(EXAMPLES / f"{file}.cnn"):
        module = loadable(EXAMPLES / f"{file}.cnn", model)
        if module is not None:
            weights = {p.name: np.broadcast_to(np.float32(0.5), p.shape) for p in module.graph.parameters().values()}
            (name,) = Net(module, weights).artifact().files
            assert name == f"{model}.onnx"
            compiled += 1
    assert compiled


def loadable(path: Path, model: str) -> Module | None:
    """The model, or None where it is a family whose members set its parameters."""
    try:
        return load(path, model)
    except Failure as failure:
        if [diagnostic.code for diagnostic in failure.diagnostics] != ["CNN041"]:
            raise
        return None


@pytest.mark.parametrize(("file", "model"), [("lenet5", None), ("resnet", "ResNet18"), ("unet", "UNet3D")])
def test_examples_pass_the_full_check(file: str, model: str | None) -> None:
    module = load(EXAMPLES / f"{file}.cnn", model)
    proto = Net(module, initial_weights(module.graph, 0)).proto()
    import_module("onnx").checker.check_model(proto, full_check=True)
