"""A Chromium to test pages in: found on this machine, or put there by `python -m tests.draw.html.browser`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

VARIABLE = "CONVSPEC_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
MISSING = f"""no Chromium was found, so the pages that `convspec draw` writes cannot be tested. Any of these helps:
  apt-get install chromium            (Debian; `make browser` does it where it may)
  playwright install chromium         (needs the internet)
  {VARIABLE}=/path/to/chrome          (any Chromium, Chrome or Edge)
  {VARIABLE}=none                     (leaves these tests out, and says so)"""


def find() -> str | None:
    """The path of a browser; None where there is none, and where the variable says `none`."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return None if chosen == "none" else chosen
    on_path = next((path for name in NAMES if (path := shutil.which(name))), None)
    return on_path or next((place for place in (*PLACES, *_own()) if Path(place).exists()), None)


def refused() -> bool:
    """Whether these tests are left out on purpose."""
    return os.environ.get(VARIABLE) == "none"


def _own() -> list[str]:
    """The browser that playwright itself may have installed."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return [playwright.chromium.executable_path]


def install() -> str | None:
    """The path of a browser, installed if there is none: from Debian's packages, else as playwright does it."""
    if refused() or find():
        return find()
    if shutil.which("apt-get") and os.geteuid() == 0:
        quiet = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
        _tried([*quiet, "update"])
        _tried([*quiet, "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"])
    if not find():
        _tried([sys.executable, "-m", "playwright", "install", "chromium"])
    return find()


def _tried(command: Sequence[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    print("$", *command, flush=True)
    subprocess.run(command, env=environment, check=False)


if __name__ == "__main__":
    path = install()
    if refused():
        print(f"{VARIABLE}=none: the tests that need a browser are left out")
    elif path is None:
        sys.exit(MISSING)
    else:
        print(f"pages are tested in {path}")
