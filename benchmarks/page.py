"""How soon the page of a large network is there: ResNet-152 in headless Chromium, from opening the file to the painted picture.

Times are the browser's own (`performance.now`, marks of the page), the middle of a few runs on whatever else the machine does.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, figure, main, skipped
from convspec.api import load
from convspec.draw.diagram import diagram
from convspec.draw.html import page as render

OPENED, UNFOLDED, MOVED = 1.0, 1.0, 0.05
"""Seconds: to the painted picture, to unfold every layer, and for a frame while all of it is moved."""

CLICK = """async id => { const start = performance.now(); document.getElementById(id).click();
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))); return performance.now() - start; }"""
UNROLL = """async () => { const start = performance.now(); let badge;
  while ((badge = [...document.querySelectorAll('#stage .badge')].find(each => each.textContent.includes('×'))))
    badge.dispatchEvent(new MouseEvent('click', {bubbles: true}));
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))); return performance.now() - start; }"""
MOVE = """async () => { const canvas = document.getElementById('canvas'); const times = [];
  for (let turn = 0; turn < 30; turn += 1) { const start = performance.now();
    canvas.dispatchEvent(new WheelEvent('wheel', {deltaY: turn % 2 ? 40 : -40, clientX: 300, clientY: 300, cancelable: true}));
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    times.push(performance.now() - start); }
  return times.sort((a, b) => a - b)[15] / 2; }"""
PAINTED = "performance.getEntriesByName('convspec-painted')[0].startTime"


def figures(quick: bool) -> list[Figure]:
    """The page of ResNet-152, and for orientation how long it takes to write."""
    return list(_figures(quick))


def _figures(quick: bool) -> Iterator[Figure]:
    net = load("zoo:resnet", "ResNet152")
    start = time.process_time()
    text = render(diagram(net.module))
    yield figure(
        "page of resnet152, to write", time.process_time() - start, unit="s", note=f"{len(text.encode()) / 1e6:.2f} MB"
    )
    try:
        from playwright.sync_api import sync_playwright

        from tests.draw.html.browser import find
    except ImportError:
        yield skipped("page of resnet152, open", "playwright is missing", OPENED, "at most")
        return
    path = find()
    if path is None:
        yield skipped("page of resnet152, open", "there is no Chromium", OPENED, "at most")
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "resnet152.html"
        file.write_text(text, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        runs = [measure(browser, file) for _ in range(3 if quick else 9)]
        browser.close()
    for name, goal in (("open", OPENED), ("unfold all", UNFOLDED), ("unroll every stack", None), ("a frame, moved", MOVED)):
        times = [each[name] for each in runs]
        middle = statistics.median(times)
        yield figure(
            f"page of resnet152, {name}", middle, goal, direction="at most", interval=(min(times), max(times)), unit="s"
        )


def measure(browser: Any, file: Path) -> dict[str, float]:
    """Seconds of one opening in a fresh profile."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    found = {
        "open": page.evaluate(PAINTED),
        "unfold all": page.evaluate(CLICK, "unfold-all"),
        "unroll every stack": page.evaluate(UNROLL),
        "a frame, moved": page.evaluate(MOVE),
    }
    page.context.close()
    return {name: milliseconds / 1000 for name, milliseconds in found.items()}


if __name__ == "__main__":
    sys.exit(main("page", figures))
