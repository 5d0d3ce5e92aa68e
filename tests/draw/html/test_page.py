"""The page in a real browser: folding, search, hover, the source, dark and light, keys, the address, hostile text."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.draw.html.conftest import Open, net_of
from tests.draw.networks import PARALLEL

NESTED = """## A small network, to be folded.
block Unit(x: tensor, width: int) {
    return x -> conv(width, 3x3, pad = 1) -> batchnorm -> relu
}
block Stage(x: tensor, width: int) {
    x = x -> Unit(width)
    for i in 0..3 {
        x = x -> "more{i}": Unit(width)
    }
    return x
}
model Small {
    input image: float32[N, 3, 32, 32]
    x = image -> stage1: Stage(8) -> maxpool(2x2) -> stage2: Stage(16)
    output logits = x -> global_avgpool -> flatten -> fc: linear(10)
}
"""


PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def ids(page: Page) -> dict[str, str]:
    """Paths of labels → ids."""
    found: dict[str, str] = page.evaluate(
        """() => { const found = {}; const walk = (n) => { found[n.path || n.name] = n.id; (n.children || []).forEach(walk); };
        walk(JSON.parse(document.getElementById('data').textContent).root); return found; }"""
    )
    return found


def seen(page: Page) -> list[str]:
    return list(page.eval_on_selector_all("#stage .node", "all => all.map(each => each.dataset.id)"))


def badges(page: Page) -> list[str]:
    return page.locator("#stage .badge text").all_text_contents()


def at(page: Page, path: str) -> Locator:
    return page.locator(f'#stage [data-id="{ids(page)[path]}"]')


def test_groups_fold_and_unfold(opened: Open) -> None:
    page = opened(NESTED)
    page.click("#fold-all")
    assert page.locator("#stage .group-box").count() == 2 and page.locator("#stage .row").count() == 4
    at(page, "stage1").click()
    assert at(page, "stage1").get_attribute("aria-expanded") == "true"
    assert page.locator("#stage .group-box").count() == 3  # Unit, a stack of three, stage2
    page.locator("#stage .frame-head").first.click()
    assert page.locator("#stage .group-box").count() == 2
    page.click("#unfold-all")
    assert page.locator("#stage .group-box").count() == 0
    assert page.locator("#depth").inner_text() == "2 of 2"
    page.click("#less")
    assert page.locator("#stage .group-box").count() == 4


def test_repeats_are_a_stack_that_unfolds(opened: Open) -> None:
    page = opened(NESTED)
    page.click("#fold-all")
    at(page, "stage1").click()
    badge = page.locator("#stage .badge", has_text="×3")
    assert badge.count() == 1
    badge.click()
    assert badges(page) == ["1/3", "2/3", "3/3"]
    assert page.locator("#stage .group-box").count() == 5
    page.locator("#stage .badge").nth(1).click()
    assert badges(page) == ["×3"]


def test_branches_side_by_side_are_a_stack_that_unfolds(opened: Open) -> None:
    page = opened(PARALLEL)
    page.click("#fold-all")
    assert badges(page) == ["4 in parallel", "3 in parallel"]
    wires = page.eval_on_selector_all("#stage .wire", "all => all.flatMap(each => each.dataset.ends.split(';'))")
    assert len(wires) == 5  # a chain: input, experts, sum, branches, concat, output
    page.locator("#stage .badge").first.click()
    assert badges(page) == ["1/4", "2/4", "3/4", "4/4", "3 in parallel"]
    page.keyboard.press("t")
    assert page.locator("#outline .stack").all_text_contents() == ["3 in parallel"]


def test_edges_have_shapes_and_join_what_is_seen(opened: Open) -> None:
    page = opened(NESTED)
    page.click("#fold-all")
    assert page.locator("#stage .shape").all_text_contents()[:4] == ["3×32×32", "8×32×32", "8×16×16", "16×16×16"]
    page.click("#unfold-all")
    ends = page.eval_on_selector_all("#stage .wire", "all => all.flatMap(each => each.dataset.ends.split(';'))")
    shown = set(seen(page))
    boxes = {each for pair in ends for each in pair.split(" ")}
    assert boxes <= shown and len(set(ends)) == len(boxes) - 1  # a chain


def test_wires_end_where_boxes_are(opened: Open) -> None:
    """Every wire begins at the lower border of what it leaves, and ends at the upper border of what it enters."""
    page = opened("zoo:resnet", "ResNet18")
    page.click("#unfold-all")
    page.click("#fit")
    page.evaluate(PAINTED)
    far = page.evaluate(
        """() => { const off = []; for (const wire of document.querySelectorAll('#stage .wire')) {
          const end = wire.getPointAtLength(wire.getTotalLength()); const frame = wire.closest('g:not(.wires)');
          const near = [...frame.querySelectorAll(':scope > .item')].some(item => {
            const [x, y] = item.getAttribute('transform').match(/[-\\d.]+/g).map(Number); const box = item.getBBox();
            return end.x >= x - 1 && end.x <= x + box.width + 1 && Math.abs(end.y + 5 - y) < 2; });
          const bottom = frame.querySelector(':scope > .frame-box');
          const out = bottom && Math.abs(end.y - bottom.height.baseVal.value) < 2;
          if (!near && !out) off.push([end.x, end.y]); } return off; }"""
    )
    assert far == []


def test_boxes_do_not_overlap(opened: Open) -> None:
    page = opened("zoo:googlenet")
    page.click("#unfold-all")
    page.click("#fit")  # what is far outside is left out
    page.evaluate(PAINTED)
    overlaps = page.evaluate(
        """() => { const found = []; for (const parent of document.querySelectorAll('#stage .network, #stage .frame')) {
          const boxes = [...parent.querySelectorAll(':scope > .item')].map(each => each.getBoundingClientRect());
          for (const [i, a] of boxes.entries()) for (const b of boxes.slice(i + 1))
            if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) found.push([a.top, b.top]); }
          return found; }"""
    )
    assert overlaps == []


SEARCHES = {
    "stage2.more2.conv": "stage2.more2.conv1",  # a label, or how it begins
    "LINEAR": "fc",
    "16x16x16 conv": "stage2.Unit1.conv1",
    "float32[N, 10]": "logits",
    "more1": "stage1.more1",
}


def test_search_by_label_layer_and_shape(opened: Open) -> None:
    page = opened(NESTED)
    for query, first in SEARCHES.items():
        page.click("#fold-all")
        page.keyboard.press("/")
        page.keyboard.type(query)
        hits = page.locator("#hits [role=option]")
        expect(hits.first).to_be_visible()
        assert hits.first.locator("b").inner_text() == first, query
        page.keyboard.press("Enter")
        chosen = page.locator("#stage .node.chosen")
        expect(chosen).to_have_count(1)  # what was folded around it is open
        expect(chosen).to_be_in_viewport()
        assert page.locator("#details h2").inner_text() in (first, f"output {first}")


def test_search_says_when_there_is_nothing(opened: Open) -> None:
    page = opened(NESTED)
    page.fill("#search", "no such layer")
    expect(page.locator("#hits")).to_contain_text("nothing is called that")
    page.keyboard.press("Enter")
    expect(page.locator("#stage .chosen")).to_have_count(0)


def test_hover_tells_numbers(opened: Open) -> None:
    page = opened(NESTED)
    page.click("#unfold-all")
    page.locator("#stage .row", has_text="conv").first.hover()
    tip = page.locator("#tip")
    expect(tip).to_be_visible()
    text = tip.inner_text()
    assert "conv(8, 3x3, pad = 1)" in text and "float32[N, 8, 32, 32]" in text
    assert re.search(r"parameters\s+224", text) and "221,184·N" in text and re.search(r"receptive field\s+3×3", text)


def test_a_click_shows_the_line_and_the_way_there(opened: Open) -> None:
    page = opened(NESTED)
    page.click("#unfold-all")
    page.locator("#stage .row", has_text="conv").first.click()
    marked = page.locator("#details .marked")
    assert marked.inner_text().strip().endswith("return x -> conv(width, 3x3, pad = 1) -> batchnorm -> relu")
    steps = page.locator("#details .chain button")
    assert [re.sub(r"\s+", " ", each) for each in steps.all_inner_texts()] == [
        "Stage stage1 line 14",
        "Unit Unit1 line 6",
        "conv conv1 line 3",
    ]
    steps.first.click()
    assert "model Small" not in page.locator("#details .marked").inner_text() and "stage1: Stage(8)" in marked.inner_text()
    assert page.locator("#details .t-keyword", has_text="return").count() > 0


def test_keys_reach_everything(opened: Open) -> None:
    page = opened(NESTED)
    page.click("#fold-all")
    page.locator("#stage .node[tabindex='0']").focus()
    focused = "() => document.activeElement.dataset.id"
    first = page.evaluate(focused)
    page.keyboard.press("ArrowDown")
    second = page.evaluate(focused)
    assert first == "in0" and second == ids(page)["stage1"]
    page.keyboard.press("ArrowRight")
    assert at(page, "stage1").get_attribute("aria-expanded") == "true" and page.evaluate(focused) == second
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) != second
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused) == second
    page.keyboard.press("ArrowLeft")
    assert at(page, "stage1").get_attribute("aria-expanded") == "false"
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    assert "logits" in page.locator("#details h2").inner_text()
    page.keyboard.press("Escape")
    expect(page.locator("#stage .chosen")).to_have_count(0)


def test_wheel_drag_and_keys_move_the_picture(opened: Open) -> None:
    page = opened(NESTED)
    place = "() => document.getElementById('stage').getAttribute('transform')"
    before = page.evaluate(place)
    page.mouse.move(300, 400)
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"before => ({place})() !== before", arg=before)
    zoomed = page.evaluate(place)
    page.mouse.down()
    page.mouse.move(420, 460)
    page.mouse.up()
    page.wait_for_function(f"before => ({place})() !== before", arg=zoomed)
    expect(page.locator("#stage .chosen")).to_have_count(0)  # a drag is no click
    page.click("#fit")
    page.evaluate(PAINTED)
    box, pane = page.locator("#stage").bounding_box(), page.locator("#canvas").bounding_box()
    assert box and pane and box["x"] >= pane["x"] and box["y"] >= pane["y"]
    assert box["y"] + box["height"] <= pane["y"] + pane["height"] + 1


def test_colour_follows_the_cost_that_is_chosen(opened: Open) -> None:
    page = opened(NESTED)
    page.click("#fold-all")
    steps = "all => all.map(each => each.className.baseVal.match(/step\\d/)[0])"
    boxes = "#stage .group-box, #stage .row"
    assert page.eval_on_selector_all(boxes, steps)[0] == "step8"  # stage1 has the most MACs
    page.select_option("#colour", "params")
    assert page.eval_on_selector_all(boxes, steps)[2] == "step8"  # stage2 the most parameters
    assert "parameters" in page.locator("#legend").inner_text()
    page.select_option("#colour", "none")
    assert set(page.eval_on_selector_all(boxes, steps)) == {"step0"} and page.locator("#legend").inner_text() == ""


def test_the_page_opens_as_it_was_asked_to(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "net.html"
    net_of(NESTED).draw(path, depth=1, unroll=True, colour="params", theme="dark")
    page = opened(NESTED, watched=False)
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]")
    assert badges(page) == ["1/3", "2/3", "3/3"] * 2 and page.locator("#depth").inner_text() == "1 of 2"
    assert page.input_value("#colour") == "params" and page.get_attribute("html", "data-theme") == "dark"


def test_dark_by_the_system_and_by_the_button(opened: Open) -> None:
    paper = "() => getComputedStyle(document.body).backgroundColor"
    page = opened(NESTED, color_scheme="dark")
    dark = page.evaluate(paper)
    page.click("#theme")
    light = page.evaluate(paper)
    assert (dark, light) == ("rgb(15, 20, 26)", "rgb(255, 255, 255)")
    assert opened(NESTED, theme="dark", color_scheme="light").evaluate(paper) == dark
    assert opened(NESTED, theme="light", color_scheme="dark").evaluate(paper) == light


def test_the_table_has_every_number(opened: Open) -> None:
    page = opened(NESTED)
    page.click("#fold-all")
    page.keyboard.press("t")
    rows = page.locator("#outline tbody tr")
    assert [each.split("\t")[0].strip() for each in rows.all_inner_texts()][1].endswith("stage1")
    row = page.locator("#outline tr", has_text="stage2")
    parameters = 8 * 16 * 9 + 16 + 2 * 16 + 3 * (16 * 16 * 9 + 16 + 2 * 16)
    assert f"{parameters:,}" in row.inner_text()
    row.locator(".fold").click()
    assert rows.count() == 8 + 2
    page.keyboard.press("t")
    expect(page.locator("#canvas")).to_be_visible()


def test_the_address_remembers(opened: Open) -> None:
    page = opened(NESTED)
    page.click("#fold-all")
    at(page, "stage2").click()
    page.select_option("#colour", "memory")
    expect(page).to_have_url(re.compile("memory"))
    fragment = page.evaluate("location.hash")
    again = opened(NESTED, fragment=fragment)
    assert seen(again) == seen(page)
    assert (
        again.input_value("#colour") == "memory"
        and again.locator("#stage .chosen").get_attribute("data-id") == ids(page)["stage2"]
    )
    opened(NESTED, fragment="#at=constructor&open=__proto__ n0 g999&unrolled=g0&unit=-1 x&depth=-4&colour=toString")


HOSTILE = """## </script><script>window.hacked = 1</script> <img src=x onerror="window.hacked = 1"> <!-- ]]>
## \u2028 \u202e &amp; ${1} \\
model Evil {
    ## "><svg onload=window.hacked=1>
    input image: float32[N, 3, 8, 8]
    y = image -> "a-__proto__": conv(4, 3x3, pad = 1)   # </script><script>window.hacked = 1</script> @@DATA@@
    y = y -> constructor: relu -> toString: conv(4, 1x1) -> "hasOwnProperty": relu
    output y
}
"""


def test_hostile_text_is_text(opened: Open) -> None:
    page = opened(HOSTILE)
    assert page.evaluate("window.hacked") is None
    assert '<img src=x onerror="window.hacked = 1">' in page.locator("#details").inner_text()
    for row in page.locator("#stage .node").all():
        row.hover()
        row.click()
    assert "@@DATA@@" in page.locator("#details .source").inner_text()
    page.fill("#search", "__proto__")
    expect(page.locator("#hits [role=option]").first).to_contain_text("a-__proto__")
    page.keyboard.press("Escape")
    page.click("#view")
    assert page.evaluate("window.hacked") is None and page.locator("img, iframe, object, embed").count() == 0


def test_nothing_may_run_or_load_but_the_page(opened: Open) -> None:
    """The policy holds: what is put in later does not run, and nothing can be asked for."""
    page = opened(NESTED, watched=False)
    held = page.evaluate(
        """async () => { const out = [];
        document.addEventListener('securitypolicyviolation', event => out.push(event.effectiveDirective));
        for (const [tag, key] of [['script', 'src'], ['img', 'src'], ['iframe', 'src']]) {
          const it = document.createElement(tag); it[key] = 'http://127.0.0.1:9/x'; document.body.append(it); }
        const inline = document.createElement('script'); inline.textContent = 'window.ran = 1'; document.body.append(inline);
        await fetch('http://127.0.0.1:9/x').catch(() => 0);
        for (let turn = 0; turn < 100 && new Set(out).size < 4; turn += 1) await new Promise(done => setTimeout(done, 50));
        return [out.sort(), window.ran ?? null]; }"""
    )
    assert held[1] is None
    assert {"connect-src", "frame-src", "img-src", "script-src-elem"} <= set(held[0])


IN_SIGHT = """() => { const box = document.querySelector("#stage .chosen").getBoundingClientRect();
    const pane = document.getElementById("canvas").getBoundingClientRect();
    return pane.height < 400 && box.top >= pane.top && box.bottom <= pane.bottom; }"""
LOWEST = """() => { const seen = [...document.querySelectorAll("#stage .node")].map(each => each.getBoundingClientRect());
    const box = seen.filter(each => each.bottom < innerHeight - 60).sort((a, b) => b.bottom - a.bottom)[0];
    return [box.x + box.width / 2, box.y + box.height / 2]; }"""


def test_in_a_narrow_window_what_is_chosen_stays_in_sight(opened: Open) -> None:
    page = opened(NESTED, viewport={"width": 375, "height": 667})
    page.click("#unfold-all")
    page.fill("#search", "fc")
    page.keyboard.press("Enter")
    page.wait_for_function(IN_SIGHT, timeout=20_000)
    page.click("#close-details")
    page.evaluate(PAINTED)
    page.mouse.click(*page.evaluate(LOWEST))
    page.wait_for_function(IN_SIGHT, timeout=20_000)


def test_bytes_that_depend_on_sizes_are_told_in_full(opened: Open) -> None:
    page = opened("model Bytes {\n    input x: float32[N, 3, 16, 16]\n    output x -> c: conv(4, 3x3, pad = 1)\n}\n")
    page.click(f"#stage [data-id='{ids(page)['c']}']")
    expect(page.locator("#details")).to_contain_text("4096·N B = 4 KiB")
