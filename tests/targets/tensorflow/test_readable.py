"""The readable form: found for every construct of the language, proven, and as a person would write it. No Keras needed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from convspec.elaborate import Module, load, loads, model_names
from convspec.targets.tensorflow import artifact
from convspec.targets.tensorflow.helpers_text import helper_names, helper_texts
from convspec.targets.tensorflow.network import Network, prepare
from convspec.targets.tensorflow.readable.program import print_readable
from convspec.targets.tensorflow.straight import print_straight
from convspec.targets.tensorflow.validate import differences
from tests.targets.pytorch.specs import SPECS as CONSTRUCTS
from tests.targets.tensorflow.specs import SPECS

EXAMPLES = Path(__file__).parents[3] / "examples"
GOLDEN = Path(__file__).parent / "golden"


def readable(text: str, model: str | None = None) -> str:
    module = loads(text, model=model)
    return proven(module, prepare(module.graph))


def proven(module: Module, network: Network) -> str:
    text = artifact.print_source(module, network, "net")
    assert text != print_straight(network, "net")
    assert differences(text, network) == []
    return text


def body(text: str, function: str = "build") -> str:
    """The lines of one function."""
    found = re.search(rf"^def {function}\(.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no function {function}"
    return found.group().rstrip() + "\n"


@pytest.mark.parametrize("name", SPECS)
def test_networks(name: str) -> None:
    readable(*SPECS[name][:2])


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_every_construct_of_the_language(name: str) -> None:
    text = CONSTRUCTS[name]
    readable(text, re.findall(r"^model (\w+)", text, re.MULTILINE)[-1])


def examples() -> list[tuple[str, str]]:
    """All but VGG, which needs arguments, and PreActResNet, which is ResNet1001 by another name."""
    found = []
    for path in sorted(EXAMPLES.glob("*.cnn")):
        found += [(path.name, name) for name in model_names(path) if name not in ("VGG", "PreActResNet")]
    return found


@pytest.mark.parametrize(("file", "model"), examples())
def test_examples_take_at_most_a_hundred_lines(file: str, model: str) -> None:
    module = load(EXAMPLES / file, model=model)
    text = proven(module, prepare(module.graph))
    for definition in helper_texts(helper_names()):  # layers that Keras lacks, which the file carries with it
        text = text.replace(definition, "")
    assert len(text.splitlines()) <= 100


def test_a_block_is_a_function_and_a_loop_a_loop() -> None:
    text = readable(*SPECS["resnet"][:2])
    assert body(text) == (
        "def build(depths=(2, 1), classes=5):\n"
        '    """The model. Keras draws its weights; `load_weights` fills in those of a file."""\n'
        '    image = keras.Input((None, None, 3), name="image")\n'
        "    x = layers.ZeroPadding2D(3)(image)\n"
        '    x = layers.Conv2D(8, 7, strides=2, use_bias=False, name="conv1")(x)\n'
        '    x = BatchNorm(name="bn1")(x)\n'
        "    x = ops.relu(x)\n"
        '    x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=float("-inf"))\n'
        "    x = layers.MaxPooling2D(3, strides=2)(x)\n"
        "    for i, depth in enumerate(depths):\n"
        "        for j in range(depth):\n"
        "            x = bottleneck(\n"
        '                x, 4 * 2**i, stride=2 if i > 0 and j == 0 else 1, name=f"layer{i + 1}.{j}"\n'
        "            )\n"
        "    x = layers.GlobalAveragePooling2D(keepdims=True)(x)\n"
        "    x = layers.Flatten()(x)\n"
        '    fc = layers.Dense(classes, name="fc")(x)\n'
        '    return keras.Model(image, fc, name="ResNet")\n'
    )
    assert "    if stride > 1 or x.shape[-1] != 4 * width:\n" in body(text, "bottleneck")
    assert '    """Residual bottleneck."""\n' in body(text, "bottleneck")


def test_padding_that_only_some_uses_have_is_an_if() -> None:
    spec = """
    block Conv(x: tensor, kernel: size, stride: int = 1, pad: int = 0) {
        return x -> c: conv(4, kernel, stride = stride, pad = pad) -> relu
    }
    model M {
        input x: float32[N, 3, 16, 16]
        output y = x -> a: Conv(7x7, stride = 2, pad = 3) -> b: Conv(1x1) -> c: Conv(3x3, pad = 1)
    }
    """
    assert "    if pad > 0:\n        x = layers.ZeroPadding2D(pad)(x)\n" in body(readable(spec), "conv")


def test_uses_that_all_could_be_same_are_written_so() -> None:
    text = readable(*SPECS["inception"][:2])
    assert 'layers.Conv2D(filters, kernel, padding="same", use_bias=False, name=f"{name}.conv")(x)' in body(text, "basic_conv")


def test_a_block_used_in_two_ways_becomes_two_functions() -> None:
    text = readable(*SPECS["stages"][:2])
    assert "ops.silu(x)" in body(text, "cell")
    assert "ops.hard_swish(x)" in body(text, "cell_2")


def test_a_shared_block_makes_each_layer_once() -> None:
    text = readable(*SPECS["shared"][:2])
    assert 'reuse(layers.Conv2D(width, 3, padding="same", name=f"{name}.conv1"))(x)' in body(text, "tower_block")
    assert '    embed = layers.Dense(7, name="embed")\n' in body(text)


def test_a_list_parameter_that_is_added_to() -> None:
    """Defaults are tuples, which nobody can change by mistake, unless they have to be lists."""
    spec = """
    model M(widths: list = [3, 4]) {{
        input x: float32[N, 8, 4, 4]
        for w in {} {{ x = x -> "c{{w}}": conv(w, 1x1) }}
        output y = x
    }}
    """
    assert "def build(widths=(3, 4)):" in readable(spec.format("widths"))
    assert "def build(widths=[3, 4]):" in readable(spec.format("widths[0..1] + [5]"))


def test_a_default_that_depends_on_another_parameter() -> None:
    spec = """
    block Squeeze(x: tensor, to: int = x.channels // 2) { return x -> conv(to, 1x1) }
    model M {
        input x: float32[N, 8, 4, 4]
        output y = x -> Squeeze -> Squeeze -> Squeeze(7)
    }
    """
    text = readable(spec)
    assert "def squeeze(x, to=None, *, name):\n    to = x.shape[-1] // 2 if to is None else to\n" in body(text, "squeeze")
    assert 'squeeze(y, name="Squeeze2")' in body(text) or 'squeeze(x, name="Squeeze2")' in body(text)


def test_an_output_that_is_changed_later_keeps_its_value() -> None:
    readable(
        "model M {\ninput x: float32[N, 2, 4, 4]\ny = x -> conv(8, 1x1)\noutput y\n"
        "output z = y -> conv(1, 1x1) -> relu\ny = y -> relu\noutput w = y -> conv(3, 1x1) -> relu\n}"
    )


def test_a_step_does_not_overwrite_what_a_later_stage_reads() -> None:
    spec = """
    block Fuse(a: tensor, b: tensor) { return concat(a, b) -> conv(2, 1x1) }
    model M {
        input i: float32[N, 2, 4, 4]
        x = i -> relu
        x = x -> conv(2, 1x1) -> sigmoid -> Fuse(x) -> conv(x.channels, 1x1)
        x = concat(x -> conv(3, 1x1) -> relu, x -> conv(3, 1x1) -> tanh)
        output y = x
    }
    """
    readable(spec)


def test_nothing_is_computed_twice() -> None:
    """A function that reads its argument twice gets it in a variable."""
    spec = """
    let twice(t) = t + t * 2.0
    model M {
        input x: float32[N, 3, 4, 4]
        y = twice(x -> conv(5, 1x1) -> batchnorm)
        output y = (y -> relu) * (y -> sigmoid) -> twice
    }
    """
    text = readable(spec)
    assert (
        text.count("layers.Conv2D(")
        == text.count("BatchNorm(name")
        == text.count("ops.relu(")
        == text.count("ops.sigmoid(")
        == 1
    )


def test_what_has_no_readable_form_is_written_straight() -> None:
    """A layer handed to a block as a stage: its Keras object would have to travel with it."""
    spec = """
    block Twice(x: tensor, f: stage) { return x -> f -> f }
    model M {
        input x: float32[N, 3, 4, 4]
        layer f = conv(3, 1x1)
        output y = x -> Twice(f) -> f
    }
    """
    module = loads(spec)
    network = prepare(module.graph)
    assert artifact.print_source(module, network, "net") == print_straight(network, "net")


def test_a_readable_form_that_is_not_proven_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    module = loads(SPECS["lenet"][0])
    network = prepare(module.graph)
    right = print_readable(module, network, "net")
    monkeypatch.setattr(artifact, "print_readable", lambda *_: right.replace("ops.tanh", "ops.relu", 1))
    assert artifact.print_source(module, network, "net") == print_straight(network, "net")


HOSTILE = (Path(__file__).parent / "hostile.cnn").read_text()


def test_hostile_names() -> None:
    """Names of Python, of Keras and of the file itself, as variables, parameters, blocks, labels and outputs; odd docs."""
    text = readable(HOSTILE)
    compile(text, "hostile", "exec")
    assert text.count('"""') % 2 == 0


@pytest.mark.parametrize("name", ["lenet", "resnet", "shared"])
@pytest.mark.parametrize("form", ["readable", "straight"])
def test_golden_files(name: str, form: str) -> None:
    """The whole file, as it is handed out. A golden file that is missing fails; none is ever written from here."""
    module = loads(*SPECS[name][:1], model=SPECS[name][1])
    text = artifact.print_source(module, prepare(module.graph), name, straight=form == "straight")
    path = GOLDEN / f"{name}_{form}.py.txt"
    assert path.is_file(), f"{path.name} is missing"
    assert text == path.read_text()
