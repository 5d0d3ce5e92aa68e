"""`draw --view` in a real browser: Netron draws the model, its weights can be fetched, and it talks to nobody else."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page

import convspec
from convspec.draw import view as viewing
from tests.draw.html.conftest import browser  # noqa: F401 - a fixture

SPEC = "model Tiny { input image: float32[N, 3, 8, 8]\n output image -> stem: conv(4, 3x3) -> relu -> softmax }\n"
NODES = ["image", "Conv", "Relu", "Softmax"]


def test_netron_draws_the_model(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    seen: list[str] = []
    monkeypatch.setattr(viewing, "_wait", lambda url: seen.extend(_looked_at(page, url)))
    net = convspec.loads(SPEC)
    viewing.view(net.module, net.weights, browser=False, say=lambda text: None)
    assert seen == NODES
    assert asked and {url.split("/")[2].split(":")[0] for url in asked if not url.startswith(("data:", "blob:"))} == {
        "localhost"
    }
    page.close()


def _looked_at(page: Page, url: str) -> list[str]:
    """What is found in the drawing, which is not there if the page asks for consent or for a newer release."""
    page.goto(url)
    page.wait_for_selector("svg .node", timeout=20_000)
    # Netron takes `eval` away from its page, which most of playwright's questions need; counting does not.
    return [text for text in NODES if page.locator("svg text", has_text=re.compile(f"^{text}$")).count()]
