"""What changed between two networks: told once, by structure, and adding up to the difference of the totals."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from convspec import load
from convspec.analysis.difference import Cost, Difference, difference
from convspec.analysis.difference_text import render_markdown, render_text, to_json
from convspec.elaborate import loads
from convspec.zoo import networks

BASE = """
block Res(x: tensor, width: int) {
    y = x -> conv1: conv(width, 3x3, pad = 1) -> bn1: batchnorm -> relu -> conv2: conv(width, 3x3, pad = 1)
    return x + y -> relu
}
model Net(width: int = 8, depth: int = 3) {
    input image: float32[N, 3, 16, 16]
    x = image -> stem: conv(width, 3x3, pad = 1) -> relu
    for i in 0..depth { x = x -> "stage.{i}": Res(width) }
    x = x -> dropout(0.3) -> maxpool(2x2)
    output logits = x -> flatten -> fc: linear(10)
}
"""
SIZES = {"N": 1}


def compared(old: str, new: str, sizes: Mapping[str, int] = SIZES) -> Difference:
    """The difference, which must add up."""
    return checked(difference(loads(old), loads(new), sizes, sizes))


def checked(found: Difference) -> Difference:
    total = sum((change.cost for change in [*found.changes, *found.follows]), Cost())
    old, new = found.old, found.new
    assert old.uses is not None and new.uses is not None
    assert isinstance(old.cost.macs, int) and isinstance(new.cost.macs, int)
    assert total.parameters == new.parameters.learnable - old.parameters.learnable
    assert total.macs == new.cost.macs - old.cost.macs
    assert total.kept == new.uses.kept - old.uses.kept
    return found


def told(found: Difference) -> list[tuple[str, str, str, str]]:
    return [(change.kind, change.old, change.new, change.text) for change in found.changes]


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("x = image", "# a comment\n   x =   image", []),
        ("model Net", "## Documentation.\nmodel Net", []),
        ("let", "let", []),
        ("return x + y", "return y + x", []),
        ("dropout(0.3)", "dropout(0.5)", [("changed", "dropout1", "dropout1", "dropout: rate 0.3 → 0.5")]),
        ("maxpool(2x2)", "maxpool(2x2, stride = 2)", []),
        ("maxpool(2x2)", "avgpool(2x2)", [("changed", "maxpool1", "avgpool1", "maxpool → avgpool")]),
        ("stem: conv", "first: conv", [("renamed", "stem", "first", "conv(8, 3x3, pad = 1)")]),
        ("linear(10)", "linear(12)", [("changed", "fc", "fc", "linear: features 10 → 12")]),
        ("stem: conv(width, 3x3, pad = 1)", "stem: conv(width, 5x5, pad = 2)",
         [("changed", "stem", "stem", "conv: kernel 3x3 → 5x5, pad 1 → 2")]),
        ("-> dropout(0.3)", "-> dropout(0.3) -> softmax", [("added", "", "softmax1", "softmax")]),
        ("-> dropout(0.3) -> maxpool(2x2)", "-> maxpool(2x2) -> dropout(0.3)",
         [("moved", "maxpool1", "maxpool1", "maxpool(2x2, stride = 2)")]),
        ("stem: conv(width, 3x3, pad = 1)", "stem: conv(width, 3x3, pad = 1, init = zeros)", "changed"),
        ("return x + y -> relu", "return x -> relu", "removed"),
        ("depth: int = 3", "depth: int = 4", [("added", "", "stage.3", "Res(width = 8)")]),
        ("depth: int = 3", "depth: int = 2", [("removed", "stage.2", "", "Res(width = 8)")]),
        ("output logits", "output scores", [("interface", "logits", "scores", "output logits is called scores")]),
        ("16, 16]", "16, 16] as picture(size = 16, scale = 1)", "interface"),
        ("conv2: conv(width, 3x3, pad = 1)", "conv2: conv(width, 3x3, pad = 1, bias = false)", "changed"),
    ],
)  # fmt: skip
def test_one_edit(before: str, after: str, changes: list[tuple[str, str, str, str]] | str) -> None:
    found = compared(BASE, BASE.replace(before, after))
    if isinstance(changes, str):
        assert {kind for kind, *_ in told(found)} == {changes}
        return
    assert told(found) == changes
    assert found.same == (not changes)
    assert ("The networks are equal." in render_text(found, ("a", "b"))) == found.same


def test_a_layer_inserted_shifts_the_ordinals_behind() -> None:
    """relu1 becomes relu2: that is told as names with other numbers, not as other layers."""
    found = compared(BASE, BASE.replace("image -> stem", "image -> relu -> stem"))
    assert told(found)[0] == ("added", "", "relu1", "relu")
    assert told(found)[1:] == [("renamed", "relu1", "relu2", "relu")]


def test_the_same_change_in_every_turn_is_told_once() -> None:
    found = compared(BASE, BASE.replace("conv1: conv(width, 3x3, pad = 1)", "conv1: conv(width, 1x1)"))
    (change,) = found.changes
    assert (change.path, change.places) == ("stage.0.conv1", ("stage.1.conv1", "stage.2.conv1"))
    assert change.cost.parameters == 3 * 8 * 8 * (1 - 9)
    assert change.layers == 3
    assert "3 × conv: kernel 3x3 → 1x1, pad 1 → 0" in render_text(found, ("a", "b"))
    assert "32x32 → 20x20" not in render_text(found, ("a", "b")), "the field is that of the network"


def test_more_channels_follow_elsewhere() -> None:
    found = compared(BASE, BASE.replace("width: int = 8", "width: int = 16"))
    assert {change.text for change in found.changes} == {"conv: filters 8 → 16"}
    assert {change.path for change in found.follows} >= {"stage.0.bn1", "fc", "stage.2.relu2"}


def test_a_skip_that_is_read_from_elsewhere() -> None:
    """Same layers, same labels, same sizes; another wire."""
    wired = "x = image -> stem: conv(3, 3x3, pad = 1)\ny = x -> a: conv(3, 1x1)\nz = y -> b: conv(3, 1x1)\noutput z + {}"
    old, new = (f"model Net {{\ninput image: float32[N, 3, 8, 8]\n{wired.format(name)}\n}}" for name in ("x", "y"))
    found = compared(old, new)
    assert told(found) == [("rewired", "add1", "add1", "add reads b, stem → b, a")]
    crossed = "a, b = x -> split(2)\noutput concat({})"
    old, new = (f"model Net {{\ninput x: float32[N, 4, 8, 8]\n{crossed.format(pair)}\n}}" for pair in ("a, b", "b, a"))
    assert [kind for kind, *_ in told(compared(old, new))] == ["rewired"]
    inputs = "input a: float32[N, 4]\ninput b: float32[N, 4]\noutput {}"
    old, new = (f"model Net {{\n{inputs.format(pair)}\n}}" for pair in ("a - b", "b - a"))
    assert [kind for kind, *_ in told(compared(old, new))] == ["rewired"]


def test_outputs_that_change_places() -> None:
    text = "model Net {{\ninput x: float32[N, 4]\np = x -> a: linear(4)\nq = x -> b: linear(4)\n{}\n}}"
    straight, crossed = text.format("output p = p\noutput q = q"), text.format("output p = q\noutput q = p")
    found = compared(straight, crossed)
    assert [change.text for change in found.changes] == ["output p is a → b", "output q is b → a"]
    turned = text.format("output q = q\noutput p = p")
    assert [change.text for change in compared(straight, turned).changes] == ["outputs in another order: p, q → q, p"]


def test_labels_in_another_order_have_moved() -> None:
    text = "model Net {{\ninput x: float32[N, 3, 8, 8]\noutput y = x -> {}\n}}"
    conv, norm = "a: conv(3, 3x3, pad = 1)", "b: batchnorm"
    found = compared(text.format(f"{conv} -> {norm}"), text.format(f"{norm} -> {conv}"))
    assert [(change.kind, change.path) for change in found.changes] == [("moved", "b")]


def test_weights_that_are_shared_no_longer() -> None:
    text = "model Net {{\ninput x: float32[N, 3, 8, 8]\n{}\n}}"
    shared = text.format("layer one = conv(3, 1x1)\noutput x -> one -> one")
    apart = text.format("output x -> one: conv(3, 1x1) -> two: conv(3, 1x1)")
    found = compared(shared, apart)
    assert not found.same
    assert sum(change.cost.parameters for change in found.changes) == 12


def test_which_weights_can_be_carried_over() -> None:
    changed = BASE.replace("stem:", "first:").replace("linear(10)", "linear(12)").replace("depth: int = 3", "depth: int = 2")
    carried = compared(BASE, changed).carried
    assert carried is not None
    assert carried.renamed == (("stem.weight", "first.weight"), ("stem.bias", "first.bias"))
    assert carried.reshaped == ("fc.weight", "fc.bias")
    assert carried.missing == ()
    assert len(carried.unused) == 8 and all(name.startswith("stage.2.") for name in carried.unused)
    old, new = (load_weights(text) for text in (BASE, changed))
    same = [name for name, shape in new.items() if old.get(name) == shape]
    assert list(carried.by_name) == same
    assert carried.elements == sum(_product(new[name]) for name in [*same, "first.weight", "first.bias"])


def load_weights(text: str) -> dict[str, tuple[int, ...]]:
    return {name: each.shape for name, each in loads(text).graph.parameters().items()}


def _product(shape: tuple[int, ...]) -> int:
    size = 1
    for extent in shape:
        size *= extent
    return size


def test_configurations_by_blocks() -> None:
    """ResNet-34 is ResNet-18 with more blocks, and so it is told."""
    path = Path(__file__).parent.parent.parent / "examples" / "resnet.cnn"
    sizes = {"N": 1, "h": 7, "w": 7}
    small, large = (load(path, model=f"ResNet{n}").module for n in (18, 34))
    found = checked(difference(small, large, sizes, sizes))
    assert [(change.kind, change.path, len(change.places) + 1) for change in found.changes] == [
        ("added", "layer1.2", 1),
        ("added", "layer2.2", 2),
        ("added", "layer3.2", 4),
        ("added", "layer4.2", 1),
    ]
    back = checked(difference(large, small, sizes, sizes))
    assert {change.kind for change in back.changes} == {"removed"}
    bottleneck = checked(difference(large, load(path, model="ResNet50").module, sizes, sizes))
    replaced = [change for change in bottleneck.changes if change.kind == "replaced"]
    assert replaced and all("BasicBlock" in change.text and "Bottleneck" in change.text for change in replaced)


def test_forms() -> None:
    found = compared(BASE, BASE.replace("width: int = 8", "width: int = 16").replace("stem:", "first:"))
    plain = to_json(found, ("a|b", "c"))
    assert json.loads(json.dumps(plain)) == plain
    assert plain["equal"] is False
    assert sum(each["parameters"] for each in [*plain["changes"], *plain["follows"]]) == (
        plain["b"]["parameters"] - plain["a"]["parameters"]
    )
    text = render_markdown(found, ("a|b", "c"))
    assert "a\\|b: Net(image" in text
    assert (
        len([line for line in text.splitlines() if line.startswith("| ---") or line.startswith("|  ") or "---:" in line]) >= 2
    )


@pytest.mark.parametrize("name", ["LeNet5", "ResNet18", "SlowFast", "ConvS2S", "YOLOv3Tiny"])
def test_a_network_is_equal_to_itself(name: str) -> None:
    _hold_equal(name)


@pytest.mark.zoo
@pytest.mark.parametrize("name", [each.name for each in networks()])
def test_every_network_is_equal_to_itself(name: str) -> None:
    _hold_equal(name)


def _hold_equal(name: str) -> None:
    sizes = next(each.sizes for each in networks() if each.name == name)
    found = difference(load(f"zoo:{name}").module, load(f"zoo:{name}").module, sizes, sizes)
    assert found.same and found.carried is not None
    assert not (found.carried.missing or found.carried.renamed or found.carried.reshaped or found.carried.unused)


@pytest.mark.zoo
def test_pairs_of_the_zoo_add_up() -> None:
    """Any two networks, however different."""
    every = list(networks())
    for one, other in zip(every[::3], every[1::3], strict=False):
        checked(difference(load(f"zoo:{one.name}").module, load(f"zoo:{other.name}").module, one.sizes, other.sizes))


def zoo_pair(old: str, new: str) -> Difference:
    sizes = {each.name: each.sizes for each in networks() if each.name in (old, new)}
    return checked(difference(load(f"zoo:{old}").module, load(f"zoo:{new}").module, sizes[old], sizes[new]))


def test_layers_put_between_numbered_ones() -> None:
    """VGG with batch norm: eight layers more, the others behind them under other numbers, and weights found all the same."""
    found = zoo_pair("VGG11", "VGG11BN")
    assert [(change.kind, len(change.places) + 1) for change in found.changes] == [("added", 8), ("renamed", 7)]
    assert found.carried is not None
    assert ("features.3.weight", "features.4.weight") in found.carried.renamed
    assert len(found.carried.renamed) == 14 and not found.carried.unused


def test_what_was_put_between_is_no_other_wire() -> None:
    assert "rewired" not in {change.kind for change in zoo_pair("VGG11", "VGG13").changes}


def test_numbered_groups_are_compared_by_number_or_by_what_is_in_them() -> None:
    def net(*groups: str) -> str:
        return f"model Net {{\ninput x: float32[N, 4, 8, 8]\noutput y = x -> f: [{' -> '.join(groups)}]\n}}"

    a, b, c = ("[conv(4, 1x1) -> relu]", "[conv(4, 3x3, pad = 1) -> relu]", "[conv(4, 5x5, pad = 2) -> silu]")
    first = compared(net(a, b, c), net("batchnorm", a, b, c))
    assert not [change for change in first.changes if change.kind in ("changed", "removed", "replaced")]
    longer = compared(net(a, b, c), net(a, b.replace("relu", "gelu"), c))
    assert [change.kind for change in longer.changes] == ["changed"]


@pytest.mark.zoo
def test_pictures_and_fractions_are_told_short() -> None:
    texts = [change.text for change in zoo_pair("EfficientNetB0", "EfficientNetB1").changes]
    assert "input image: picture size (224, 224) → (240, 240), crop 0.875 → 0.9375" in texts
    assert "drop_path: rate 0.05 → 0.05217" in texts
    assert sum("MBConv" in text for text in texts) == 7


@pytest.mark.parametrize(("old", "new"), [("0.1", "0.10001"), ("0.123456789", "0.123456788")])
def test_fractions_that_are_near_are_told_apart(old: str, new: str) -> None:
    (change,) = compared(BASE.replace("0.3", old), BASE.replace("0.3", new)).changes
    assert change.text == f"dropout: rate {old} → {new}"


def test_pairs_that_would_cross() -> None:
    """A layer put before a changed one, and one taken out behind it: each is told, and none is lost."""
    text = "model Net {{\ninput x: float32[N, 3, 4, 4]\noutput y = x -> {} -> relu -> global_avgpool\n}}"
    found = compared(text.format("conv(4, 1x1) -> batchnorm"), text.format("relu -> conv(5, 1x1)"))
    assert [(change.kind, change.text) for change in found.changes if change.kind != "renamed"] == [
        ("added", "relu"),
        ("changed", "conv: filters 4 → 5"),
        ("removed", "batchnorm"),
    ]


def test_edits_at_random_add_up() -> None:
    """Layers taken out, put in and changed anywhere: every cost is told once."""
    rng = random.Random(3)
    layers = ["conv(4, 1x1)", "conv(5, 3x3, pad = 1)", "batchnorm", "relu", "silu", "a: conv(4, 1x1)", "b: [relu -> batchnorm]"]
    text = "model Net {{\ninput x: float32[N, 3, 4, 4]\noutput y = x -> {}\n}}"
    for _ in range(150):
        both = [[rng.choice(layers[:5]) for _ in range(rng.randrange(1, 7))] for _ in range(2)]
        for stages in both:
            for labelled in layers[5:]:
                if rng.random() < 0.5:
                    stages.insert(rng.randrange(len(stages) + 1), labelled)
        old, new = (text.format(" -> ".join(stages)) for stages in both)
        found = compared(old, new)
        assert found.same == (both[0] == both[1])
        count = sum(
            (change.kind == "added") * change.layers - (change.kind == "removed") * change.layers for change in found.changes
        )
        replaced = any(change.kind == "replaced" for change in found.changes)
        assert replaced or count == found.new.layers - found.old.layers
