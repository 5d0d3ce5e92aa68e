"""One browser for the tests of a file, and pages opened in it as a reader would: from a file, with what went wrong noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from convspec import loads
from convspec.api import Net, load
from convspec.draw.diagram import diagram
from convspec.draw.html import page as render
from convspec.draw.look import Theme
from tests.draw.html import browser as browsers

SECONDS = 20_000
WINDOW = {"width": 1300, "height": 850}


class Open(Protocol):
    """Opens the page of a spec in a tab of its own and waits until it is drawn."""

    def __call__(
        self,
        spec: str,
        model: str | None = None,
        *,
        sizes: Mapping[str, int] | None = None,
        theme: Theme = "auto",
        fragment: str = "",
        watched: bool = True,
        **options: Any,
    ) -> Page:
        """`watched`: anything said in the console and any request but for the page fails the test. Options: of the context."""
        ...


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed with the file: a loop of events left running would be in the way of others' tests."""
    if browsers.refused():
        pytest.skip(f"{browsers.VARIABLE}=none: left out on purpose")
    path = browsers.find()
    if path is None:
        pytest.fail(browsers.MISSING, pytrace=False)
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=flags)
        yield started
        started.close()


@pytest.fixture(scope="module")
def light(browser: Browser) -> Iterator[BrowserContext]:
    """What a page is opened in that asks for nothing special."""
    context = browser.new_context(viewport=WINDOW)  # type: ignore[arg-type]
    yield context
    context.close()


@cache
def net_of(spec: str, model: str | None = None) -> Net:
    """`zoo:…` and paths are read; anything else is a spec's text."""
    return load(spec, model) if "\n" not in spec else loads(spec, model=model)


def html_of(spec: str, model: str | None = None, sizes: Mapping[str, int] | None = None, theme: Theme = "auto") -> str:
    return render(diagram(net_of(spec, model).module, sizes), theme)


@pytest.fixture
def opened(browser: Browser, light: BrowserContext, tmp_path: Path) -> Iterator[Open]:
    wrong: list[str] = []
    tabs: list[Page] = []

    def watch(page: Page, address: str) -> None:
        page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith(address) else wrong.append(request.url))

    def open_page(
        spec: str,
        model: str | None = None,
        *,
        sizes: Mapping[str, int] | None = None,
        theme: Theme = "auto",
        fragment: str = "",
        watched: bool = True,
        **options: Any,
    ) -> Page:
        path = tmp_path / f"{len(tabs)}.html"
        path.write_text(html_of(spec, model, sizes, theme), encoding="utf-8")
        asked: dict[str, Any] = {"viewport": WINDOW, **options}
        page = browser.new_page(**asked) if options else light.new_page()
        tabs.append(page)
        page.set_default_timeout(SECONDS)
        if watched:
            watch(page, path.as_uri())
        page.goto(path.as_uri() + fragment)
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_page
    for tab in tabs:
        tab.close()
    assert wrong == []
