"""What a network shows, in a real browser: the picture is drawn, the table is there, and a spec's text is text."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser

import convspec
from convspec.notebook import Page
from tests.draw.html.conftest import browser  # noqa: F401 - a fixture

HOSTILE = '<img src=x onerror="document.title = 1"> </div></table> &amp; "'


def test_it_is_drawn_and_nothing_of_the_author_runs(browser: Browser, tmp_path: Path) -> None:  # noqa: F811
    text = f"## {HOSTILE}\nmodel Shown {{ input x: float32[N, 3, 8*h, 8*w]\n output x -> first: conv(2, 3x3) -> relu }}"
    path = tmp_path / "page.html"
    shown = convspec.loads(text, name=HOSTILE)._repr_html_()
    path.write_text(f"<!doctype html><title>notebook</title><body>{shown}<p id=after>after</p>", encoding="utf-8")
    page = browser.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("request", lambda request: wrong.append(request.url) if not request.url.startswith(("file:", "data:")) else None)
    page.goto(path.as_uri())
    sizes = page.locator("img").evaluate_all("images => images.map(image => [image.naturalWidth, image.naturalHeight])")
    assert len(sizes) == 1 and min(sizes[0]) > 100, "the picture is one, and can be read"
    assert page.locator("td", has_text="conv(2, 3x3)").is_visible()
    assert page.evaluate("document.getElementById('after').parentElement === document.body"), "what it opens it closes"
    assert page.title() == "notebook"
    assert wrong == []
    page.close()


def test_the_page_works_in_its_frame(browser: Browser, tmp_path: Path) -> None:  # noqa: F811
    net = convspec.loads(f"## {HOSTILE}\nmodel M {{ input x: float32[N, 3, 8, 8]\n output x -> first: conv(2, 3x3) -> relu }}")
    path = tmp_path / "page.html"
    path.write_text(
        f"<!doctype html><title>notebook</title><body>{Page(net, height=500)._repr_html_()}<p id=after>", encoding="utf-8"
    )
    page = browser.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(path.as_uri())
    frame = page.frame_locator("iframe")
    frame.locator("html[data-ready]").wait_for(state="attached", timeout=20_000)
    assert frame.locator("svg").first.is_visible()
    assert page.evaluate("document.getElementById('after').parentElement === document.body")
    assert page.title() == "notebook" and wrong == []
    page.close()
