"""Large and unusual networks in the browser. Times are measured by `python -m benchmarks.page`, not here."""

from __future__ import annotations

import pytest

from convspec.draw.diagram import diagram
from convspec.draw.scene import levels, watch
from convspec.zoo import networks
from tests.draw.html.conftest import Open, net_of


def test_resnet152_opens_folded_and_unfolds_whole(opened: Open) -> None:
    page = opened("zoo:resnet", "ResNet152")
    assert page.locator("#stage .badge text").all_text_contents() == ["×2", "×7", "×35", "×2"]
    page.click("#unfold-all")
    for _ in range(4):  # every stack one by one
        page.locator("#stage .badge", has_text="×").first.dispatch_event("click")
    assert page.locator("#stage .row").count() == 515
    page.keyboard.press("/")
    page.keyboard.type("layer3.35.conv2")
    page.keyboard.press("Enter")
    assert page.locator("#details h2").inner_text() == "layer3.35.conv2"
    assert page.locator("#details [data-window]").count() == 2


NETWORKS = [("zoo:resnet", "ResNet50"), ("zoo:unet", "UNet2D")]
MORE = [
    ("zoo:slowfast", "SlowFast"),
    ("zoo:densenet", "DenseNet121"),
    ("zoo:nasnet", "NASNetMobile"),
    ("zoo:yolo_v8", "YOLOv8n"),
]


@pytest.mark.parametrize(("spec", "model"), [*NETWORKS, *(pytest.param(*each, marks=pytest.mark.zoo) for each in MORE)])
def test_what_is_seen_and_joined_is_what_the_svg_has(opened: Open, spec: str, model: str) -> None:
    """The page watches the network by itself; `scene` does so for the other pictures."""
    page = opened(spec, model)
    drawn = diagram(net_of(spec, model).module)
    for depth in range(levels(drawn.root) + 1):
        page.click("#fold-all")
        for _ in range(depth):
            page.click("#more")
        scene = watch(drawn, depth)
        ends = page.eval_on_selector_all("#stage .wire", "all => all.flatMap(each => each.dataset.ends.split(';'))")
        assert set(ends) == {f"{wire.source} {wire.target}" for wire in scene.wires}
        rows = page.eval_on_selector_all(
            "#stage .row, #stage .group-box, #stage .end-row", "all => all.map(each => each.dataset.id)"
        )
        assert sorted(rows) == sorted(part.id for box in scene.root.boxes() for part in box.parts)


DENSE = """
model Dense {
    input image: float32[N, 4, 8, 8]
    kept = [image]
    for i in 0..40 {
        kept = kept + [concat(kept) -> conv(4, 1x1)]
    }
    output concat(kept)
}
"""
LONELY = "\nmodel Lonely {\n    input a: float32[N, 3]\n    input unused: float32[2, N]\n    output same = a\n}\n"
BLOCKS = [f"block B{i}(x: tensor) {{\n    return x -> B{i + 1} -> relu\n}}" for i in range(40)]
DEEP = """
block B40(x: tensor) {
    return x -> conv(2, 1x1)
}
model Deep {
    input x: float32[N, 1, 4, 4]
    output x -> B0
}
""" + "\n".join(BLOCKS)


@pytest.mark.parametrize("spec", [DENSE, LONELY, DEEP], ids=["dense", "lonely", "deep"])
def test_unusual_networks_are_drawn(opened: Open, spec: str) -> None:
    page = opened(spec)
    page.click("#unfold-all")
    layers = sum(1 for _ in diagram(net_of(spec).module).root.layers())
    assert page.locator("#stage .row").count() == layers
    page.click("#view")
    assert page.locator("#outline tbody tr").count() >= layers


@pytest.mark.zoo
def test_every_network_of_the_zoo_opens_and_unfolds(opened: Open) -> None:
    for network in networks():
        page = opened(network.library, network.name)
        page.click("#unfold-all")
        row = page.locator("#stage .row").last
        row.dispatch_event("click")
        page.close()
